"""Why a file cannot be attached: one sentence and one remedy for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from importer.messages import _, shorten

MISSING = "attachment-missing"
"""The code of an issue about a file that is not there, or whose folder is not."""


@dataclass(frozen=True, slots=True)
class NameRefusal:
    """Why a name cannot be attached, and what to do, which `issue_of` says for all names of a cell together.

    `near` are the files that may have been meant by `name`, `prefixes` the folders of another computer before it.
    """

    code: str
    message: str
    remedies: tuple[str, ...]
    name: str = ""
    near: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


class RefusedAttachment(Exception):
    """A name in a cell cannot be attached; `refusal` says why."""

    def __init__(self, refusal: NameRefusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.message)


def refused_name(code: str, message: str, remedy: str) -> RefusedAttachment:
    """Refuse a name with one remedy."""
    return RefusedAttachment(NameRefusal(code, message, (remedy,)))


class NotThere(Exception):
    """There is no such file in the folder; `near` are the files that may have been meant."""

    def __init__(self, near: tuple[str, ...]) -> None:
        self.near = near
        super().__init__(*near)


def no_folder(root: Path, written: Path, lost: str | None = None) -> RefusedAttachment:
    """Refuse a folder that does not exist, or is a file but no zip file; `written` is how the mapping names it."""
    is_called_zip = root.suffix.lower() == ".zip"
    if root.exists():
        if is_called_zip or not root.stat().st_size:
            return _no_zip(root)
        message = _("the attachments folder {folder} is a file", folder=root)
        remedy = _("Unpack it, or pack the files as a ZIP file; then correct `folder` of `attachments` in the mapping")
        return refused_name(MISSING, message, remedy)
    if is_called_zip:
        message = _("the ZIP file of the attachments {folder} does not exist", folder=root)
        remedy = _("Put the ZIP file there, or correct `folder` of `attachments` in the mapping")
    else:
        message = _("the attachments folder {folder} does not exist", folder=root)
        remedy = _("Create the folder, or correct `folder` of `attachments` in the mapping")
    if (packed := root.with_name(f"{root.name}.zip")).is_file():
        remedy = _files_are_in((written.parent / packed.name).as_posix())
    elif is_called_zip and (unpacked := root.with_suffix("")).is_dir():
        remedy = _files_are_in((written.parent / unpacked.name).as_posix())
    elif lost is not None:
        remedy = _(
            "This report was made from {source}, and the folder is not there any more either: put the folder beside"
            " the report, or name its whole path as `folder` of `attachments` in the mapping",
            source=lost,
        )
    return refused_name(MISSING, message, remedy)


def _no_zip(path: Path) -> RefusedAttachment:
    """Refuse a file that should be a zip file, of which there is nothing to unpack."""
    if path.stat().st_size:
        message = _("the attachments folder {folder} is not a ZIP file, although its name ends in .zip", folder=path)
    else:
        message = _("the attachments folder {folder} is an empty file (0 bytes)", folder=path)
    remedy = _("Download or make the ZIP file again, or correct `folder` of `attachments` in the mapping")
    return refused_name(MISSING, message, remedy)


def damaged_zip(path: Path, reason: str) -> RefusedAttachment:
    """Refuse a zip file whose list of files cannot be read."""
    return refused_name(
        "attachment-unreadable",
        _("the attachments folder {folder} is a zip file that cannot be read: {reason}", folder=path, reason=reason),
        _("Copy or download it again; or unpack it, and name the folder as `folder` of `attachments` in the mapping"),
    )


def in_the_zip(name: str, reason: str) -> RefusedAttachment:
    """Refuse a file that cannot be taken out of its zip file."""
    return refused_name(
        "attachment-unreadable",
        _("{name} cannot be read: {reason}", name=shorten(name), reason=reason),
        _("Pack the files again as an ordinary zip file; or unpack it, and name the folder in the mapping"),
    )


def missing_file(name: str, folder: Path, near: Sequence[str], only_zip: str | None = None) -> RefusedAttachment:
    """Refuse a file that is not there; `near` are what may be meant, `only_zip` is all that the folder has."""
    message = _("{name} is not in {folder}", name=shorten(name), folder=folder)
    if only_zip is not None:
        return refused_name(MISSING, message, _files_are_in((folder / only_zip).as_posix()))
    if not near:
        return refused_name(MISSING, message, _("Put the file there, or correct its name"))
    return RefusedAttachment(NameRefusal(MISSING, message, (), name, tuple(near)))


def several_files(name: str, folder: Path, remedy: str, *, are_all_there: bool) -> RefusedAttachment:
    """Refuse several names in one; where all of their files are there, the cell is wrong, and no file is missing."""
    message = _("{name} is not in {folder}", name=shorten(name), folder=folder)
    code = "attachment-name" if are_all_there else MISSING
    return refused_name(code, message, remedy)


def _files_are_in(path: str) -> str:
    return _("If the files are in {path}, write in the mapping, under `attachments`: `folder: {path}`", path=path)


def is_folder(name: str) -> RefusedAttachment:
    """Refuse a name that means a folder."""
    return refused_name(
        "attachment-folder",
        _("{name} is a folder, and only files can be attached", name=shorten(name)),
        _("Write the names of the files in it, or pack them into one file"),
    )


def link_outside(name: str) -> RefusedAttachment:
    """Refuse a link to somewhere else."""
    return refused_name(
        "attachment-outside",
        _("{name} is a link that leads outside the attachments folder", name=shorten(name)),
        _("Put the file itself into the attachments folder"),
    )


def refuse_size(name: str, size: int, limit: int) -> None:
    """Raise `RefusedAttachment` for a file that is empty or larger than the mapping allows."""
    if size == 0:
        raise refused_name(
            "attachment-empty",
            _("{name} is empty (0 bytes)", name=shorten(name)),
            _("Replace the file with one that has content, or empty the cell"),
        )
    if size > limit:
        raise refused_name(
            "attachment-too-large",
            _("{name} has {size:,} bytes, and the limit is {limit:,}", name=shorten(name), size=size, limit=limit),
            _("Make the file smaller, or add to `attachments`: `max_size: {needed}MB`", needed=-(-size // 10**6)),
        )


def unreadable(name: str, reason: str) -> RefusedAttachment:
    """Refuse a file that the system does not let be read."""
    return refused_name(
        "attachment-unreadable",
        _("{name} cannot be read: {reason}", name=shorten(name), reason=reason),
        _("Make the file readable, close the program that is using it, or replace it"),
    )


def repeated(name: str) -> RefusedAttachment:
    """Refuse a file that the row has named before."""
    return refused_name(
        "attachment-repeated",
        _("{name} is named twice in this row", name=shorten(name)),
        _("Name the file once"),
    )
