"""The attachments that are made of rows of another table, kept until they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from importer.attachments import FoundAttachments, MadeFiles, TooLarge, page_of, text_of
from importer.mapping import TranscriptText
from importer.messages import _
from importer.model import Attachment, Issue

TRANSCRIPT = "attachments.transcript"


class Transcripts:
    """Makes the transcripts of a plan, each not larger than `max_size`."""

    def __init__(self, max_size: int) -> None:
        self.files = MadeFiles()
        self._max_size = max_size

    def added_to(
        self, found: Mapping[int, FoundAttachments], texts: Mapping[int, TranscriptText]
    ) -> dict[int, FoundAttachments]:
        """Return the attachments of each row, its transcript after the files that it names."""
        added = dict(found)
        for row, text in texts.items():
            files = added.get(row, FoundAttachments((), (), ()))
            made = self._made(row, text)
            if isinstance(made, Attachment):
                added[row] = replace(files, attachments=(*files.attachments, made))
            else:
                added[row] = replace(files, issues=(*files.issues, made))
        return added

    def _made(self, row: int, text: TranscriptText) -> Attachment | Issue:
        if text.problem is not None:
            return text.problem.issue(row, TRANSCRIPT, None)
        content = page_of(text.name, text.texts()) if text.is_html else text_of(text.texts(), text.separator)
        try:
            return self.files.add(text.name, content, self._max_size)
        except TooLarge as error:
            remedy = _(
                "Add a larger `max_size` to `attachments` in the mapping, or leave rows out by `skip_if` of its rows"
            )
            return Issue(row, TRANSCRIPT, text.name, "attachment-transcript", str(error), remedy)
