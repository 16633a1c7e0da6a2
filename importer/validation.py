"""Check a source's fields against their rules, all rows at once; every failure is an issue of one row and column.

The rules become a pandera schema over a frame of texts. Rules over more than one column (keys, closed statuses) are
computed beforehand as columns of their own, so that pandera names the row and the code, and the issue is in the column
that a person would correct.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import pandas as pd
import pandera.pandas as pa

from importer import text
from importer.messages import _, ngettext, shorten
from importer.model import FieldRule, Issue

_REFERENCE_LINE = len("[WCI-XXXXXXXXXXXXXXXX]\n")
_KEY_MISSING, _KEY_REPEATED, _SOLUTION_MISSING = "key-missing", "key-repeated", "solution-missing"
_FOR_EMPTY_CELLS = frozenset({"required", _KEY_MISSING, _SOLUTION_MISSING})
"""Codes that are not repeated for a cell that failed conversion already."""

_MOST_ROWS_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one call: frames and series with the same index, as `Validator.validate` describes them."""

    fields: pd.DataFrame
    source: pd.DataFrame
    keys: pd.Series[str]
    repeated: Mapping[str, tuple[int, ...]]
    speakers: Mapping[tuple[int, str], tuple[int, str]]

    def line(self, row: int, path: str, column: str) -> tuple[int, str]:
        """Return the row whose cell a field has its value from, and that cell's text."""
        return self.speakers.get((row, path)) or (row, self.cell(row, column))

    def cell(self, row: int, column: str) -> str:
        """Return the cell's text as written, "" where the source has no such column."""
        return str(self.source.loc[row, column]) if column in self.source.columns else ""


class Validator:
    """The rules of one mapping, ready for any number of frames.

    `key_columns` are the source columns that identify a row; none where rows are identified by their content.
    """

    def __init__(self, rules: Sequence[FieldRule], key_columns: Sequence[str]) -> None:
        self._rules = {rule.path: rule for rule in rules}
        self._key_columns = tuple(key_columns)
        # A column costs pandera a millisecond for each batch of rows, whether or not anything can be wrong with it.
        of_rules = {rule.path: _schema_column(rule) for rule in rules}
        columns = {path: column for path, column in of_rules.items() if column.checks or not column.nullable}
        for code in (_KEY_MISSING, _KEY_REPEATED, _SOLUTION_MISSING):
            columns[code] = pa.Column(None, pa.Check.isin([False], error=code), required=False)
        self._schema = pa.DataFrameSchema(columns)

    def validate(  # noqa: PLR0913, PLR0917 - everything that a row is judged by
        self,
        fields: pd.DataFrame,
        source: pd.DataFrame,
        keys: pd.Series[str],
        repeated: Mapping[str, tuple[int, ...]],
        failed: Collection[tuple[int, str]] = (),
        speakers: Mapping[tuple[int, str], tuple[int, str]] | None = None,
    ) -> tuple[Issue, ...]:
        """Return every fault of every row, by row, then in the order of the source's columns, then by code.

        All frames have the same index, Excel's row numbers. `fields` has a column for each path of the mapping, `None`
        where it is left out; `source` has the cells, which issues quote. `keys` has each row's key digest, "" where
        the key is blank, and `repeated` all rows of each digest that more than one row has, including rows outside
        these frames. `failed` are cells (row, source column) with an issue already: their fields, and those of
        templates that use them, are not reported as empty, too. `speakers` has, by row and path, the row and the text
        of the cell that a field was taken from, where that is a further line of the case: a fault of it is told there.
        """
        rows = _Rows(fields, source, keys, repeated, speakers or {})
        failed_rows = {row for row, _column in failed}
        issues: dict[tuple[int, str, str], Issue] = {}
        for path, code, row in self._failures(self._checked_frame(rows)):
            issue = self._issue(rows, path, code, row)
            column = issue.column or path
            reported = row in failed_rows and ((row, column) in failed or bool(issue.value))
            if not (reported and code in _FOR_EMPTY_CELLS):
                issues.setdefault((row, column, code), issue)
        order = {column: number for number, column in enumerate(source.columns)}
        return tuple(issues[key] for key in sorted(issues, key=lambda key: (key[0], order.get(key[1], -1), *key[1:])))

    def _checked_frame(self, rows: _Rows) -> pd.DataFrame:
        """Return the frame for the schema: texts, and the rules over several columns as booleans."""
        checked = pd.DataFrame(index=rows.fields.index)
        for path, rule in self._rules.items():
            if path in rows.fields.columns:
                checked[path] = _texts(rows.fields[path], rule.allowed)
        if self._key_columns:
            checked[_KEY_MISSING] = rows.keys == ""
            checked[_KEY_REPEATED] = rows.keys.map(rows.repeated.__contains__).astype(bool)
        status = self._rules.get("status")
        if status and status.closed and "status" in checked.columns:
            closed = checked["status"].isin(status.closed)
            checked[_SOLUTION_MISSING] = (
                closed & checked["solution"].isna() if "solution" in checked.columns else closed
            )
        return checked

    def _failures(self, checked: pd.DataFrame) -> Iterator[tuple[str, str, int]]:
        """Yield path, code and row of every failure."""
        try:
            self._schema.validate(checked, lazy=True)
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases
            for path, check, row in zip(cases["column"], cases["check"], cases["index"], strict=True):
                yield str(path), "required" if check == "not_nullable" else str(check), int(row)

    def _issue(self, rows: _Rows, path: str, code: str, row: int) -> Issue:
        """Return the issue of one failure."""
        if code == _KEY_MISSING:
            return self._key_missing(rows, row)
        if code == _KEY_REPEATED:
            return self._key_repeated(rows, row)
        if code == _SOLUTION_MISSING:
            return self._solution_missing(rows, row)
        rule = self._rules[path]
        column = rule.column or path
        value = rows.fields.loc[row, path]
        line, text = rows.line(row, path, column)
        cell = text or ("" if value is None else str(value))
        message, remedy = _wording(rule, code, column, cell, value)
        return Issue(line, column, cell, code, message, remedy)

    def _key_missing(self, rows: _Rows, row: int) -> Issue:
        blank = [column for column in self._key_columns if not rows.cell(row, column).strip()] or self._key_columns
        message = _("{columns} is empty, but the row cannot be identified without it", columns=", ".join(blank))
        return Issue(row, blank[0], "", _KEY_MISSING, message, _("Fill in {column}", column=blank[0]))

    def _key_repeated(self, rows: _Rows, row: int) -> Issue:
        key = ", ".join(f"{column} '{rows.cell(row, column)}'" for column in self._key_columns)
        others = rows.repeated[str(rows.keys.loc[row])]
        named = [str(other) for other in islice((other for other in others if other != row), _MOST_ROWS_NAMED)]
        listed = ", ".join(named) if len(others) - 1 <= _MOST_ROWS_NAMED else ", ".join([*named, "…"])
        message = ngettext(
            "{key} is also in row {rows}, but each row is one case",
            "{key} is also in rows {rows}, but each row is one case",
            len(others) - 1,
            key=shorten(key),
            rows=listed,
        )
        column = self._key_columns[0]
        remedy = _("Delete the duplicate rows, or give each row its own {column}", column=column)
        return Issue(row, column, rows.cell(row, column), _KEY_REPEATED, message, remedy)

    def _solution_missing(self, rows: _Rows, row: int) -> Issue:
        status = self._rules["status"]
        name, value = status.column or "status", rows.fields.loc[row, "status"]
        line, text = rows.line(row, "status", name)
        closed = {"status": name, "value": shorten(text or str(value))}
        solution = self._rules.get("solution")
        if solution is None:
            message = _("{status} '{value}' is a closed status, but the mapping has no solution", **closed)
            remedy = _(
                "Add to `fields` in the mapping the column with the solution, `solution: {{column: …}}`, or one text"
                " for the closed rows, `{line}`; or change {status}",
                line=_constant_solution(status, text.strip()),
                status=name,
            )
            return Issue(line, name, text, _SOLUTION_MISSING, message, remedy)
        column = solution.column or "solution"
        message = _("{column} is empty, but {status} '{value}' is a closed status", column=column, **closed)
        remedy = _("Fill in {column} or change {status}", column=column, status=name)
        return Issue(row, column, rows.cell(row, column), _SOLUTION_MISSING, message, remedy)


def _constant_solution(status: FieldRule, cell: str) -> str:
    """Return the line of the mapping that gives closed rows one text as solution, and no other row."""
    solution = text.as_yaml(_("Closed in the old system"))
    if status.column is None:
        return f"solution: {solution}"
    closed = [*map(text.as_yaml, status.closed_texts or status.closed)]
    if cell and text.unaccented(cell) not in map(text.unaccented, status.closed_texts or status.closed):
        closed += [text.as_yaml(cell), "…"]  # another table, or the entry for all other texts, makes it closed
    return f"solution: {{value: {solution}, when: {{{text.as_yaml(status.column)}: [{', '.join(closed)}]}}}}"


def _schema_column(rule: FieldRule) -> pa.Column:
    """Return the pandera column for a field's rule; the errors of its checks are the codes of issues."""
    checks = []
    if rule.allowed is not None:
        checks.append(pa.Check.isin(rule.allowed, error="not-allowed"))
    if rule.kind == "email":
        checks.append(pa.Check(lambda texts: texts.map(text.is_address), error="bad-email"))
    if rule.pattern is not None:
        checks.append(_matches(rule.pattern, "bad-pattern"))
    if rule.max_length is not None:
        checks.append(pa.Check.str_length(max_value=_max_length(rule), error="too-long"))
    if rule.min_length is not None:
        checks.append(pa.Check.str_length(min_value=rule.min_length, error="too-short"))
    return pa.Column(None, checks, nullable=not rule.required, required=False)


def _matches(pattern: str, code: str) -> pa.Check:
    """Return a check that the whole text matches."""
    compiled = re.compile(pattern)
    return pa.Check(lambda texts: texts.map(lambda text: compiled.fullmatch(text) is not None), error=code)


def _max_length(rule: FieldRule) -> int:
    """Return how many characters a field's own text may have; the reference's line takes some of them."""
    return max(0, (rule.max_length or 0) - (_REFERENCE_LINE if rule.carries_reference else 0))


def _texts(values: pd.Series, allowed: Sequence[str] | None) -> pd.Series:
    """Return the field's values as texts, None where there is nothing to check."""
    if pd.api.types.infer_dtype(values, skipna=True) in {"string", "empty"}:
        return values
    return pd.Series([_text(value, allowed) for value in values], index=values.index, dtype=object)


def _text(value: object, allowed: Sequence[str] | None) -> str | None:
    """Return a value's text; for a list, an item that is not allowed or else the first; for an object, its value."""
    if isinstance(value, list):
        items = [str(item) for item in value]
        return next(
            (item for item in items if allowed is not None and item not in allowed), items[0] if items else None
        )
    if isinstance(value, dict):
        return _text(value.get("value", ""), allowed)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _wording(rule: FieldRule, code: str, column: str, cell: str, value: object) -> tuple[str, str]:
    """Return the message and the remedy for a value that breaks its field's rule."""
    shown = shorten(cell if code == "required" else text.named(cell))
    named = {"column": column, "value": shown, "field": rule.path}
    if code == "required" and cell.strip():
        return (
            _("{field} is required, but {column} '{value}' gives it no value", **named),
            _("Correct {column}, or {field} in the mapping", **named),
        )
    if code == "required":
        return (
            _("{column} is empty, but {field} is required", **named),
            _("Fill in {column}, or add to {field} in the mapping: `default: …`", **named),
        )
    if code == "not-allowed":
        return (
            _(
                "{column} '{value}' is not one of {allowed}",
                allowed=shorten(", ".join(rule.allowed or ()), 200),
                **named,
            ),
            _not_allowed_remedy(rule, cell, named),
        )
    if code == "bad-email":
        return (
            _("{column} '{value}' is not an e-mail address", **named),
            _("Write one address, such as name@company.com"),
        )
    if code == "bad-pattern":
        return (
            _("{column} '{value}' does not match the pattern {pattern}", pattern=rule.pattern, **named),
            _("Correct {column}, or `pattern` of {field} in the mapping", **named),
        )
    return _wording_of_length(rule, code, named, len(_text(value, None) or ""))


@lru_cache(maxsize=256)
def _likeliest(cell: str, allowed: tuple[str, ...]) -> str | None:
    """Return the allowed value that a cell most likely means, None if none is like it."""
    return next(iter(text.nearest(cell, allowed, 1)), None)


def _not_allowed_remedy(rule: FieldRule, cell: str, named: Mapping[str, str]) -> str:
    """Return what to write for a value that is not allowed: one that is, or which of them the cell means."""
    if rule.column is None:
        return _("Write one of them into {field} in the mapping", **named)
    near = _likeliest(cell, rule.allowed or ())
    line = f"{text.as_yaml(cell.strip())}: {text.as_yaml(near) if near else '…'}"
    return _("Write one of them, or add to `values` of {field} in the mapping: `{line}`", line=line, **named)


def _wording_of_length(rule: FieldRule, code: str, named: Mapping[str, str], length: int) -> tuple[str, str]:
    """Return the message and the remedy for a text that is too short or too long."""
    named = {**named, "length": str(length)}
    if code == "too-short":
        return (
            _(
                "{column} makes {field} {length} characters long, but the minimum is {limit}",
                limit=rule.min_length,
                **named,
            ),
            _("Write more in {column}, or change {field} in the mapping: `min_length: {length}`", **named),
        )
    if rule.column is None:  # such as the rows of another table
        return (
            _("{field} is {length} characters long, but the maximum is {limit}", limit=_max_length(rule), **named),
            _("Shorten it, or add to {field} in the mapping: `truncate: {limit}`", limit=_max_length(rule), **named),
        )
    excess = length - _max_length(rule)
    return (
        _(
            "{column} makes {field} {length} characters long, but the maximum is {limit}",
            limit=_max_length(rule),
            **named,
        ),
        ngettext("Shorten {column} by {count} character", "Shorten {column} by {count} characters", excess, **named),
    )
