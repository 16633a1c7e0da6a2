"""Rows of another table: which belong to a row, in which order, what is said of the others."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_support import HEAD, faults, frame, loaded

from importer.attachments import MadeFiles
from importer.errors import SourceError
from importer.mapping import Converted, Mapper
from importer.model import Cell, CellError, Issue, Typed
from importer.system.sorted_spool import SortedSpool
from importer.text import seen

FIELD = HEAD + (
    'form:\n  X: {template: "{day} {who}: {text}", join: " | ", rows: {file: comments.csv, key: ticket, order: day}}\n'
)


UNKNOWN = CellError("#N/A", "error-cell", "is #N/A", "fix")


@dataclass(frozen=True)
class Comments:
    """A table of comments in one frame."""

    cells: Mapping[str, Sequence[Cell]]
    issues: tuple[Issue, ...] = ()
    header_notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Its headers."""
        return tuple(self.cells)

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return its rows, in two frames."""
        whole = frame(self.cells)
        return [whole.iloc[:2], whole.iloc[2:]]


def comments(*rows: tuple[Cell, ...], issues: tuple[Issue, ...] = ()) -> Comments:
    """Return a table of (ticket, day, who, text) rows."""
    return Comments(dict(zip(("ticket", "day", "who", "text"), zip(*rows, strict=True), strict=True)), issues)


def joined(folder: Path, text: str, table: Comments, **cells: Sequence[Cell]) -> tuple[Mapper, Converted]:
    """Return what a mapping makes of a sheet with the column Id, or other cells, and a table of comments."""
    case = loaded(folder, text)
    sheet = frame(cells or {"Id": ["1", "2", "3"]})
    mapper = case.bind(list(sheet.columns), {}, rows=dict.fromkeys(case.row_tables, table))
    mapper.survey(sheet)
    return mapper, mapper.convert(sheet)


def values(result: tuple[Mapper, Converted]) -> list[object]:
    """Return the values of the field X."""
    return list(result[1].fields["form.X"])


def test_c20_the_rows_of_a_ticket_are_joined_in_their_order(tmp_path: Path) -> None:
    """Rows belong to the row with their key, sorted by date; equal dates stay as in the file, empty ones come last."""
    table = comments(
        ("1", "13/11/2026", "Ana", "tercero"),
        ("2", "01/11/2026", "Eva", "sola"),
        ("1", "", "Luz", "sin fecha"),
        (Typed("1", 1.0), "02/11/2026", "Ana", "primero"),
        (" 1", "02/11/2026", "Ana", "segundo"),
    )
    assert values(joined(tmp_path, FIELD, table)) == [
        "02/11/2026 Ana: primero | 02/11/2026 Ana: segundo | 13/11/2026 Ana: tercero | Luz: sin fecha",
        "01/11/2026 Eva: sola",
        None,
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["10", "9", "8,5"], ["8,5", "9", "10"]),
        (
            ["2026-03-01T23:30:00Z", "2026-03-01 20:00", "2026-03-01 18:00"],
            ["2026-03-01 18:00", "2026-03-01T23:30:00Z", "2026-03-01 20:00"],
        ),
        (["b", "C", "a"], ["a", "b", "C"]),
        (["1/2/2026", "13/1/2026", "2/1/2026"], ["2/1/2026", "13/1/2026", "1/2/2026"]),
        (["99999999999999999999", "5", "-1"], ["-1", "5", "99999999999999999999"]),
    ],
    ids=["numbers", "zone", "texts", "the column proves the order of day and month", "large"],
)  # fmt: skip
def test_c21_rows_are_sorted_by_what_the_column_holds(tmp_path: Path, days: list[str], expected: list[str]) -> None:
    """Dates, numbers and texts each have their order; a moment with a zone is sorted by the clock of the cases."""
    text = FIELD.replace("{key: Id}", "{key: Id, zone: America/Bogota}").replace("{day} {who}: {text}", "{day}")
    table = comments(*(("1", day, "", "") for day in days))
    assert values(joined(tmp_path, text, table))[0] == " | ".join(expected)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (("1", "ayer", "Ana", "x"), "comments.csv, row 4, day: 'ayer' is not a readable date"),
        (("1", UNKNOWN, "Ana", "x"), "comments.csv, row 4, day: is #N/A"),
        (("1", "01/12/2026", UNKNOWN, ""), "comments.csv, row 4, who: is #N/A"),
    ],
)  # fmt: skip
def test_c22_a_faulty_row_is_an_issue_of_its_ticket(tmp_path: Path, bad: tuple[Cell, ...], said: str) -> None:
    """An order that cannot be read, or a cell that could not, is told with file, row, column, once, beside no other."""
    table = comments(("1", "13/11/2026", "", "a"), ("2", "14/11/2026", "", "b"), bad)
    mapper, result = joined(tmp_path, FIELD.replace("join:", "required: true, join:"), table)
    assert [(issue.row, issue.code, issue.message) for issue in result.issues] == [(2, "row-of-table", said)]
    assert list(result.fields["form.X"])[:2] == [None, "14/11/2026 : b"]
    assert mapper.notes == ()
    assert "table" in result.issues[0].click


def test_c22_a_row_with_too_many_cells_is_an_issue_of_its_ticket(tmp_path: Path) -> None:
    """What the reader says of a whole row of that table is told, and how many more rows have a fault."""
    broken = tuple(Issue(row, None, None, "too-many-cells", "has 5 cells", "Correct it") for row in (3, 4))
    table = comments(*((ticket, "13/11/2026", "", "a") for ticket in ("2", "1", "1")), issues=broken)
    result = joined(tmp_path, FIELD, table)[1]
    assert [issue.message for issue in result.issues] == ["comments.csv, row 3: has 5 cells (and 1 more row)"]


def test_c23_rows_that_go_with_no_case_are_counted(tmp_path: Path) -> None:
    """A row whose ticket is not there, one without a ticket, and one that is there twice are listed, once."""
    lost = [("9", "13/11/2026", "", str(number)) for number in range(12)]
    twice = [("1", "13/11/2026", "", "igual")] * 2
    mapper, _result = joined(tmp_path, FIELD, comments(*lost, *twice, ("  ", "13/11/2026", "", "x")))
    numbers = ", ".join(map(str, range(2, 12)))
    assert mapper.notes == (
        "comments.csv: 1 row has an empty ticket and goes with no case: row 16",
        f"comments.csv: 12 rows belong to no row of this sheet and go with no case: rows {numbers}, …",
        "comments.csv: 1 row equals an earlier row of the same case in every cell, and goes along all the same: row 15",
    )


def test_c21_an_order_of_neither_dates_nor_numbers_is_said(tmp_path: Path) -> None:
    """Rows that are sorted by texts have a note."""
    mapper, _result = joined(tmp_path, FIELD, comments(("1", "uno", "", ""), ("1", "dos", "", "")))
    assert "sorted by it as texts" in mapper.notes[0]


def test_c20_rows_can_be_left_out_and_cut(tmp_path: Path) -> None:
    """`skip_if` leaves rows out; `when` is about the source; `truncate` is about the whole text; HTML becomes text."""
    text = HEAD + (
        "form:\n"
        '  X: {type: html, truncate: 11, when: {Id: {not: "2"}}, template: "{text}", rows: {file: c.csv, key: ticket,'
        " skip_if: {who: robot}}}\n"
    )
    rows = [("1", "", "robot", "no"), ("1", "", "Ana", "<b>uno</b> &amp; <i>dos</i>"), ("1", "", "Ana", "tres")]
    assert values(joined(tmp_path, text, comments(*rows, ("2", "", "Ana", "x")))) == ["uno & dos\nt", None, None]


def test_c24_a_text_without_end_is_an_issue(tmp_path: Path) -> None:
    """Rows that would fill the memory are too long for any field, unless `truncate` cuts them."""
    table = comments(*(("1", "", "", "x" * 400_000) for _number in range(4)))
    result = joined(tmp_path, FIELD, table)[1]
    assert [issue.code for issue in result.issues] == ["too-long"]
    assert len(str(values(joined(tmp_path, FIELD.replace("join:", "truncate: 2500, join:"), table))[0])) == 2500


def test_c25_the_rows_of_all_lines_belong_to_a_case(tmp_path: Path) -> None:
    """With `group`, a case has the rows of each of its lines, sorted together."""
    text = FIELD.replace("{key: Id}", "{key: Line, group: Id}").replace("key: ticket,", "key: ticket, match: Line,")
    table = comments(("b", "02/11/2026", "", "2"), ("a", "13/11/2026", "", "3"), ("a", "01/11/2026", "", "1"))
    found = values(joined(tmp_path, text, table, Id=["7", "7"], Line=["a", "b"]))
    assert found[0] == "01/11/2026 : 1 | 02/11/2026 : 2 | 13/11/2026 : 3"


def test_c26_the_content_of_a_row_has_a_digest_of_its_rows(tmp_path: Path) -> None:
    """The digest moves with a cell that is used and with a new row, not with the order of the file or other cells."""
    rows = [("1", "13/11/2026", "Ana", "a"), ("1", "14/11/2026", "Eva", "b"), ("2", "14/11/2026", "Eva", "b")]

    def digests(*table: tuple[Cell, ...]) -> list[object]:
        mapper, _result = joined(tmp_path, FIELD.replace(" {who}", ""), comments(*table))
        name = mapper.content_columns(mapper.columns)[-1]
        assert name.startswith("form.X [rows: day | text; ")
        return list(mapper.content(frame({"Id": ["1", "2", "3"]}))[name])

    before = digests(*rows)
    assert before[2] == ""
    assert digests(*reversed(rows)) == before
    assert digests(*((ticket, day, "otra", text) for ticket, day, _who, text in rows)) == before
    assert digests(*rows, ("2", "15/11/2026", "", "c"))[0] == before[0]
    assert digests(*rows, ("2", "15/11/2026", "", "c"))[1] != before[1]
    assert digests(rows[0], ("1", "14/11/2026", "Eva", "B"), rows[2])[0] != before[0]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("123"), st.integers(-3, 3), st.text("ab|", max_size=3)), min_size=1))
def test_c20_joining_is_a_stable_sort_of_the_rows_of_each_key(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, str]]
) -> None:
    """Whatever the rows are, a field has exactly those of its key, in the order of a stable sort."""
    text = FIELD.replace("{day} {who}: {text}", "{day}/{text}")
    table = comments(*((ticket, str(day), "", said) for ticket, day, said in rows))
    expected = [
        " | ".join(f"{day}/{said}" for own, day, said in sorted(rows, key=lambda row: row[1]) if own == ticket) or None
        for ticket in "123"
    ]
    assert values(joined(tmp_path_factory.getbasetemp(), text, table)) == expected


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("{rows: {file: c.csv, key: k}}", "rows needs a template"),
        ('{template: "{a}", rows: {file: c.csv}}', "key is missing"),
        ('{template: "{a}", rows: {key: k}}', "file is missing"),
        ('{template: "{a}", take: last, rows: {file: c.csv, key: k}}', "take"),
        ('{template: "{a}", type: date, rows: {file: c.csv, key: k}}', "type text or html"),
        ('{template: "{a}", values: {a: b}, rows: {file: c.csv, key: k}}', "values has no effect"),
        ('{template: "{a", rows: {file: c.csv, key: k}}', "unclosed brace"),
        ('{template: "{a}", rows: {file: c.csv, key: k, otder: a}}', "unknown key"),
    ],
)
def test_c27_what_is_wrong_with_rows_is_told_at_its_place(tmp_path: Path, field: str, fault: str) -> None:
    """Keys that are missing, exclude each other or are misspelt are faults of the mapping."""
    assert any(fault in each for each in faults(tmp_path, f"{HEAD}form:\n  X: {field}\n"))


@pytest.mark.parametrize(
    ("transcript", "fault"),
    [
        ('{template: "{a}", rows: {file: c.csv, key: k}}', "name is missing"),
        ('{name: a.pdf, template: "{a}", rows: {file: c.csv, key: k}}', "ends with .txt or .html"),
        ('{name: "{a.txt", template: "{a}", rows: {file: c.csv, key: k}}', "unclosed brace"),
        ('{name: a.txt, template: "{a", rows: {file: c.csv, key: k}}', "unclosed brace"),
        ("{name: a.txt, rows: {file: c.csv, key: k}}", "rows needs a template"),
        ('{name: a.txt, template: "{a}"}', "rows is missing"),
        ('{name: a.txt, template: "{a}", read: epoch, rows: {file: c.csv, key: k}}', "zone"),
        ('{name: a.txt, template: "{a}", rows: {sheet: k}}', "key is missing"),
    ],
)
def test_c27_what_is_wrong_with_a_transcript_is_told_at_its_place(tmp_path: Path, transcript: str, fault: str) -> None:
    """A transcript needs a name that says what it is, a template and its rows; it needs no folder."""
    found = faults(tmp_path, f"{HEAD}attachments:\n  transcript: {transcript}\n")
    assert [fault in each for each in found] == [True]


def test_c27_a_column_that_the_other_table_lacks_is_a_fault(tmp_path: Path) -> None:
    """Every column of the other table is looked for there, and in the source the one that is compared."""
    text = HEAD + 'form:\n  X: {template: "{Texto} {día}", rows: {file: c.csv, key: tiket, order: dya, match: Id2}}\n'
    with pytest.raises(Exception, match="tiket") as raised:
        joined(tmp_path, text, comments(("1", "", "", "")))
    said = str(raised.value)
    assert all(name in said for name in ("Id2", "tiket", "dya", "Texto", "c.csv"))


@pytest.mark.parametrize("hostile", ["\ud800", "a\x00b", "k" * 100_000, "{day}", "'; DROP TABLE row; --", "\u202eabc"])
def test_c20_any_text_can_be_a_key_and_a_comment(tmp_path: Path, hostile: str) -> None:
    """Whatever characters a cell has, its row is found by them, and says them."""
    text = FIELD.replace("{day} {who}: {text}", "{who}")
    table = comments((hostile, "", hostile, ""), ("other", "", "no", ""))
    mapper, result = joined(tmp_path, text, table, Id=[hostile])
    assert str(result.fields["form.X"][2]) in {hostile, seen(hostile)}
    assert mapper.content(frame({"Id": [hostile]})).iloc[0, -1].startswith("rows-1:1:")


def test_c24_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the temporary file cannot be written, an error says what to do; so it does for a file that is made."""
    spool = SortedSpool([])
    spool._file.execute("PRAGMA max_page_count = 5")
    with pytest.raises(SourceError, match=r"temporary file: .*full"):
        spool.ask(bytes([number]) * 2000 for number in range(100))
    made = MadeFiles()

    def no_space(_data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(made, "_file", SimpleNamespace(seek=lambda _at: 0, write=no_space))
    with pytest.raises(SourceError, match="No space left"):
        made.add("a.txt", ["x"], 10)
