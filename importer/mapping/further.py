"""The rows that are part of an earlier row's case: what they give to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from importer.mapping.fields import Field, placed
from importer.mapping.files import Files, RowFile

if TYPE_CHECKING:
    import pandas as pd

Given = TypeVar("Given")


class FurtherRows:
    """Rows of `source.group` behind the first of their case, kept from the survey on; `members` tells their cases.

    What they give is worked out once, when it is first asked for: by then every frame has been surveyed.
    """

    def __init__(self, members: Mapping[int, int]) -> None:
        self._members = members
        self._frames: list[pd.DataFrame] = []
        self._values: dict[str, dict[int, list[object]]] = {}
        self._texts: dict[str, dict[int, list[str]]] = {}
        self._files: dict[int, list[RowFile]] | None = None

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, frame: pd.DataFrame) -> None:
        """Keep rows of a frame."""
        self._frames.append(frame)

    def values(self, field: Field) -> Mapping[int, list[object]]:
        """Return a field's values or problems in these rows, by the row that stands for their case."""
        if field.path not in self._values:
            self._values[field.path] = self._by_case(self._each_value(field))
        return self._values[field.path]

    def texts(self, column: str) -> Mapping[int, list[str]]:
        """Return a column's texts in these rows, by the row that stands for their case."""
        if column not in self._texts:
            cells = (pair for frame in self._frames for pair in zip(frame.index.tolist(), frame[column], strict=True))
            self._texts[column] = self._by_case((row, str(cell)) for row, cell in cells)
        return self._texts[column]

    def files(self, files: Files) -> Mapping[int, list[RowFile]]:
        """Return the files of these rows, by the row that stands for their case."""
        if self._files is None:
            rows = (pair for frame in self._frames for pair in files.of_rows(frame).items())
            self._files = self._by_case((row, file) for row, found in rows for file in found)
        return self._files

    def _each_value(self, field: Field) -> Iterator[tuple[int, object]]:
        for frame in self._frames:
            cells = frame[field.column].tolist() if field.column else [""] * len(frame)
            for row, value, cell in zip(frame.index.tolist(), field.values(frame), cells, strict=True):
                yield row, placed(value, field.column, cell)

    def _by_case(self, given: Iterable[tuple[int, Given]]) -> dict[int, list[Given]]:
        cases: dict[int, list[Given]] = {}
        for row, each in given:
            cases.setdefault(self._members[row], []).append(each)
        return cases
