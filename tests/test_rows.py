"""Rows of another table, end to end: comments that become fields and transcripts, reports given back, corrections."""

from __future__ import annotations

import csv
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

from importer.attachments import MadeFiles, TooLarge, encoded_length
from importer.workflow.corrections import Correction, add_corrections

COMMENTS = [
    ("ticket_id", "created_at", "author", "body"),
    ("1", "13/11/2026 10:00", "Ana", "Segundo: ñandú <b>"),
    ("1", "02/11/2026 09:30", "Luis", "Primero"),
    ("2", "05/11/2026 00:00", "Eva", "Única"),
]
ROWS = "rows: {file: comments.csv, key: ticket_id, order: created_at}"
FIELD = f'  Historial: {{template: "{{created_at:DD/MM/YYYY HH:mm}} {{author}}: {{body}}", join: " | ", {ROWS}}}\n'
TRANSCRIPT = (
    "attachments:\n  names_in: description\n  transcript:\n    name: historial {Ticket}.txt\n"
    f'    template: "{{created_at:DD/MM/YYYY HH:mm}} {{author}}\\n{{body}}"\n    {ROWS}\n'
)
TEXTS = {
    "1": "02/11/2026 09:30 Luis\nPrimero\n\n13/11/2026 10:00 Ana\nSegundo: ñandú <b>\n",
    "2": "05/11/2026 00:00 Eva\nÚnica\n",
}


def comment(office: Office, rows: Sequence[Sequence[str]] = COMMENTS, encoding: str = "cp1252") -> None:
    """Write the table of comments."""
    with (office.folder / "comments.csv").open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=";").writerows(rows)


@pytest.fixture
def desk(office: Office) -> Office:
    """Provide an office with three tickets and their comments, which become a field and a transcript."""
    office.write(ticket(number) for number in (1, 2, 3))
    office.mapping.write_text(MAPPING.replace("reference:", f"{FIELD}{TRANSCRIPT}reference:"), "utf-8")
    comment(office)
    return office


def run(give: Give, office: Office, *more: str, source: Path | None = None) -> Result:
    """Run the sheet, or another source, with a report that is quickly written unless `more` names another."""
    report = [] if "--report" in more else ["--report", str(office.folder / "r.csv")]
    words = office.arguments("run", "--yes", "--json", *report, *more)
    return give([words[0], str(source or office.source), *words[2:]])


def sent(office: Office) -> dict[str, tuple[str | None, list[str]]]:
    """Return what the CRM has, by ticket: the history and the transcripts."""
    cases = {case.body["contact"].removeprefix("cliente")[0]: case for case in office.sandbox.store.cases}
    return {
        number: (case.body["form"].get("Historial"), [file.decode() for file in case.attachments])
        for number, case in cases.items()
    }


WHOLE = {
    "1": ("02/11/2026 09:30 Luis: Primero | 13/11/2026 10:00 Ana: Segundo: ñandú <b>", [TEXTS["1"]]),
    "2": ("05/11/2026 00:00 Eva: Única", [TEXTS["2"]]),
    "3": (None, []),
}


def test_c20_c28_comments_become_a_field_and_a_transcript(give: Give, desk: Office) -> None:
    """Each case has its comments in order, in any encoding; one without comments has neither field nor transcript."""
    result = run(give, desk)
    assert (result.status, sent(desk)) == (0, WHOLE), result
    descriptions = [case.body["description"].splitlines()[-1] for case in desk.sandbox.store.cases]
    assert sorted(descriptions)[:2] == ["1. historial 1.txt", "1. historial 2.txt"]
    again = run(give, desk)
    assert (again.status, again.json["counts"]["changed"]) == (0, 0)


def test_c26_a_new_comment_changes_its_case_alone(give: Give, desk: Office) -> None:
    """A comment more makes its case changed, and says where; another order of the file or another mapping does not."""
    assert run(give, desk).status == 0
    comment(desk, [COMMENTS[0], *COMMENTS[:0:-1]], "utf-8")
    assert run(give, desk).json["counts"]["changed"] == 0
    plain = desk.mapping.read_text("utf-8")
    for other in (
        MAPPING,
        plain.replace("{author}: ", ""),
        plain.replace("order: created_at", "skip_if: {author: Ana}"),
    ):
        desk.mapping.write_text(other, "utf-8")
        assert run(give, desk).json["counts"]["changed"] == 0
    desk.mapping.write_text(plain, "utf-8")
    comment(desk, [*COMMENTS, ("2", "06/11/2026 00:00", "Eva", "más")])
    result = run(give, desk)
    assert (result.status, result.json["counts"]["changed"], result.json["counts"]["created"]) == (1, 1, 3)


def test_c26_comments_that_come_into_a_mapping_later_change_nothing(give: Give, desk: Office) -> None:
    """Cases that were created without `rows` stay as they are when the mapping gets some."""
    plain = desk.mapping.read_text("utf-8")
    desk.mapping.write_text(MAPPING, "utf-8")
    assert run(give, desk).status == 0
    desk.mapping.write_text(plain, "utf-8")
    assert run(give, desk).json["counts"]["changed"] == 0


def test_c26_files_that_come_beside_a_transcript_later_change_nothing(give: Give, desk: Office) -> None:
    """Cases that were created with a transcript alone stay as they are when the mapping gets a folder of files."""
    assert run(give, desk).status == 0
    (desk.folder / "1.pdf").write_bytes(b"pdf")
    text = desk.mapping.read_text("utf-8").replace(
        "attachments:\n", "attachments:\n  folder: .\n  patterns: '{Ticket}.pdf'\n"
    )
    desk.mapping.write_text(text, "utf-8")
    result = run(give, desk)
    assert (result.status, result.json["counts"]["changed"]) == (0, 0), result


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_c22_a_faulty_comment_holds_its_ticket_and_the_report_comes_back(give: Give, desk: Office, suffix: str) -> None:
    """The issue names file, row, column and value; once the comment is right, the report sends the ticket whole."""
    comment(desk, [*COMMENTS, ("2", "ayer", "Eva", "tarde")])
    report = desk.folder / f"tickets.report{suffix}"
    first = run(give, desk, "--report", str(report))
    assert first.status == 1
    issues = give(desk.arguments("check", "--json")).json["issues"]
    assert {(issue["row"], issue["code"]) for issue in issues} == {(3, "row-of-table")}
    assert all("comments.csv, row 5, created_at: 'ayer'" in issue["message"] for issue in issues)
    assert set(sent(desk)) == {"1", "3"}
    comment(desk)
    assert run(give, desk, "--report", str(desk.folder / "otro.csv"), source=report).status == 0
    assert sent(desk) == WHOLE


def workbook(office: Office) -> Path:
    """Write tickets and comments as two sheets of one workbook, and a mapping for it; return its path."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    tickets = book.create_sheet("Tickets")
    tickets.append(HEADER)
    for number in (1, 2, 3):
        tickets.append(list((ticket(number) | {"Ticket": number, "Correo": f"cliente{number}@x.example"}).values()))
    comments = book.create_sheet("Comentarios")
    for row in COMMENTS:
        comments.append([int(cell) if cell.isdigit() else cell for cell in row])
    path = office.folder / "libro.xlsx"
    book.save(path)
    text = MAPPING.replace("reference:", f"{FIELD}{TRANSCRIPT}reference:").replace(
        "file: comments.csv", "sheet: Comentarios"
    )
    office.mapping.write_text(text, "utf-8")
    return path


def test_c29_comments_on_another_sheet_are_found_from_the_report_too(give: Give, office: Office) -> None:
    """Another sheet of the source is a table as well; the report of the source leads back to it."""
    path = workbook(office)
    report = path.with_name("libro.report.xlsx")
    assert run(give, office, "--limit", "1", "--report", str(report), source=path).status == 3
    assert run(give, office, source=report).status == 0
    assert sent(office) == WHOLE


def test_c25_c28_lines_of_a_case_share_comments_and_transcript(give: Give, desk: Office) -> None:
    """A group has one history and one transcript, of the comments of all its lines; the lines are parts."""
    desk.write([ticket(1), ticket(2, Correo="cliente1@x.example", Asunto="Asunto 1"), ticket(3)])
    text = desk.mapping.read_text("utf-8").replace("key: Ticket\n", "key: Ticket\n  group: Asunto\n")
    desk.mapping.write_text(text.replace("historial {Ticket}", "historial"), "utf-8")
    result = run(give, desk)
    assert (result.status, result.json["counts"]["part"]) == (0, 1), result
    history, transcripts = sent(desk)["1"]
    assert history is not None
    assert [part.split()[0] for part in history.split(" | ")] == ["02/11/2026", "05/11/2026", "13/11/2026"]
    assert [text.count("\n\n") for text in transcripts] == [2]


def test_c29_a_corrected_key_has_its_comments(give: Give, desk: Office) -> None:
    """Comments belong to the key as it is corrected."""
    desk.write([ticket("I", Correo="cliente1@x.example"), ticket(2), ticket(3)])
    add_corrections(desk.source, [Correction("", "I", "Ticket", "I", "1")])
    assert run(give, desk).status == 0
    assert sent(desk) == WHOLE


def test_c24_a_field_that_is_too_long_says_how_to_cut_it(give: Give, desk: Office) -> None:
    """Comments of more than 2,500 characters are an issue of their ticket, with what to add to the mapping."""
    comment(desk, [*COMMENTS, ("2", "06/11/2026 00:00", "Eva", "x" * 3000)])
    [issue] = give(desk.arguments("check", "--json")).json["issues"]
    assert (issue["row"], issue["column"], issue["code"]) == (3, "form.Historial", "too-long")
    assert "form.Historial is 3052 characters long, but the maximum is 2500" in issue["message"]
    assert "truncate: 2500" in issue["remedy"]


def test_c28_a_page_is_escaped_and_a_transcript_has_a_limit(give: Give, desk: Office) -> None:
    """A transcript may be a page, in which a comment is only text; one that is too large is an issue of its row."""
    text = desk.mapping.read_text("utf-8").replace(".txt", ".html")
    desk.mapping.write_text(text, "utf-8")
    assert run(give, desk, "--limit", "1").status == 3
    page = sent(desk)["1"][1][0]
    assert "<h1>historial 1</h1>" in page
    assert "<h2>13/11/2026 10:00 Ana</h2>Segundo: ñandú &lt;b&gt;</article>" in page
    desk.mapping.write_text(text.replace("  names_in", "  max_size: 1B\n  names_in"), "utf-8")
    issues = give(desk.arguments("check", "--json")).json["issues"]
    assert {(issue["row"], issue["code"]) for issue in issues} == {
        (2, "attachment-transcript"),
        (3, "attachment-transcript"),
    }


def test_c28_a_transcript_is_told_before_it_is_sent(give: Give, desk: Office) -> None:
    """Preview and forecast know the transcripts and their sizes; the report counts them."""
    size = len(TEXTS["1"].encode())
    assert f'"historial 1.txt ({size} bytes, base64)"' in give(desk.arguments("preview", "--row", "2")).out
    assert run(give, desk, "--report", str(desk.report)).status == 0
    cells = (
        str(cell.value) for sheet in openpyxl.load_workbook(desk.report) for row in sheet.iter_rows() for cell in row
    )
    assert any("Attachments: 2 of 2 sent." in text for text in cells)


def test_c28_what_is_made_is_kept_until_it_is_sent() -> None:
    """Each made file is read from its own place, as often as needed; one that is too large leaves nothing behind."""
    made = MadeFiles()
    first = made.add("a.txt", ["ñ", "b" * 1000], 2000)
    with pytest.raises(TooLarge):
        made.add("x.txt", iter(["x" * 1500, "x" * 1500]), 2000)
    second = made.add("b.txt", ["c"], 2000)
    for file, content in ((second, "c"), (first, "ñ" + "b" * 1000), (second, "c")):
        encoded = b"".join(made.encode(file, block=10))
        assert b64decode(encoded).decode() == content
        assert len(encoded) == encoded_length(file.size)


def test_c29_the_other_table_says_what_the_source_would(give: Give, desk: Office) -> None:
    """A header that appears twice is told; lines of too many and of too few cells have each their own remedy."""
    words = desk.arguments("check")
    comment(desk, [(*COMMENTS[0], "body"), *((*line, "x") for line in COMMENTS[1:])])
    assert "comments.csv: The header “body” appears twice; the one in column E is called" in give(words).out
    lines = [("1", "", "Ana", "a", "x"), ("2", "", "Eva", "b"), ("3", "", "Luz"), ("1", "", "Luz", "c", "x")]
    comment(desk, [COMMENTS[0], *lines, ("2", "06/11/2026")])
    result = give(words)
    fixes = result.out.partition("Fixes that resolve several rows:\n")[2]
    assert (result.status, "None" in result.out) == (1, False)
    assert "rows 3, 4 are alike). Put the cell that contains the line break in quotation marks" in fixes
    assert "2, 3" not in fixes
