"""From frames of cells to frames of the CRM's fields, by a mapping that is bound to its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

import pandas as pd

from importer.errors import MappingError
from importer.mapping.conditions import Conditions
from importer.mapping.document import SourceMap
from importer.mapping.fields import Field, with_column
from importer.mapping.files import Files, RowFile
from importer.mapping.refusal import CellProblem, any_problem
from importer.mapping.tables import UnusedValues
from importer.messages import _
from importer.model import Cell, CellError, FieldRule, Issue, Reread, earlier_reading
from importer.text import canonical_key

Item = TypeVar("Item")


@dataclass
class RowChoice:
    """Which rows become cases: `skip_if`, `keep` for repeated keys, `group` for rows that become one case together.

    `survey` learns it from every frame; memory grows with the distinct keys only. `first_rows` has, for each row that
    is part of an earlier row's case, the number of that row.
    """

    skip_if: Conditions | None = None
    key: Sequence[str] = ()
    keep: str | None = None
    group: Sequence[str] = ()
    first_rows: dict[int, int] = field(default_factory=dict)
    _rows: dict[tuple[str, ...], int] = field(default_factory=dict)

    def survey(self, frame: pd.DataFrame) -> list[int]:
        """Learn from a frame; return its rows that are part of an earlier row's case."""
        if not (self.group or self.keep):
            return []
        dropped = self._dropped(frame)
        joined = []
        keys = _groups(frame, self.group) if self.group else _keys(frame, self.key)
        for row, key in zip(frame.index.tolist(), keys, strict=True):
            if row in dropped or not any(key):
                continue
            first = self._rows.setdefault(key, row)
            if self.group and first != row:
                self.first_rows[row] = first
                joined.append(row)
            elif self.keep == "last":
                self._rows[key] = row
        return joined

    def skipped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows of a frame that do not become cases of their own, and why."""
        skipped = self._dropped(frame)
        for row in frame.index.tolist():
            if row in self.first_rows:
                skipped.setdefault(row, _("part of the case of row {row}", row=self.first_rows[row]))
        if self.keep:
            for row, key in zip(frame.index.tolist(), _keys(frame, self.key), strict=True):
                kept = self._rows.get(key, row)
                if kept != row:
                    skipped.setdefault(row, self._repeated(kept))
        return skipped

    def _repeated(self, kept: int) -> str:
        if self.keep == "last":
            return _("an older row of a repeated key; row {row} is kept", row=kept)
        return _("a later row of a repeated key; row {row} is kept", row=kept)

    def _dropped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows that `skip_if` skips, and why."""
        if self.skip_if is None:
            return {}
        columns = list(dict.fromkeys(self.skip_if.columns))
        held = [row for row, holds in zip(frame.index.tolist(), self.skip_if.hold(frame), strict=True) if holds]
        cells = frame.loc[held, columns].itertuples(index=False, name=None)
        return {row: self._reason(columns, each) for row, each in zip(held, cells, strict=True)}

    @staticmethod
    def _reason(columns: Sequence[str], cells: Sequence[object]) -> str:
        shown = (
            _("{column} is '{value}'", column=column, value=cell) for column, cell in zip(columns, cells, strict=True)
        )
        return _("skip_if: {reasons}", reasons=", ".join(shown))


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row's key as a person sees it, empty where a cell is blank or could not be read."""
    rows = zip(*(frame[column].tolist() for column in columns), strict=True)
    keys = (tuple("" if isinstance(cell, CellError) else canonical_key(cell) for cell in row) for row in rows)
    return [key if all(key) else () for key in keys]


def _groups(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the cells, as a person sees them, that are equal in rows of one case."""
    rows = zip(*(frame[column].tolist() for column in columns), strict=True)
    return [tuple(map(canonical_key, row)) for row in rows]


class GroupedRows:
    """The rows of `source.group` after the first row of their case, kept from the survey on.

    Their values are computed once, when first asked for: by then every frame has been surveyed.
    """

    def __init__(self, first_rows: Mapping[int, int]) -> None:
        self._first_rows = first_rows
        self._frames: list[pd.DataFrame] = []
        self._values: dict[str, dict[int, list[object]]] = {}
        self._cells: dict[str, dict[int, list[Cell]]] = {}
        self._files: dict[int, list[RowFile]] | None = None

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, frame: pd.DataFrame) -> None:
        """Keep rows of a frame."""
        self._frames.append(frame)

    def values(self, field: Field) -> Mapping[int, list[object]]:
        """Return a field's values or problems in these rows, by the first row of their case."""
        if field.path not in self._values:
            self._values[field.path] = self._by_case(self._each_value(field))
        return self._values[field.path]

    def cells(self, column: str) -> Mapping[int, list[Cell]]:
        """Return a column's cells in these rows, by the first row of their case."""
        if column not in self._cells:
            cells = (pair for frame in self._frames for pair in zip(frame.index.tolist(), frame[column], strict=True))
            self._cells[column] = self._by_case(cells)
        return self._cells[column]

    def files(self, files: Files) -> Mapping[int, list[RowFile]]:
        """Return the files of these rows, by the first row of their case."""
        if self._files is None:
            rows = (pair for frame in self._frames for pair in files.of_rows(frame).items())
            self._files = self._by_case((row, file) for row, found in rows for file in found)
        return self._files

    def _each_value(self, field: Field) -> Iterator[tuple[int, object]]:
        for frame in self._frames:
            values = field.values(frame)
            if field.column:
                values = with_column(values, field.column, frame[field.column].tolist())
            yield from zip(frame.index.tolist(), values, strict=True)

    def _by_case(self, items: Iterable[tuple[int, Item]]) -> dict[int, list[Item]]:
        cases: dict[int, list[Item]] = {}
        for row, item in items:
            cases.setdefault(self._first_rows[row], []).append(item)
        return cases


@dataclass(frozen=True)
class Converted:
    """The result of converting a frame.

    `fields`: a column for each `FieldRule.path`, indexed by row numbers; None is left out of the payload.
    `issues`: the faults of conversion, each (row, column, code) once. `skipped`: row numbers, and why.
    """

    fields: pd.DataFrame
    issues: tuple[Issue, ...]
    skipped: Mapping[int, str]


@dataclass(frozen=True)
class BoundMapping:
    """The parts of a mapping, bound to the columns of its source.

    `joins` has the separators of the fields that are joined over the rows of one case, by their paths; `names_in` is
    the path of the field for the file names.
    """

    key_columns: tuple[str, ...]
    rules: tuple[FieldRule, ...]
    fields: tuple[Field, ...]
    joins: Mapping[str, str]
    choice: RowChoice
    files: Files | None
    names_in: str | None
    unused_values: tuple[UnusedValues, ...]
    source_map: SourceMap


class Mapper:
    """Converts the frames of a source: `survey` every frame, and then `convert` them.

    `columns` are the source columns that fields, key or attachments use, in the sheet's order and spelling, as are
    `key_columns` and `attachment_columns`. `rules` name their columns in that spelling, too.
    """

    def __init__(self, bound: BoundMapping, columns: Sequence[str]) -> None:
        self._bound = bound
        self.key_columns, self.rules = bound.key_columns, bound.rules
        self.attachment_columns = _in_order(columns, bound.files.source_columns if bound.files else ())
        used = [column for field in bound.fields for column in field.columns]
        self.columns = _in_order(columns, [*used, *self.key_columns, *self.attachment_columns])
        self._grouped = GroupedRows(bound.choice.first_rows)
        self._only_addresses: dict[str, bool] = {}  # of attachment columns, whether all cells are web addresses

    def survey(self, frame: pd.DataFrame) -> None:
        """Learn from a frame what depends on the whole source; survey all frames before the first is converted."""
        for each in self._bound.fields:
            each.observe(frame)
        for values in self._bound.unused_values:
            values.observe(frame[values.column])
        if joined := self._bound.choice.survey(frame):
            self._grouped.add(frame.loc[joined, list(self.columns)])
        if self._bound.files:
            for column, only_addresses in self._bound.files.addresses(frame):
                self._only_addresses[column] = only_addresses and self._only_addresses.get(column, True)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the surveyed source never uses of the mapping, as `file:line:column: path: message`; not errors.

        A text of `values` that no cell has may be misspelt, or just not occur this week.
        """
        return tuple(
            str(fault) for values in self._bound.unused_values for fault in values.faults(self._bound.source_map)
        )

    def skipped(self, frame: pd.DataFrame) -> Mapping[int, str]:
        """Return the rows of a frame that do not become cases of their own, and why."""
        return self._bound.choice.skipped(frame)

    def convert(self, frame: pd.DataFrame) -> Converted:
        """Return the fields of each row, and the issues of its cells.

        Raises `MappingError` where an attachment column has web addresses instead of files.
        """
        self._refuse_addresses()
        skipped = self.skipped(frame)
        columns = {field.path: self._values(field, frame) for field in self._bound.fields}
        issues = chain(
            self._unreadable(frame),
            *(self._issues(field, columns[field.path], frame) for field in self._bound.fields),
        )
        distinct = _distinct(issues, skipped)
        for path, values in columns.items():
            if any_problem(values):
                columns[path] = [None if isinstance(value, CellProblem) else value for value in values]
        if (names_in := self._bound.names_in) is not None:
            columns[names_in] = self._with_names(columns[names_in], frame)
        fields = pd.DataFrame({path: pd.Series(values, frame.index, dtype=object) for path, values in columns.items()})
        return Converted(fields, distinct, skipped)

    def attachment_names(self, frame: pd.DataFrame) -> Mapping[int, tuple[tuple[str, str], ...]]:
        """Return for each row that names files the (source column, file names as written) pairs, in their order.

        Names of one cell stay together, with the separator between them. The first row of a case has those of all its
        rows.
        """
        rows = self._files_of(frame)
        return {row: tuple((file.column, file.written) for file in files) for row, files in rows.items()}

    def content(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame as it counts for the content of each row: the first row of a case has that of all its rows.

        Only columns of joined fields differ from `frame`; a text there has the cells of all rows of the case.
        """
        if not self._grouped:
            return frame
        whole = frame.copy()
        joined = [each for each in self._bound.fields if each.path in self._bound.joins]
        for column in {column for each in joined for column in each.columns}:
            further = self._grouped.cells(column)
            cells = zip(frame.index.tolist(), frame[column], strict=True)
            held = [_joined_text([cell, *further[row]]) if row in further else cell for row, cell in cells]
            whole[column] = pd.Series(held, frame.index, dtype=object)
        return whole

    def _values(self, field: Field, frame: pd.DataFrame) -> list[object]:
        """Return a field's values; those of a joined field have the values of all rows of their case."""
        values = field.values(frame)
        if field.path not in self._bound.joins:
            return values
        grouped = self._grouped.values(field)
        separator = self._bound.joins[field.path]
        return [
            _join([value, *grouped.get(row, ())], separator) for row, value in zip(frame.index, values, strict=True)
        ]

    @staticmethod
    def _issues(field: Field, values: Sequence[object], frame: pd.DataFrame) -> Iterator[Issue]:
        """Yield the issues among a field's values."""
        for position, value in enumerate(values if any_problem(values) else ()):
            if isinstance(value, CellProblem):
                cell = str(frame[field.column].iloc[position]) if field.column else None
                yield value.issue(int(frame.index[position]), field.column, cell)

    def _unreadable(self, frame: pd.DataFrame) -> Iterator[Issue]:
        """Yield the issues of cells that could not be read, wherever the mapping uses their column."""
        for column in self.columns:
            cells = frame[column].tolist()
            for row, cell in (
                zip(frame.index.tolist(), cells, strict=True) if CellError in set(map(type, cells)) else ()
            ):
                if isinstance(cell, CellError):
                    yield CellProblem.of(cell).issue(row, column, cell.text)

    def _refuse_addresses(self) -> None:
        faults = [
            self._bound.source_map.fault(
                ("attachments", "columns"),
                _("{column} has web addresses, but only files can be attached; download them into the attachments"
                  " folder and name the files, or put the addresses into a field", column=column),
            )
            for column, only_addresses in self._only_addresses.items()
            if only_addresses
        ]  # fmt: skip
        if faults:
            raise MappingError(tuple(faults))

    def _files_of(self, frame: pd.DataFrame) -> dict[int, tuple[RowFile, ...]]:
        """Return the files of each row that is a case, then those of the case's other rows, each once."""
        files = self._bound.files
        if files is None:
            return {}
        first_rows = self._bound.choice.first_rows
        found = {row: named for row, named in files.of_rows(frame).items() if row not in first_rows}
        grouped = self._grouped.files(files)
        for row in grouped.keys() & set(frame.index.tolist()):
            found[row] = tuple(dict.fromkeys((*found.get(row, ()), *grouped[row])))
        return found

    def _with_names(self, texts: Sequence[object], frame: pd.DataFrame) -> list[object]:
        """Return a field's texts with the names of the row's files at the end, numbered like the attachments."""
        rows = self._files_of(frame)
        return [_name_files(text, rows.get(row, ())) for row, text in zip(frame.index.tolist(), texts, strict=True)]


def _distinct(issues: Iterable[Issue], skipped: Mapping[int, str]) -> tuple[Issue, ...]:
    """Return the issues of rows that are not skipped, by row, each (row, column, code) once."""
    first: dict[tuple[int | None, str | None, str], Issue] = {}
    for issue in issues:
        if issue.row not in skipped:
            first.setdefault((issue.row, issue.column, issue.code), issue)
    return tuple(sorted(first.values(), key=lambda issue: issue.row or 0))


def _in_order(columns: Sequence[str], used: Iterable[str]) -> tuple[str, ...]:
    wanted = set(used)
    return tuple(column for column in columns if column in wanted)


def _joined_text(cells: Sequence[Cell]) -> str:
    """Return the text of all rows of a case in one column, with what version 1 read there."""
    text, earlier = ("\n".join(map(str, each)) for each in (cells, map(earlier_reading, cells)))
    return text if text == earlier else Reread(text, earlier)


def _join(values: Sequence[object], separator: str) -> object:
    if problem := next((value for value in values if isinstance(value, CellProblem)), None):
        return problem
    filled = [str(value) for value in values if value is not None]
    return separator.join(filled) if filled else None


def _name_files(text: object, files: Sequence[RowFile]) -> object:
    names = [name for file in files for name in file.names]
    if not names:
        return text
    listed = "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1))
    return f"{text}\n\n{listed}" if text else listed
