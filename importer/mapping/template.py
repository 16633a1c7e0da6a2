"""Templates: text with `{Column}` and `{Column:format}` parts, filled in one pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from importer.mapping.converters.formats import is_date_format, is_number_format
from importer.messages import _

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<open>\{)")


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a template that a column fills.

    `name` is all that stands in the braces until `split` takes the format off: a column's own name may hold colons.
    """

    name: str
    format: str | None = None

    def split(self) -> Slot:
        """Return the slot with what stands behind a colon as its format, where it is one."""
        for colon in re.finditer(":", self.name):
            name, form = self.name[: colon.start()].strip(), self.name[colon.end() :].strip()
            if name and is_format(form):
                return Slot(name, form)
        return self


@dataclass(frozen=True, slots=True)
class Template:
    """A template in its parts: plain texts and slots."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> Sequence[Slot]:
        """The parts that columns fill, in their order."""
        return [part for part in self.parts if isinstance(part, Slot)]


def parse(text: str) -> Template:
    """Return the parts of a template; raises `ValueError` where a brace is open or a part has no name."""
    parts: list[str | Slot] = []
    end = 0
    for piece in _PIECE.finditer(text):
        parts.append(text[end : piece.start()])
        end = piece.end()
        if piece["open"]:
            raise ValueError(
                _("a brace is open here: '{rest}'; write {{{{ for a brace", rest=text[piece.start() :][:30])
            )
        if piece["name"] is None:
            parts.append(piece[0][0])
        elif not piece["name"].strip():
            raise ValueError(_("a part has no column: '{{}}'; write a column's name in the braces"))
        else:
            parts.append(Slot(piece["name"].strip()))
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part != ""))


def is_format(text: str) -> bool:
    """Tell whether a text can stand behind a slot's colon."""
    return is_date_format(text) or is_number_format(text)
