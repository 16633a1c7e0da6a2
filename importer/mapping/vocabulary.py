"""Which texts of a field's `values` no cell of its column holds: they are often misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from importer.errors import MappingFault
from importer.mapping.document import Places, Steps
from importer.mapping.steps import REST
from importer.mapping.words import Words, nearest
from importer.messages import _

_REMEMBERED = 100  # texts without a value, kept to say what a misspelt one may have meant


@dataclass
class Vocabulary:
    """The texts of one field's `values`, ticked off while the column is surveyed."""

    path: Steps
    column: str
    texts: Iterable[str]
    _unseen: dict[str, None] = field(init=False)
    _words: Words[str] = field(init=False)
    _strangers: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with all texts unseen, but the one that stands for all others."""
        named = [text for text in self.texts if text != REST]
        self._words = Words((text, text) for text in named)
        self._unseen = dict.fromkeys(self._words)

    def observe(self, cells: Iterable[object]) -> None:
        """Tick off the texts that stand in cells."""
        for text in {str(cell).strip() for cell in set(cells)} - {""}:
            alike = self._words.alike(text)
            for word in alike:
                self._unseen.pop(word, None)
            if not alike and len(self._strangers) < _REMEMBERED:
                self._strangers[text] = None

    def unused(self, places: Places) -> Iterator[MappingFault]:
        """Yield what no cell holds, at its place in the file."""
        for text in self._unseen:
            near = nearest(text, self._strangers, 1)
            message = (
                _(
                    "no cell of {column} is '{text}'; did you mean '{near}'?",
                    column=self.column,
                    text=text,
                    near=near[0],
                )
                if near
                else _("no cell of {column} is '{text}'", column=self.column, text=text)
            )
            yield places.fault((*self.path, "values", text), message, at_key=True)
