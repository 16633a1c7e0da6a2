"""From frames of cells to frames of the CRM's fields, by a mapping that is bound to its source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from importer.errors import MappingError
from importer.mapping.checks import CONTACTS
from importer.mapping.document import SourceMap
from importer.mapping.fields import Field
from importer.mapping.files import Files, RowFile
from importer.mapping.groups import CaseLine, FurtherLines, RowChoice, lines_of
from importer.mapping.headings import Headings
from importer.mapping.other_rows import JoinedRows, RowsField, keys_of
from importer.mapping.refusal import CellProblem, any_problem
from importer.mapping.swapped_dates import SwappedDates
from importer.mapping.tables import UnusedValues
from importer.mapping.transcripts import Transcript, TranscriptText
from importer.messages import _
from importer.model import Cell, CellError, FieldRule, Issue, Reread, earlier_reading

_NOTHING_MISSING: Mapping[int, Collection[str]] = MappingProxyType({})

ATTACHMENTS = "attachments"
"""What the columns that name files are used for."""

LAST_LINE = " [last line]"
"""After a column's name: its last filled cell among the lines of a case, which counts for the content of the case."""


class ColumnUse(NamedTuple):
    """What a column is used for: the path of a field, or `ATTACHMENTS`; maybe only in the conditions of the field."""

    path: str
    is_condition: bool = False


@dataclass(frozen=True)
class Converted:
    """The result of converting a frame.

    `fields`: a column for each `FieldRule.path`, indexed by row numbers; None is left out of the payload.
    `issues`: the faults of conversion, each (row, column, code) once; that of a further line of a case has the number
    of that line. `skipped`: row numbers, and why. `speakers`: of a case whose field was taken from a further line, by
    its row and the field's path, that line's row and the text of its cell.
    """

    fields: pd.DataFrame
    issues: tuple[Issue, ...]
    skipped: Mapping[int, str]
    speakers: Mapping[tuple[int, str], tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundMapping:
    """The parts of a mapping, bound to the columns of its source.

    `joins` has the separators of the fields that are joined over the rows of one case, by their paths; `lasts` the
    defaults of the fields that are taken from the last of these rows. `names_in` is the path of the field for the file
    names; `transcript` makes an attachment of rows of another table.
    `listed_contacts` are the addresses that `known` lists where missing contacts are created.
    """

    key_columns: tuple[str, ...]
    rules: tuple[FieldRule, ...]
    fields: tuple[Field, ...]
    joins: Mapping[str, str]
    lasts: Mapping[str, object]
    choice: RowChoice
    files: Files | None
    names_in: str | None
    transcript: Transcript | None
    unused_values: tuple[UnusedValues, ...]
    source_map: SourceMap
    listed_contacts: frozenset[str] = frozenset()


class Mapper:
    """Converts the frames of a source: `survey` every frame, and then `convert` them.

    `columns` are the source columns that fields, key or attachments use, in the sheet's order and spelling, as are
    `case_columns`, without those that only the contact's own fields use (they are no content of the case),
    `key_columns`, `attachment_columns`, and `line_columns`, which further lines of a case speak in. `rules` name their
    columns in that spelling, too. `headings` tell under which names the journal records them. `listed_contacts` are
    folded addresses that exist in the CRM.
    """

    def __init__(self, bound: BoundMapping, columns: Sequence[str], headings: Headings) -> None:
        self._bound, self.headings = bound, headings
        self.key_columns, self.rules = bound.key_columns, bound.rules
        self.attachment_columns = _in_order(columns, bound.files.source_columns if bound.files else ())
        of_transcript = bound.transcript.columns if bound.transcript else ()
        used = [*(column for field in bound.fields for column in field.columns), *of_transcript]
        self._rows = [field.rows for field in bound.fields if isinstance(field, RowsField)]
        self._rows += [bound.transcript.rows] if bound.transcript else []
        self.columns = _in_order(columns, [*used, *self.key_columns, *self.attachment_columns])
        self._of_case = tuple(field for field in bound.fields if not field.path.startswith(f"{CONTACTS}."))
        used = [*(column for field in self._of_case for column in field.columns), *of_transcript]
        self.case_columns = _in_order(columns, [*used, *self.key_columns, *self.attachment_columns])
        self._swapped = SwappedDates(self.columns)
        self.listed_contacts = bound.listed_contacts
        self._further = FurtherLines(bound.choice)
        taken = (column for field in self._of_case if field.path in bound.lasts for column in field.columns)
        self._last_columns = _in_order(columns, taken)
        speaking = [field for field in bound.fields if field.path in bound.joins or field.path in bound.lasts]
        self.line_columns = _in_order(columns, [column for field in speaking for column in field.columns])
        self._only_addresses: dict[str, bool] = {}  # of attachment columns, whether all cells are web addresses

    def survey(self, frame: pd.DataFrame, places: Mapping[int, int] | None = None) -> None:
        """Learn from a frame what depends on the whole source; survey all frames before the first is converted.

        `places` are the numbers that rows of a report had in the sheet that it is about, the order of a case's lines.
        """
        for each in self._bound.fields:
            each.observe(frame)
        for values in self._bound.unused_values:
            values.observe(frame[values.column])
        self._swapped.observe(frame)
        if joined := self._bound.choice.survey(frame, places):
            self._further.add(frame.loc[joined, list(self.columns)])
        if self._bound.files:
            for column, only_addresses in self._bound.files.addresses(frame):
                self._only_addresses[column] = only_addresses and self._only_addresses.get(column, True)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the surveyed source never uses, once it is converted: of the mapping, of tables of rows; not errors.

        A text of `values` that no cell has may be misspelt, or just not occur this week: `file:line:column: path:
        message`. Before these, the columns in whose dates day and month may be swapped.
        """
        unused = (str(fault) for values in self._bound.unused_values for fault in values.faults(self._bound.source_map))
        return tuple(
            dict.fromkeys((*self._swapped.notes(), *unused, *(note for rows in self._rows for note in rows.notes())))
        )

    @property
    def uses(self) -> Mapping[str, tuple[ColumnUse, ...]]:
        """What each column of the sheet is used for, but for the key."""
        found: dict[str, dict[ColumnUse, None]] = {}
        for each in self._bound.fields:
            conditions = set(each.when.columns if each.when else ())
            for column in each.columns:
                found.setdefault(column, {})[ColumnUse(each.path, column in conditions and column != each.column)] = (
                    None
                )
            if isinstance(each, RowsField):  # an edit of rows of another table is named by its place, not by a column
                found.setdefault(each.rows.place, {})[ColumnUse(each.path)] = None
        transcript = (self._bound.transcript.rows.place,) if self._bound.transcript else ()
        for column in (*self.attachment_columns, *transcript):
            found.setdefault(column, {})[ColumnUse(ATTACHMENTS)] = None
        return {column: tuple(uses) for column, uses in found.items()}

    @property
    def groups_rows(self) -> bool:
        """Whether several rows may become one case."""
        return bool(self._bound.choice.group)

    @property
    def first_rows(self) -> Mapping[int, int]:
        """Of every surveyed row that is a further line of a case, the case's own row."""
        return self._bound.choice.first_rows

    def cases(self, frame: pd.DataFrame) -> list[tuple[str, ...]]:
        """Return what is equal in the lines of one case, for each row; nothing where each row is a case."""
        return self._bound.choice.cases(frame)

    def skipped(self, frame: pd.DataFrame) -> Mapping[int, str]:
        """Return the rows of a frame that do not become cases of their own, and why."""
        return self._bound.choice.skipped(frame)

    def convert(self, frame: pd.DataFrame, missing: Mapping[int, Collection[str]] = _NOTHING_MISSING) -> Converted:
        """Return the fields of each row, and the issues of its cells; the `missing` files of a row are not listed.

        Raises `MappingError` where an attachment column has web addresses instead of files.
        """
        self._refuse_addresses()
        skipped = self.skipped(frame)
        for rows in self._rows:
            rows.ask(keys_of(frame[rows.match]))
        taken = {field.path: self._taken(field, frame) for field in self._bound.fields}
        issues = chain(self._unreadable(frame), *(each.issues for each in taken.values()))
        columns = {path: each.by_row for path, each in taken.items()}
        if (names_in := self._bound.names_in) is not None:
            columns[names_in] = self._with_names(columns[names_in], frame, missing)
        fields = pd.DataFrame({path: pd.Series(values, frame.index, dtype=object) for path, values in columns.items()})
        speakers = {
            (row, path): (line.row, line.cell or "") for path, each in taken.items() for row, line in each.speakers
        }
        return Converted(fields, _distinct(issues, skipped), skipped, speakers)

    def attachment_names(self, frame: pd.DataFrame) -> Mapping[int, tuple[tuple[str, str], ...]]:
        """Return for each row that names files the (source column, file names as written) pairs, in their order.

        Names of one cell stay together, with the separator between them. The first row of a case has those of all its
        rows.
        """
        rows = self._files_of(frame)
        return {row: tuple((file.column, file.written) for file in files) for row, files in rows.items()}

    def attachment_rows(self, frame: pd.DataFrame) -> Mapping[int, tuple[int, ...]]:
        """Return for each of these names the row that it is in; nothing where each row is a case."""
        rows = self._files_of(frame) if self._further else {}
        return {row: tuple(file.row for file in files) for row, files in rows.items()}

    def transcripts(self, frame: pd.DataFrame) -> Mapping[int, TranscriptText]:
        """Return the transcripts of the rows that are cases and have any."""
        transcript = self._bound.transcript
        return transcript.of_keys(frame, self._keys(transcript.rows, frame)) if transcript else {}

    def content_columns(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the names under which these columns are recorded, and what `content` adds to them.

        That is for the fields that are taken from the last line of a case, and for rows of other tables.
        """
        name = self.headings.recorded
        lasts = (f"{name(column)}{LAST_LINE}" for column in self._last_columns)
        return (*map(name, columns), *lasts, *(rows.recorded for rows in self._rows))

    def content(self, frame: pd.DataFrame, recorded: Iterable[str] = ()) -> pd.DataFrame:
        """Return the frame as it counts for the content of each row: the first row of a case has that of all its rows.

        In columns of joined fields, its cell has the texts of all rows of the case. What the last row says has a column
        of its own, also if only a row of the journal (`recorded`) was made of it: then `take` in the mapping changed.
        Rows of another table have one with their digest.
        """
        wanted = {name.removesuffix(LAST_LINE) for name in recorded if name.endswith(LAST_LINE)}
        wanted |= set(map(self.headings.recorded, self._last_columns))
        last_columns = {name: column for name in sorted(wanted) if (column := self.headings.column(name))}
        if not (self._further or last_columns or self._rows):
            return frame
        whole = frame.copy()
        for rows in self._rows:
            digests = map(rows.digest, self._keys(rows, frame))
            whole[rows.recorded] = pd.Series(list(digests), frame.index, dtype=object)
        for name, column in last_columns.items():
            if column in self.columns:
                whole[f"{name}{LAST_LINE}"] = self._over_lines(frame, column, _last_filled)
        joined = [each for each in self._of_case if each.path in self._bound.joins]
        for column in {column for each in joined for column in each.columns}:
            whole[column] = self._over_lines(frame, column, _all_lines)
        return whole

    def _over_lines(self, frame: pd.DataFrame, column: str, take: Callable[[Sequence[Cell]], Cell]) -> pd.Series:
        """Return a column in which a case that has several lines has what `take` makes of their cells."""
        further = self._further.cells(column)
        cells = zip(frame.index.tolist(), frame[column], strict=True)
        held = [take([cell, *further[row]]) if row in further else cell for row, cell in cells]
        return pd.Series(held, frame.index, dtype=object)

    def _keys(self, rows: JoinedRows, frame: pd.DataFrame) -> list[list[bytes]]:
        """Return by which keys rows of another table belong to each row: those of all lines of its case."""
        further = self._further.cells(rows.match) if self._further else {}
        cells = zip(frame.index.tolist(), frame[rows.match], strict=True)
        parts = self.first_rows
        return [[] if row in parts else keys_of([cell, *further.get(row, ())]) for row, cell in cells]

    def _taken(self, field: Field, frame: pd.DataFrame) -> _Taken:
        """Return a field's values: those of a case with several lines from the line that speaks, or from all."""
        if isinstance(field, RowsField):
            return _plain(field, field.of_keys(frame, self._keys(field.rows, frame)), frame)
        values = field.values(frame)
        joins, lasts = self._bound.joins, self._bound.lasts
        if field.path not in joins and field.path not in lasts:
            return _plain(field, values, frame)
        taken = _Taken([], [], [])
        further = self._further.of(field)
        for own in lines_of(field, values, frame):
            lines = [own, *further.get(own.row, ())]
            if field.path in lasts:
                lines = [next((line for line in reversed(lines) if line.value is not None), own)]
                taken.speakers.extend((own.row, line) for line in lines if line is not own)
            taken.add(own.row, field, lines, joins.get(field.path), lasts.get(field.path))
        return taken

    def _unreadable(self, frame: pd.DataFrame) -> Iterator[tuple[int, Issue]]:
        """Yield the issues of cells that could not be read, wherever the mapping uses their column."""
        for column in self.columns:
            cells = frame[column].tolist()
            for row, cell in (
                zip(frame.index.tolist(), cells, strict=True) if CellError in set(map(type, cells)) else ()
            ):
                if isinstance(cell, CellError):
                    yield row, CellProblem.of(cell).issue(row, column, cell.text)

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
        found = {row: named for row, named in files.of_rows(frame).items() if row not in self.first_rows}
        further = self._further.files(files)
        for row in further.keys() & set(frame.index.tolist()):
            found[row] = tuple(dict.fromkeys((*found.get(row, ()), *further[row])))
        return found

    def _with_names(
        self, texts: Sequence[object], frame: pd.DataFrame, missing: Mapping[int, Collection[str]]
    ) -> list[object]:
        """Return a field's texts with the names of the files that go with it, numbered like the attachments."""
        files, made = self._files_of(frame), self.transcripts(frame)
        rows = zip(frame.index.tolist(), texts, strict=True)
        return [
            _name_files(text, files.get(row, ()), missing.get(row, ()), [made[row].name] if row in made else [])
            for row, text in rows
        ]


@dataclass(frozen=True, slots=True)
class _Taken:
    """A field's value for each row, None for a problem; its issues with the rows of their cases; lines that spoke."""

    by_row: list[object]
    issues: list[tuple[int, Issue]]
    speakers: list[tuple[int, CaseLine]]

    def add(self, row: int, field: Field, lines: Sequence[CaseLine], separator: str | None, default: object) -> None:
        """Add the value that these lines of a case make, or their problems."""
        problems = [line for line in lines if isinstance(line.value, CellProblem)]
        for line in problems:
            self.issues.append((row, line.value.issue(line.row, field.column, line.cell)))  # type: ignore[attr-defined]
        filled = [line.value for line in lines if line.value is not None]
        if problems or not filled:
            self.by_row.append(None if problems else default)
        else:
            self.by_row.append(filled[0] if separator is None else separator.join(map(str, filled)))


def _plain(field: Field, values: list[object], frame: pd.DataFrame) -> _Taken:
    """Return the values of a field that each row has by itself."""
    if not any_problem(values):
        return _Taken(values, [], [])
    taken = _Taken([], [], [])
    for line in lines_of(field, values, frame):
        taken.add(line.row, field, [line], None, None)
    return taken


def _last_filled(cells: Sequence[Cell]) -> Cell:
    return next((cell for cell in reversed(cells) if str(cell).strip()), cells[0])


def _all_lines(cells: Sequence[Cell]) -> Cell:
    text, earlier = ("\n".join(map(str, each)) for each in (cells, map(earlier_reading, cells)))
    return text if text == earlier else Reread(text, earlier)


def _distinct(issues: Iterable[tuple[int, Issue]], skipped: Mapping[int, str]) -> tuple[Issue, ...]:
    """Return the issues of rows that are not skipped, by row, each (row, column, code) once."""
    first: dict[tuple[int | None, str | None, str], Issue] = {}
    for row, issue in issues:
        if row not in skipped:
            first.setdefault((issue.row, issue.column, issue.code), issue)
    return tuple(sorted(first.values(), key=lambda issue: issue.row or 0))


def _in_order(columns: Sequence[str], used: Iterable[str]) -> tuple[str, ...]:
    wanted = set(used)
    return tuple(column for column in columns if column in wanted)


def _name_files(text: object, files: Sequence[RowFile], missing: Collection[str], made: Sequence[str]) -> object:
    by_path = {path: name for file in files for path, name in zip(file.paths, file.names, strict=True)}
    names = [*(name for path, name in by_path.items() if path not in missing), *made]
    if not names:
        return text
    listed = "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1))
    return f"{text}\n\n{listed}" if text else listed
