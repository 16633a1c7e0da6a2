"""One issue for the names of a cell that cannot be attached for reasons of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importer.attachments.refusals import NameRefusal
from importer.messages import _, ngettext, shorten
from importer.model import Issue


def issue_of(refusals: Sequence[NameRefusal], row: int, column: str, cell: str) -> Issue:
    """Return the issue that names each of these; what they have in common is said once."""
    distinct = list(dict.fromkeys(refusals))
    message = "; ".join(dict.fromkeys(_messages(distinct)))
    return Issue(row, column, cell, distinct[0].code, message, _as_sentences(list(_remedies(distinct))))


def _messages(refusals: Sequence[NameRefusal]) -> Iterator[str]:
    absolute = [shorten(refusal.name) for refusal in refusals if refusal.prefixes]
    for refusal in refusals:
        if refusal.prefixes and len(absolute) > 1:
            yield ngettext(
                "{names} is an absolute path; only files in the attachments folder can be attached",
                "{names} are absolute paths; only files in the attachments folder can be attached",
                len(absolute),
                names=", ".join(absolute),
            )
        else:
            yield refusal.message


def _remedies(refusals: Sequence[NameRefusal]) -> Iterator[str]:
    """Yield what to do about all of them, and then which files single ones may have meant."""
    yield from dict.fromkeys(remedy for refusal in refusals for remedy in refusal.remedies)
    if prefixes := _outermost([prefix for refusal in refusals for prefix in refusal.prefixes]):
        quoted = [_single_quoted(prefix) for prefix in prefixes]
        yield _(
            "Copy the files into that folder; the mapping then takes off what is before their names there, such as"
            " strip_prefix: {prefixes}",
            prefixes=quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]",
        )
    for refusal in refusals:
        if refusal.near:
            yield _meant(refusal, alone=len(refusals) == 1)


def _meant(refusal: NameRefusal, *, alone: bool) -> str:
    """Return the question whether other files were meant; it says by which name, unless there is only one."""
    near = ", ".join(refusal.near)
    if alone:
        return ngettext("Did you mean {names}?", "Did you mean one of these: {names}?", len(refusal.near), names=near)
    return ngettext(
        "Did you mean {names} instead of {name}?",
        "Instead of {name}, did you mean one of these: {names}?",
        len(refusal.near),
        names=near,
        name=shorten(refusal.name),
    )


def _outermost(prefixes: Sequence[str]) -> list[str]:
    """Return the distinct folders, without those inside another: their names stay in front of their files."""
    compared = {prefix.replace("\\", "/").casefold(): prefix for prefix in reversed(prefixes)}
    inside = {one for one in compared for other in compared if one != other and one.startswith(other)}
    return [prefix for one, prefix in reversed(compared.items()) if one not in inside]


def _single_quoted(text: str) -> str:
    """Return a text as YAML in single quotes, where a backslash is a backslash."""
    return "'" + text.replace("'", "''") + "'"


def _as_sentences(remedies: Sequence[str]) -> str:
    """Return the remedies one after another; the last gets its full stop where it is shown."""
    ended = [remedy if remedy.endswith((".", "?", "!", "…")) else f"{remedy}." for remedy in remedies[:-1]]
    return " ".join([*ended, *remedies[-1:]])
