"""From frames of cells to frames of the CRM's fields, by a mapping that is bound to its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from importer.errors import MappingError
from importer.mapping.conditions import Conditions
from importer.mapping.document import Places
from importer.mapping.fields import Field, placed
from importer.mapping.files import Files, RowFile
from importer.mapping.refusal import Problem, any_problem
from importer.mapping.tables import Vocabulary
from importer.messages import _
from importer.model import Fault, FieldRule, Issue
from importer.text import seen, seen_key

if TYPE_CHECKING:
    pass


# MERGED importer.mapping.mapper: The rows that are part of an earlier row's case: what they give to it.

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


# MERGED importer.mapping.mapper: Which rows become cases: `skip_if`, `keep` for repeated keys, `group` for rows that make one case together.


@dataclass
class RowChoice:
    """What `survey` has learnt of a source's rows; memory grows with its distinct keys only.

    `members` tells of each row that is part of another row's case which row stands for it.
    """

    skip_if: Conditions | None = None
    key: Sequence[str] = ()
    keep: str | None = None
    group: Sequence[str] = ()
    members: dict[int, int] = field(default_factory=dict)
    _rows: dict[tuple[str, ...], int] = field(default_factory=dict)

    def survey(self, frame: pd.DataFrame) -> list[int]:
        """Take in a frame; return its rows that are part of an earlier row's case."""
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
                self.members[row] = first
                joined.append(row)
            elif self.keep == "last":
                self._rows[key] = row
        return joined

    def skipped(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return why rows of a frame are no cases of their own, by their numbers."""
        skipped = self._dropped(frame)
        for row in frame.index.tolist():
            if row in self.members:
                skipped.setdefault(row, _("part of the case of row {row}", row=self.members[row]))
        if self.keep:
            for row, key in zip(frame.index.tolist(), _keys(frame, self.key), strict=True):
                kept = self._rows.get(key, row)
                if kept != row:
                    skipped.setdefault(row, self._why(kept))
        return skipped

    def _why(self, kept: int) -> str:
        if self.keep == "last":
            return _("an older row of a repeated key; row {row} is kept", row=kept)
        return _("a later row of a repeated key; row {row} is kept", row=kept)

    def _dropped(self, frame: pd.DataFrame) -> dict[int, str]:
        if self.skip_if is None:
            return {}
        columns = list(dict.fromkeys(self.skip_if.columns))
        held = [row for row, holds in zip(frame.index.tolist(), self.skip_if.hold(frame), strict=True) if holds]
        cells: Mapping[int, Sequence[object]] = dict(
            zip(held, frame.loc[held, columns].itertuples(index=False, name=None), strict=True)
        )
        return {row: self._reason(columns, cells[row]) for row in held}

    @staticmethod
    def _reason(columns: Sequence[str], cells: Sequence[object]) -> str:
        shown = (
            _("{column} is '{value}'", column=column, value=cell) for column, cell in zip(columns, cells, strict=True)
        )
        return _("skip_if: {reasons}", reasons=", ".join(shown))


def _keys(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each row's key as people see it, empty where it is blank."""
    return list(map(seen_key, zip(*(frame[column].tolist() for column in columns), strict=True)))


def _groups(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what rows that make one case have in common, as people see it."""
    cells = zip(*(frame[column].tolist() for column in columns), strict=True)
    return [tuple(map(seen, row)) for row in cells]


# MERGED importer.mapping.mapper: From frames of cells to frames of the CRM's fields, by a mapping that is bound to its source.


@dataclass(frozen=True)
class Converted:
    """What became of a frame.

    `fields`: a column for each `FieldRule.path`, indexed by row numbers; None is left out of the payload.
    `issues`: the faults of conversion, each (row, column, code) once. `skipped`: row numbers, and why.
    """

    fields: pd.DataFrame
    issues: tuple[Issue, ...]
    skipped: Mapping[int, str]


@dataclass(frozen=True)
class Parts:
    """What a mapper works with, bound to the columns of its source.

    `joins` are the separators of the fields that are joined over the rows of one case, by their paths; `names_in` is
    the path of the field that lists the files' names.
    """

    key_columns: tuple[str, ...]
    rules: tuple[FieldRule, ...]
    fields: tuple[Field, ...]
    joins: Mapping[str, str]
    choice: RowChoice
    files: Files | None
    names_in: str | None
    vocabularies: tuple[Vocabulary, ...]
    places: Places


class Mapper:
    """A mapping bound to a source; `survey` every frame of the source, and then `convert` them.

    `columns` are the source columns that fields, key or attachments use, in sheet order and in the sheet's own
    spelling; so are `key_columns` and `attachment_columns`. `rules` name their columns in that spelling, too.
    """

    def __init__(self, parts: Parts, columns: Sequence[str]) -> None:
        self._parts = parts
        self.key_columns, self.rules = parts.key_columns, parts.rules
        self.attachment_columns = _in_order(columns, parts.files.source_columns if parts.files else ())
        used = [column for field in parts.fields for column in field.columns]
        self.columns = _in_order(columns, [*used, *self.key_columns, *self.attachment_columns])
        self._further = FurtherRows(parts.choice.members)
        self._addresses: dict[str, bool] = {}  # of attachment columns, whether all of their cells are addresses

    def survey(self, frame: pd.DataFrame) -> None:
        """Look at a frame of the source, every one before the first is converted.

        What a whole column proves, which rows stand for others and what is joined is learnt here.
        """
        for field in self._parts.fields:
            field.observe(frame)
        for vocabulary in self._parts.vocabularies:
            vocabulary.observe(frame[vocabulary.column])
        if members := self._parts.choice.survey(frame):
            self._further.add(frame.loc[members, list(self.columns)])
        if self._parts.files:
            for column, only_addresses in self._parts.files.addresses(frame):
                self._addresses[column] = only_addresses and self._addresses.get(column, True)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the mapping the surveyed source never uses, as `file:line:column: path: message`; no error.

        A text of `values` that no cell holds may be misspelt, or just be missing this week.
        """
        unused = (vocabulary.unused(self._parts.places) for vocabulary in self._parts.vocabularies)
        return tuple(str(fault) for faults in unused for fault in faults)

    def skipped(self, frame: pd.DataFrame) -> Mapping[int, str]:
        """Return why rows of a frame are no cases of their own, by their numbers."""
        return self._parts.choice.skipped(frame)

    def convert(self, frame: pd.DataFrame) -> Converted:
        """Return the fields of each row, and what is wrong with its cells.

        Raises `MappingError` where an attachment column holds addresses on the web and no files.
        """
        self._refuse_addresses()
        skipped = self.skipped(frame)
        columns = {field.path: self._values(field, frame) for field in self._parts.fields}
        told = [
            *self._unreadable(frame),
            *chain.from_iterable(self._issues(field, columns[field.path], frame) for field in self._parts.fields),
        ]
        for path, values in columns.items():
            if any_problem(values):
                columns[path] = [None if isinstance(value, Problem) else value for value in values]
        if named := self._parts.names_in:
            columns[named] = self._with_names(columns[named], frame)
        fields = pd.DataFrame({path: pd.Series(values, frame.index, dtype=object) for path, values in columns.items()})
        return Converted(fields, _once(told, skipped), skipped)

    def _values(self, field: Field, frame: pd.DataFrame) -> list[object]:
        values = field.values(frame)
        return self._with_members(field, values, frame) if field.path in self._parts.joins else values

    @staticmethod
    def _issues(field: Field, values: Sequence[object], frame: pd.DataFrame) -> Iterator[Issue]:
        """Yield the issues among a field's values."""
        for position, value in enumerate(values if any_problem(values) else ()):
            if isinstance(value, Problem):
                cell = str(frame[field.column].iloc[position]) if field.column else None
                yield value.issue(int(frame.index[position]), field.column, cell)

    def _unreadable(self, frame: pd.DataFrame) -> Iterator[Issue]:
        """Yield the issues of cells that could not be read, in whatever way the mapping uses their column."""
        for column in self.columns:
            cells = frame[column].tolist()
            for row, cell in zip(frame.index.tolist(), cells, strict=True) if Fault in set(map(type, cells)) else ():
                if isinstance(cell, Fault):
                    yield Problem.of(cell).issue(row, column, cell.text)

    def attachment_names(self, frame: pd.DataFrame) -> Mapping[int, tuple[tuple[str, str], ...]]:
        """Return for each row that names files the (source column, file names as written) pairs, in their order.

        Names of one cell stay together, with the separator between them. A row that stands for others has theirs, too.
        """
        rows = self._files_of(frame)
        return {row: tuple((file.column, file.written) for file in files) for row, files in rows.items()}

    def content(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame as it counts for what each row holds: of a row that stands for others, theirs as well.

        Only columns of joined fields differ from `frame`; there a text holds the cells of all rows of the case.
        """
        if not self._further:
            return frame
        whole = frame.copy()
        joined = [field for field in self._parts.fields if field.path in self._parts.joins]
        for column in {column for field in joined for column in field.columns}:
            texts = self._further.texts(column)
            cells = zip(frame.index.tolist(), frame[column], strict=True)
            held = ["\n".join([str(cell), *texts[row]]) if row in texts else cell for row, cell in cells]
            whole[column] = pd.Series(held, frame.index, dtype=object)
        return whole

    def _refuse_addresses(self) -> None:
        faults = [
            self._parts.places.fault(
                ("attachments", "columns"),
                _("{column} holds web addresses, and only files can be attached; download them into the attachments"
                  " folder and name the files, or put the addresses into a field", column=column),
            )
            for column, only_addresses in self._addresses.items()
            if only_addresses
        ]  # fmt: skip
        if faults:
            raise MappingError(tuple(faults))

    def _with_members(self, field: Field, values: list[object], frame: pd.DataFrame) -> list[object]:
        """Return a field's values, those of the rows of one case joined in the row that stands for it."""
        further = self._further.values(field)
        separator = self._parts.joins[field.path]
        return [
            _join([value, *further.get(row, ())], separator) for row, value in zip(frame.index, values, strict=True)
        ]

    def _files_of(self, frame: pd.DataFrame) -> dict[int, tuple[RowFile, ...]]:
        """Return the files of each row that is a case, those of its further rows at the end, each once."""
        files = self._parts.files
        if files is None:
            return {}
        found = {row: named for row, named in files.of_rows(frame).items() if row not in self._parts.choice.members}
        further = self._further.files(files)
        for row in further.keys() & set(frame.index.tolist()):
            found[row] = tuple(dict.fromkeys((*found.get(row, ()), *further[row])))
        return found

    def _with_names(self, texts: Sequence[object], frame: pd.DataFrame) -> list[object]:
        """Return a field's texts with the names of the row's files, numbered as the attachments are, at the end."""
        rows = self._files_of(frame)
        return [_name_files(text, rows.get(row, ())) for row, text in zip(frame.index.tolist(), texts, strict=True)]


def _once(issues: Iterable[Issue], skipped: Mapping[int, str]) -> tuple[Issue, ...]:
    """Return the issues of rows that are not skipped, by row, each (row, column, code) once."""
    first: dict[tuple[int | None, str | None, str], Issue] = {}
    for issue in issues:
        if issue.row not in skipped:
            first.setdefault((issue.row, issue.column, issue.code), issue)
    return tuple(sorted(first.values(), key=lambda issue: issue.row or 0))


def _in_order(columns: Sequence[str], used: Iterable[str]) -> tuple[str, ...]:
    wanted = set(used)
    return tuple(column for column in columns if column in wanted)


def _join(values: Sequence[object], separator: str) -> object:
    if problem := next((value for value in values if isinstance(value, Problem)), None):
        return problem
    filled = [str(value) for value in values if value is not None]
    return separator.join(filled) if filled else None


def _name_files(text: object, files: Sequence[RowFile]) -> object:
    names = [name for file in files for name in file.names]
    if not names:
        return text
    listed = "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1))
    return f"{text}\n\n{listed}" if text else listed
