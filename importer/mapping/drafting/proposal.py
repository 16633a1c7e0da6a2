"""Propose a mapping for a source from its headers and values.

Every guess has its evidence as a comment. What cannot be known is left blank and marked, and `load` refuses it by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer.mapping.document import Node
from importer.mapping.drafting.attached import named_files
from importer.mapping.drafting.guesses import (
    DraftLine,
    blank,
    flow,
    guess_fields,
    lines,
    text_keys,
    used_columns,
)
from importer.mapping.drafting.kinds import guess_type
from importer.mapping.drafting.other_tables import FoundRows, OtherSheet, find_rows, same_columns
from importer.mapping.drafting.previous import PreviousMapping
from importer.mapping.drafting.rows import ShownRows
from importer.mapping.drafting.survey import Survey, survey
from importer.mapping.drafting.tenant_fields import nearest_columns, tenant_lines
from importer.messages import _, ngettext
from importer.text import unaccented, yaml_quoted, yaml_scalar

if TYPE_CHECKING:
    import pandas as pd

_FEW_ROWS = 5  # in which texts differ by chance


def draft(  # noqa: PLR0913 - each is an option of the command
    columns: Sequence[str],
    frames: Iterable[pd.DataFrame],
    name: str,
    *,
    sheet: str | None = None,
    like: Path | None = None,
    beside: Path | None = None,
    filled: Iterable[pd.DataFrame] | None = None,
    hidden: Collection[int] = (),
    others: Iterable[OtherSheet] = (),
    fields: Sequence[str] = (),
    by_hand: bool = True,
) -> str:
    """Return the text of a mapping for a source with these columns, as far as its cells show one.

    `name` is the import's name, `sheet` the sheet that the user named, if any. `like` is a previous mapping whose
    name and decisions are kept, these where their columns exist; raises `MappingError` where it has faults. `beside`
    is the source's folder, under which the files that cells name are searched. `filled` are the frames with their
    merged cells filled, for a source that may have any; `hidden` are the rows that the sheet hides, of which nothing is
    said unless the previous mapping includes them. All frames are read several times. `others` are tables beside
    the source, whose rows may belong to its rows; `fields` are the names that the CRM has for the form's fields.
    `by_hand`: a person completes the text in an editor; without it, no line waits for that, and a page asks for what is
    left.
    """
    previous = PreviousMapping(like, columns)
    if previous.section("source").get("hidden") != "include":
        frames, filled = ShownRows(frames, hidden), None if filled is None else ShownRows(filled, hidden)
    seen = survey(columns, frames, filled, previous.key())
    if "keep" in previous.section("source"):
        seen = replace(seen, joined=(), varying=())  # older rows are dropped, so that a case has one line
    key = previous.key() or seen.key
    others = list(others)
    rows = find_rows(key, columns, frames, others) if key and not previous.has_rows() else []
    alike = same_columns(columns, others)
    return _Draft(seen, name, previous, beside, rows, fields, alike, by_hand=by_hand).text(sheet)


class _Draft:
    """The sections of one draft."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a draft is made of
        self,
        seen: Survey,
        name: str,
        previous: PreviousMapping,
        beside: Path | None,
        rows: Sequence[FoundRows],
        fields: Sequence[str],
        alike: Sequence[str],
        *,
        by_hand: bool,
    ) -> None:
        self._rows, self._tenant_fields, self._alike = rows, fields, alike
        self._by_hand = by_hand
        self._seen, self._name, self._previous = seen, name, previous
        self._found, self._matches = seen.found, seen.matches
        self._files = named_files(seen.found, beside)

    def text(self, sheet: str | None) -> str:
        """Return the whole draft."""
        sections = [
            self._head(),
            self._source(sheet),
            self._target(),
            self._fields(),
            self._form(),
            self._attachments(),
            self._reference(),
        ]
        return "\n\n".join("\n".join(lines(section)) for section in sections if section) + "\n"

    def _reference(self) -> list[DraftLine]:
        kept = {"description", *(f"form.{name}" for name in self._previous.section("form"))}
        field = self._previous.text("reference")
        field = field if field in kept else "description"
        why = _("where the row's mark goes, by which doubtful rows are found")
        written = [DraftLine(f"reference: {yaml_scalar(field)}", why)]
        if (search := self._previous.text("search")) is not None:
            written += self._kept_lines({"search": search}, depth=0)
        return written

    def _head(self) -> list[DraftLine]:
        advice = _("A draft: each guess has its evidence beside it. Fill in the lines marked with <--, then run check.")
        return [
            DraftLine("# yaml-language-server: $schema=mapping.schema.json"),
            DraftLine(f"# {advice}"),
            DraftLine("version: 1"),
            self._import(),
        ]

    def _import(self) -> DraftLine:
        """Return the import's name: the previous one, since a row under another name is another case."""
        if (kept := self._previous.text("import")) is not None:
            why = _("as in {mapping}: under this name its rows are known", mapping=self._previous.name)
            return DraftLine(f"import: {yaml_scalar(kept)}", why)
        why = _("the permanent name of the import; keep it from one file to the next")
        return DraftLine(f"import: {yaml_scalar(self._name)}", why)

    def _source(self, sheet: str | None) -> list[DraftLine]:
        kept = self._previous.section("source")
        written = [DraftLine("source:")]
        if sheet:
            written.append(DraftLine(f"  sheet: {yaml_scalar(sheet)}", _("as requested")))
            kept.pop("sheet", None)
        why = _("another visible sheet with the same columns, which is not read; to import its rows, too, name it here")
        written += [DraftLine(f"  # sheet: {yaml_scalar(name)}", why) for name in self._alike]
        written += self._kept_lines(kept)
        if "merged" not in kept and self._seen.merged:
            columns = ", ".join(self._seen.merged)
            written.append(DraftLine("  merged: fill", _("merged cells repeat in: {columns}", columns=columns)))
        if "key" not in kept:
            written += self._key(kept)
        if "skip_if" not in kept and (rows := self._seen.footer.rows):
            condition = flow(self._seen.footer.condition())
            numbers = ", ".join(map(str, rows))
            why = ngettext("row {rows}, below the table", "rows {rows}, below the table", len(rows), rows=numbers)
            written.append(DraftLine(f"  skip_if: {condition}", why))
        return written

    def _key(self, kept: Mapping[str, Node]) -> list[DraftLine]:
        """Return the lines of the key: the column with such a header, or one whose cells all differ."""
        candidates = self._seen.candidates
        match = self._matches.get("key")
        if match is None and not candidates:
            expected = _("the column that identifies a row permanently; no column differs in all rows")
            return [blank("  key:", expected)]
        column = match.column if match else candidates[0]
        reasons = [match.evidence] if match else []
        if self._found[column].unique:
            reasons.append(self._uniqueness(self._found[column].rows))
        if others := [other for other in candidates if other != column]:
            reasons.append(_("also in: {columns}", columns=", ".join(others)))
        repeated = self._found[column].repeated
        if repeated:
            reasons.append(ngettext("{count} row repeats a key", "{count} rows repeat a key", repeated))
        written = [DraftLine(f"  key: {yaml_scalar(column)}", "; ".join(reasons))]
        if self._seen.repeats(column) and not {"keep", "group"} & kept.keys():
            written.append(self._repeats(column))
        return written

    @staticmethod
    def _uniqueness(rows: int) -> str:
        if rows > _FEW_ROWS:
            return _("all rows differ")
        return ngettext(
            "all rows differ, but {count} row proves little", "all rows differ, but {count} rows prove little", rows
        )

    def _repeats(self, column: str) -> DraftLine:
        """Return what becomes of the rows with the same key: lines of one case, or older states of it."""
        if self._seen.has_lines:
            why = _(
                "rows with the same key differ in {columns}: lines of one case; its first row gives the other fields",
                columns=", ".join(self._seen.joined or self._seen.varying),
            )
            return DraftLine(f"  group: {yaml_scalar(column)}", why)
        return DraftLine("  keep: last", _("as in an event log: the last row of each key is its latest state"))

    def _target(self) -> list[DraftLine]:
        if kept := self._previous.section("target"):
            return [DraftLine("target:"), *self._kept_lines(kept)]
        return [
            DraftLine("#target:", _("or --server and --operation")),
            DraftLine("#  server: crm0001.wolkvox.com", _("the host in the browser's address bar after login")),
            DraftLine("#  operation: " + _("my_operation")),
        ]

    def _fields(self) -> list[DraftLine]:
        kept = self._previous.section("fields")
        written = [DraftLine("fields:")]
        for name, guess in guess_fields(self._seen, by_hand=self._by_hand).items():
            written += self._kept_field(name, kept.pop(name)) if name in kept else guess
        return [*written, *self._kept_lines(kept)]

    def _kept_field(self, name: str, node: Node) -> list[DraftLine]:
        """Return a previous decision about a field, with a blank for each new text of its column."""
        new = self._unknown_texts(node)
        if not new or not isinstance(node, dict) or not isinstance(values := node["values"], dict):
            return self._kept_lines({name: node})
        rest = {key: inner for key, inner in node.items() if key != "values"}
        unknown = [
            blank(f"      {yaml_scalar(text)}:", _("new: not in {mapping}", mapping=self._previous.name))
            for text in new
        ]
        return [
            DraftLine(f"  {name}:"),
            *self._kept_lines(rest, depth=2),
            DraftLine("    values:"),
            *self._kept_lines(values, depth=3),
            *unknown,
        ]

    def _unknown_texts(self, node: Node) -> list[str]:
        if not isinstance(node, dict) or not isinstance(values := node.get("values"), dict) or "*" in values:
            return []
        profile = self._found.get(self._previous.column(str(node.get("column"))) or "")
        known = {unaccented(text) for text in values}
        return [text for text in profile.counts if unaccented(text) not in known] if profile and profile.few else []

    def _kept_lines(self, nodes: Mapping[str, Node], depth: int = 1) -> list[DraftLine]:
        why = _("as in {mapping}", mapping=self._previous.name)
        return [DraftLine(f"{'  ' * depth}{yaml_scalar(key)}: {flow(node)}", why) for key, node in nodes.items()]

    def _form(self) -> list[DraftLine]:
        kept = self._previous.section("form")
        used = used_columns(self._seen) | {*self._files.columns} | self._previous.columns()
        named = [field for field in self._tenant_fields if field not in kept]
        chosen = nearest_columns(named, list(self._found), used)
        fields = tenant_lines(named, chosen, self._field_keys, lambda column: guess_type(self._found[column]).evidence)
        written = [DraftLine("form:" if kept or chosen else "form: {}"), *self._kept_lines(kept), *fields]
        used |= {*chosen.values()}
        if left := [column for column, profile in self._found.items() if profile.filled and column not in used]:
            heading = _("The module's own fields, by their names in the CRM. Columns that may belong there:")
            written += [DraftLine(f"# {heading}"), *map(self._proposal, left)]
        return written

    def _proposal(self, column: str) -> DraftLine:
        if (match := self._matches.get("key")) and match.column == column:
            return DraftLine(
                f"#  {yaml_scalar(column)}: {flow({'column': column})}", _("the key, so that people see it in the CRM")
            )
        evidence = guess_type(self._found[column]).evidence
        return DraftLine(f"#  {yaml_scalar(column)}: {flow(self._field_keys(column))}", evidence)

    def _field_keys(self, column: str) -> dict[str, Node]:
        """Return what the mapping says of a field of the form with a column's cells."""
        return {**text_keys(column, self._seen), **guess_type(self._found[column]).keys}

    def _attachments(self) -> list[DraftLine]:
        if kept := self._previous.section("attachments"):
            return [DraftLine("attachments:"), *self._kept_lines(kept)]
        transcript = [line for rows in self._rows[:1] for line in rows.lines()]
        others = [
            DraftLine(f"#   {yaml_scalar(rows.table.name)}", _("its rows belong to rows here, too"))
            for rows in self._rows[1:]
        ]
        named = self._named_files()
        return [DraftLine("attachments:"), *named, *transcript, *others] if named or transcript else []

    def _named_files(self) -> list[DraftLine]:
        files = self._files
        if not files.columns:
            return []
        if files.folder is None and not self._by_hand:
            where = DraftLine("  folder: .", _("the page Correct asks for the folder where files are missing"))
        elif files.folder is None:
            where = blank("  folder:", _("the folder with the files, relative to the sheet"))
        else:
            where = DraftLine(f"  folder: {yaml_scalar(files.folder)}", _("the files are there"))
        written = [
            where,
            DraftLine(f"  columns: {flow(list(files.columns))}", _("their cells name files")),
        ]
        if separators := [sign for column in files.columns if (sign := self._found[column].separator)]:
            written.append(DraftLine(f"  separator: {yaml_quoted(separators[0])}", _("between the names in a cell")))
        if files.prefix:
            why = _("the names begin with a folder of another computer")
            written.append(DraftLine(f"  strip_prefix: {yaml_quoted(files.prefix)}", why))
        return written
