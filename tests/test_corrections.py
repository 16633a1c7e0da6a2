"""Corrections as data: in a file beside the source, which every command applies; no file of the user's is changed."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from run_support import HEADER, Give, Office, ticket

from importer import (
    CellEdit,
    Connection,
    CorrectionOutcome,
    EventInterface,
    Job,
    SourceError,
    UsageError,
    check,
    corrected_copy,
    edits_of,
    history,
    load_job,
    open_corrections,
    preview,
    rebuild_report,
    run,
)
from importer.identity import Scope
from importer.model import Corrected
from importer.pipeline import make_plan
from importer.system.spool import Spool
from importer.workflow.corrections import (
    Correction,
    add_corrections,
    corrections_path,
    key_text,
    load_corrections,
    remove_act,
)
from importer.workflow.job import LoadedJob
from importer.workflow.keys.history import ImportHistory
from importer.workflow.planning.plan import Plan


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with a valid row, and three that say `En curso` where the CRM knows no such status."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1), *(ticket(number, Estado="En curso") for number in (2, 3, 4))])
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, first_run=True)


def planned(job: Job) -> Plan:
    """Return the plan of a job: without a journal, which has nothing before the first run, in a third of the time."""
    if job.journal_path.exists():
        return check(load_job(job))
    return make_plan(load_job(job), Scope("", "demo", "office"), ImportHistory())


def cells(job: Job, column: str) -> list[str]:
    """Return what a column reads as."""
    return [str(cell) for frame, _batch in planned(job).cells() for cell in frame[column]]


def first_key(job: Job) -> tuple[str, int]:
    """Return the first row's key, and how many rows would be sent."""
    plan = planned(job)
    return str(next(iter(plan.frames))["Ticket"].iloc[0]), plan.counts().planned


def send(job: Job, report: str = "report.csv") -> int:
    """Run a job, with a report that is written in no time; return how many cases it created."""
    job = replace(job, report=job.source.with_name(report))
    return run(load_job(job), EventInterface(agrees=True)).counts.created_now


# ------------------------------------------------------------------------------------------------ in the commands


def test_one_cell_is_corrected_by_the_key_of_its_row(job: Job, office: Office) -> None:
    """The corrected cell is what every command sees, and the sheet stays as it is, byte for byte."""
    before = office.source.read_bytes()
    made = open_corrections(load_job(job)).correct(3, "Estado", "Abierto")
    assert (made.key, made.before, made.to, made.line) == ("2", "En curso", "Abierto", 2)
    assert [row.status for row in planned(job)] == ["planned", "planned", "invalid", "invalid"]
    assert cells(job, "Estado") == ["Abierto", "Abierto", "En curso", "En curso"]
    assert next(iter(preview(load_job(job), 3))).body["status"] == "Abierto"
    assert office.source.read_bytes() == before
    office.write([ticket(9), *(ticket(number, Estado="En curso") for number in (4, 3, 2))])
    assert cells(job, "Estado") == ["Abierto", "En curso", "En curso", "Abierto"]


def test_all_equal_cells_are_corrected_by_one_line_and_undone_at_once(job: Job) -> None:
    """It is one line in the file and one act, which `undo` takes back; a correction of one cell outlives it."""
    corrections = open_corrections(load_job(job))
    act = corrections.correct_equal("Estado", "En curso", "Abierto").act
    corrections.correct(4, "Estado", "Cerrado")
    assert cells(job, "Estado") == ["Abierto", "Abierto", "Cerrado", "Abierto"]
    listed = corrections.listed()
    assert (listed.cells, listed.rows, [state.cells for state in listed.applied]) == (3, 3, [2, 1])
    assert len(corrections.path.read_bytes().splitlines()) == 3
    assert corrections.undo(act) == 1
    assert cells(job, "Estado") == ["Abierto", "En curso", "Cerrado", "En curso"]
    assert corrections.undo(act) == 0


def test_an_empty_cell_is_corrected_in_its_own_row_alone(job: Job, office: Office) -> None:
    """No correction is of every empty cell: it is refused, and one that a file has is set aside and told."""
    office.write([ticket(1), ticket(2, Detalle=""), ticket(3, Detalle=" ")])
    corrections = open_corrections(load_job(job))
    for empty in ("", "  "):
        with pytest.raises(UsageError, match="row by row"):
            corrections.correct_equal("Detalle", empty, "x")
    add_corrections(office.source, [Correction("", "*", "Detalle", "", "x")])
    assert [one.reason for one in planned(job).corrections.set_aside] == [
        "an empty cell is corrected in its own row alone"
    ]
    assert [text.strip() for text in cells(job, "Detalle")][1:] == ["", ""]


def test_rows_that_are_skipped_are_not_corrected_with_all_others(job: Job, office: Office) -> None:
    """They are none of the import, and none of what a correction counts; what skips a row may be corrected."""
    office.write([ticket(1, Estado="En curso"), ticket("TOTAL", Estado="En curso"), ticket("TOTAL2")])
    text = office.mapping.read_text("utf-8").replace("source:", "source:\n  skip_if: {Ticket: [TOTAL, TOTAL2]}", 1)
    office.mapping.write_text(text, "utf-8")
    corrections = open_corrections(load_job(job))
    corrections.correct_equal("Estado", "En curso", "Abierto")
    corrections.correct_equal("Ticket", "TOTAL2", "2")
    assert cells(job, "Estado") == ["Abierto", "En curso", "Abierto"]
    assert [state.cells for state in corrections.listed().applied] == [1, 1]
    assert [row.status for row in planned(job)] == ["planned", "skipped", "planned"]


def test_corrections_follow_one_another(job: Job) -> None:
    """What a correction made can be corrected again: for all, by what the cells say now, or in one cell."""
    corrections = open_corrections(load_job(job))
    corrections.correct_equal("Estado", "En curso", "Abirto")
    corrections.correct_equal("Estado", "Abirto", "Abierto")
    corrections.correct(5, "Estado", "Cerado")
    last = corrections.correct(5, "Estado", "Cerrado")
    assert cells(job, "Estado") == ["Abierto", "Abierto", "Abierto", "Cerrado"]
    assert [state.outcome for state in corrections.listed().states] == ["applied", "applied", "replaced", "applied"]
    corrections.undo(last.act)
    assert cells(job, "Estado")[3] == "Cerado"


def test_excel_wins(job: Job, office: Office) -> None:
    """A cell that is corrected in the sheet is done; one that says something else sets the correction aside."""
    corrections = open_corrections(load_job(job))
    for row in (3, 4, 5):
        corrections.correct(row, "Estado", "Abierto")
    office.write([ticket(1), ticket(2, Estado="En curso"), ticket(3), ticket(4, Estado="Cerrado")])
    listed = open_corrections(load_job(job)).listed()
    assert [state.outcome for state in listed.states] == ["applied", "done", "set-aside"]
    (aside,) = listed.set_aside
    assert (aside.row, aside.now, aside.correction.to) == (5, "Cerrado", "Abierto")
    assert "something else" in aside.reason
    assert cells(job, "Estado") == ["Abierto", "Abierto", "Abierto", "Cerrado"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ticket(1)], "no row has the key 2"),
        ([ticket(2), ticket(2)], "rows 2, 3 have the key 2"),
    ],
)
def test_a_row_that_is_not_found_by_its_key_sets_its_correction_aside(
    job: Job, office: Office, rows: list[dict[str, str]], reason: str
) -> None:
    """A key that no row has, or several rows have, corrects nothing."""
    open_corrections(load_job(job)).correct(3, "Estado", "Abierto")
    office.write(rows)
    assert [state.reason for state in planned(job).corrections.set_aside] == [reason]


def test_a_row_without_a_usable_key_is_corrected_by_its_number_in_the_same_file(job: Job, office: Office) -> None:
    """A blank or repeated key names no row; its number does, as long as the file is the very same."""
    office.write([ticket(""), ticket(2, Estado="x"), ticket(2, Estado="y")])
    corrections = open_corrections(load_job(job))
    corrections.correct(2, "Ticket", "1")
    made = corrections.correct(4, "Estado", "Abierto")
    assert made.key == f"#4 {hashlib.sha256(office.source.read_bytes()).hexdigest()}"
    assert (cells(job, "Ticket"), cells(job, "Estado")) == (["1", "2", "2"], ["Abierto", "x", "Abierto"])
    office.write([ticket(""), ticket(2, Estado="y"), ticket(2, Estado="y")])
    assert cells(job, "Estado") == ["Abierto", "y", "y"]
    assert all("saved since" in state.reason for state in planned(job).corrections.set_aside)


def test_hidden_rows_are_none_of_the_import(office: Office, job: Job) -> None:
    """A correction of all equal cells leaves hidden rows as they are."""
    book = Workbook()
    book.active.append(HEADER)
    for number in (1, 2):
        book.active.append(list(ticket(number, Estado="En curso").values()))
    book.active.row_dimensions[3].hidden = True
    book.save(office.folder / "tickets.xlsx")
    job = replace(job, source=office.folder / "tickets.xlsx")
    open_corrections(load_job(job)).correct_equal("Estado", "En curso", "Abierto")
    assert cells(job, "Estado") == ["Abierto", "En curso"]


def test_every_command_says_so(job: Job, office: Office, give: Give) -> None:
    """`check`, the forecast, the report's Summary and `--json` say how much is corrected, and what is set aside."""
    corrections = open_corrections(load_job(job))
    corrections.correct_equal("Estado", "En curso", "Abierto")
    add_corrections(office.source, [Correction("", "77", "Estado", "En curso", "Abierto", "ana")])
    said = "tickets.corrections.csv corrects 3 cells of the sheet (rows concerned: 3)"
    aside = "tickets.corrections.csv: 1 correction is not applied"
    out = give(office.arguments("check")).out
    assert said in out
    assert aside in out
    assert "line 3 (Estado: En curso → Abierto): no row has the key 77" in out
    counted = give(office.arguments("check", "--json")).json["corrections"]
    assert (counted["cells"], counted["rows"], counted["applied"], counted["done"]) == (3, 3, 1, 0)
    assert [(one["line"], one["key"], one["now"]) for one in counted["set_aside"]] == [(3, "77", None)]
    result = give(office.arguments("run", "--yes", "--first-run"))
    assert said in result.err + result.out
    texts = [str(cell) for row in load_workbook(office.report)["Summary"].iter_rows(values_only=True) for cell in row]
    assert any(said in text for text in texts)
    assert give(office.arguments("report", "--json")).json["corrections"]["cells"] == 3


def test_a_run_records_the_digest_of_the_corrections(job: Job) -> None:
    """The journal knows with which corrections a run was made, and that it was made with none."""
    corrections = open_corrections(load_job(job))
    send(job)
    corrections.correct_equal("Estado", "En curso", "Abierto")
    assert send(job) == 3
    digest = hashlib.sha256(corrections.path.read_bytes()).hexdigest()
    assert [record.start.corrections_digest for record in history(job.journal_path)] == [digest, None]


def test_rows_by_number_outlive_our_own_change_of_the_workbook(job: Job, office: Office) -> None:
    """`--write-back` changes the file's digest; the corrections by row number are for the new one from then on."""
    book = Workbook()
    for row in (HEADER, ticket(1).values(), ticket(2, Estado="x").values(), ticket(2, Asunto="y").values()):
        book.active.append(list(row))
    book.save(office.folder / "tickets.xlsx")
    job = replace(job, source=office.folder / "tickets.xlsx", write_back=True)
    open_corrections(load_job(job)).correct(3, "Ticket", "T-9")
    assert send(job) == 2
    assert "Report" in load_workbook(job.source).sheetnames
    assert cells(job, "Ticket") == ["1", "T-9", "2"]
    open_corrections(load_job(job)).correct(3, "Ticket", "T-10")
    open_corrections(load_job(job)).correct_equal("Estado", "x", "Abierto")
    assert (cells(job, "Ticket"), send(job)) == (["1", "T-10", "2"], 1)


# ------------------------------------------------------------------------------------------------ identity


def test_the_report_of_a_corrected_sheet_can_be_given_back(job: Job, office: Office) -> None:
    """The report shows what was sent, with a note of what the sheet says; given back, nothing is sent or changed."""
    open_corrections(load_job(job)).correct_equal("Estado", "En curso", "Abierto")
    assert send(job, "tickets.report.xlsx") == 4
    sheet = load_workbook(office.report)["Report"]
    (column,) = (cell.column for cell in sheet[1] if cell.value == "Estado")
    assert [sheet.cell(row, column).value for row in range(2, 6)] == ["Abierto"] * 4
    notes = [sheet.cell(row, column).comment for row in range(2, 6)]
    assert [note and note.text for note in notes] == [None, *["Corrected. The sheet says: En curso"] * 3]
    for source in (office.source, office.report):
        again = run(load_job(replace(job, source=source)), EventInterface(agrees=True))
        assert (again.counts.created, again.counts.created_now, again.counts.changed) == (4, 0, 0)
    assert office.sandbox.posts == 4


def test_a_corrected_key_is_the_key(job: Job, office: Office) -> None:
    """A row is sent under its corrected key, is known by it, also once the sheet says it itself."""
    corrections = open_corrections(load_job(job))
    corrections.correct(2, "Ticket", "T-1")
    corrections.correct(2, "Asunto", "Otro")
    assert (send(job), planned(job).counts().planned) == (1, 0)
    office.write([ticket("T-1", Correo="cliente1@example.com", Asunto="Asunto 1", Detalle=ticket(1)["Detalle"])])
    listed = check(load_job(job)).corrections
    assert [state.outcome for state in listed.states] == ["done", "applied"]
    again = run(load_job(job), EventInterface(agrees=True))
    assert (again.counts.created, again.counts.created_now, again.counts.changed) == (1, 0, 0)


def test_the_key_of_a_row_that_was_sent_stays(job: Job, office: Office) -> None:
    """It cannot be corrected, nor its correction be undone or replaced; a line typed into the file is set aside."""
    corrections = open_corrections(load_job(job))
    made = corrections.correct(2, "Ticket", "T-1")
    assert send(job) == 1
    for undone in (lambda: corrections.undo(made.act), lambda: corrections.correct(2, "Ticket", "T-2")):
        with pytest.raises(UsageError, match=r"already been sent"):
            undone()
    for typed in ("T-3", "1"):  # another key, and the one that the sheet says
        (one,) = add_corrections(office.source, [Correction("", "1", "Ticket", "1", typed, "ana")])
        assert first_key(job) == ("T-1", 0)
        remove_act(office.source, one.act)
    assert corrections.correct(3, "Ticket", "T-4").to == "T-4"  # was never sent


def test_a_row_that_was_sent_under_its_own_key_keeps_it(job: Job, office: Office) -> None:
    """A correction of the key, for one row or for all equal ones, comes too late, and says so."""
    corrections = open_corrections(load_job(job))
    assert send(job) == 1
    with pytest.raises(UsageError, match="already been sent"):
        corrections.correct(2, "Ticket", "T-1")
    with pytest.raises(UsageError, match="already been sent"):
        corrections.correct_equal("Ticket", "1", "T-1")
    for key in ("1", "*"):
        add_corrections(office.source, [Correction("", key, "Ticket", "1", "T-1", "ana")])
        assert first_key(job) == ("1", 0)


def test_a_key_that_was_corrected_for_all_rows_stays_too(job: Job) -> None:
    """Once a row was sent under a key that a correction of all equal cells made, no other one changes it again."""
    corrections = open_corrections(load_job(job))
    made = corrections.correct_equal("Ticket", "1", "T-1")
    assert send(job) == 1
    with pytest.raises(UsageError, match="already been sent"):
        corrections.undo(made.act)
    add_corrections(job.source, [Correction("", "*", "Ticket", "T-1", "T-2", "ana")])
    assert first_key(job) == ("T-1", 0)


def content_job(job: Job, office: Office) -> Job:
    """Return a job whose rows have no key but their content."""
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("key: Ticket", "key: content"), "utf-8")
    return job


def test_without_keys_no_other_row_is_counted_otherwise(job: Job, office: Office) -> None:
    """Under `key: content` rows that equal another one, or would come to, are left alone; the others are sent once."""
    job = content_job(job, office)
    one, other = ticket(1, Estado="En curso"), ticket(2)
    office.write([one, one, other, ticket(2, Estado="En curso"), ticket(5, Estado="En curso")])
    corrections = open_corrections(load_job(job))
    for row in (2, 5):
        with pytest.raises(UsageError, match="another row has the same cells"):
            corrections.correct(row, "Estado", "Abierto")
    corrections.correct_equal("Estado", "En curso", "Abierto")
    assert cells(job, "Estado") == ["En curso", "En curso", "Abierto", "En curso", "Abierto"]
    assert (send(job, "tickets.report.xlsx"), planned(job).counts().planned) == (2, 0)
    with pytest.raises(UsageError, match="already been sent"):
        corrections.correct(4, "Estado", "Cerrado")
    report = replace(job, source=office.report)  # its rows are known by their references
    open_corrections(load_job(report)).correct(2, "Estado", "Abierto")
    with pytest.raises(UsageError):
        open_corrections(load_job(report)).correct(2, "reference", "x")
    add_corrections(office.report, [Correction("Report", "*", "reference", "", "WCI-0000000000000000", "ana")])
    assert cells(report, "Estado") == ["Abierto", "En curso", "Abierto", "En curso", "Abierto"]
    assert planned(report).counts().planned == 1


BEFORE: dict[tuple[str, ...], list[tuple[str, str]]] = {}


@given(
    first=st.sampled_from([("a", "b", "a"), ("c", "En curso", "b")]),
    changes=st.lists(st.tuples(st.sampled_from(["*", "1", "2", "3"]), st.sampled_from("abc"), st.sampled_from("abc"))),
)
@settings(max_examples=6, deadline=None)
def test_rows_that_nobody_corrected_keep_their_identity(
    tmp_path_factory: pytest.TempPathFactory, first: tuple[str, ...], changes: list[tuple[str, str, str]]
) -> None:
    """Whatever the corrections: references and hashes of rows without one are those of the plain sheet."""
    folder = tmp_path_factory.mktemp("identity")
    office = Office(folder, None)  # type: ignore[arg-type] - nothing is sent
    office.write([ticket(number, Estado=text) for number, text in enumerate(first, 1)])
    job = Job(office.source, office.mapping, Connection("https://crm0001.wolkvox.com", "demo"), office.journal)
    if first not in BEFORE:
        BEFORE[first] = [(row.reference, row.content_hash) for row in check(load_job(job))]
    before = BEFORE[first]
    add_corrections(office.source, [Correction("", key, "Estado", old, new) for key, old, new in changes])
    plan = check(load_job(job))
    now = [str(cell) for frame, _batch in plan.cells() for cell in frame["Estado"]]
    after = [(row.reference, row.content_hash) for row in plan]
    assert [one[0] for one in before] == [one[0] for one in after]
    assert all(one == other for one, other, text, old in zip(before, after, now, first, strict=True) if text == old)
    assert plan.corrections.cells == sum(text != old for text, old in zip(now, first, strict=True))


# ------------------------------------------------------------------------------------------------ the file

TEXT = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["=1+1", "'=x", "\ufeff", '"', ";", "\r", "\n=2", "\t", "*", "#1 x", '["a"]', " ", "", "sep=;", "\x00", "\ud800"]
)


@given(rows=st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=4), key=st.lists(TEXT, min_size=1))
@settings(max_examples=30, deadline=None)
def test_every_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], key: list[str]
) -> None:
    """What was written is what is read: any text, line ends and formulas included, in any number of acts."""
    source = tmp_path_factory.mktemp("file") / "x.csv"
    made = [one for row in rows for one in add_corrections(source, [Correction(*row)])]
    keyed = add_corrections(source, [Correction("", key_text(key), "c", "a", "b")])
    found = list(load_corrections(source).corrections())
    assert found == [*made, *keyed]
    assert [one.line for one in found] == [one.line for one in (*made, *keyed)]
    assert found[-1].key_cells == tuple(key)
    for one in made:
        remove_act(source, one.act)
    assert list(load_corrections(source).corrections()) == keyed


def test_no_cell_of_the_file_is_a_formula(tmp_path: Path) -> None:
    """Excel shows every text as it is, and knows the encoding; only the owner may read the file."""
    source = tmp_path / "x.xlsx"
    add_corrections(source, [Correction("Hoja", "=1", "@c", "+1", "-ñ;=2", "=ana")])
    path = corrections_path(source)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsheet,key,column,from,to,who,when\r\n")
    (line,) = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[1:]
    assert line[:6] == ["Hoja", "'=1", "'@c", "'+1", "'-ñ;'=2", "'=ana"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["x.corrections.csv"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [(";", "cp1252"), (";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8"), (";", "utf-8")],
)
def test_a_file_that_was_saved_in_excel_is_read_and_stays_so(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """Semicolons, the encoding of Windows, "Unicode text", other columns and their order: all is read, and kept."""
    source, header = tmp_path / "x.csv", ["Nota", "TO", "from", "Column", "key", "Sheet"]
    lines = [header, ["nota", "Petición", "Peticion", "Tipo", "7", ""], ["", "", "", "", "", ""]]
    text = "\r\n".join(delimiter.join(line) for line in lines) + "\r\n"
    corrections_path(source).write_bytes(text.encode(encoding))
    (found,) = load_corrections(source).corrections()
    assert (found.key, found.column, found.before, found.to) == ("7", "Tipo", "Peticion", "Petición")
    add_corrections(source, [Correction("", "8", "Tipo", "ñ", "Ñ", "ana")])
    assert [one.to for one in load_corrections(source).corrections()] == ["Petición", "Ñ"]
    written = corrections_path(source).read_text("utf-8-sig")
    assert written.startswith(delimiter.join(["nota", "to", "from", "column", "key", "sheet", "who", "when"]))
    assert "nota" in written.splitlines()[1]
    remove_act(source, found.act)
    assert [one.to for one in load_corrections(source).corrections()] == ["Ñ"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1.*sheet, key, column, from, to"),
        (b"sheet,key,column,from\r\n", "line 1.*names: to"),
        (b"sheet,key,column,from,to,to\r\n", "line 1.*names: to"),
        (b"\x00\xff\x00garbage", "line 1"),
        (b'sheet,key,column,from,to\r\n,1,a,b,c\r\n,2,a,"b,c\r\n,3,a,b,c\r\n', "line 3.*quotation mark"),
    ],
)
def test_a_file_that_makes_no_sense_stops_the_command(job: Job, office: Office, content: bytes, said: str) -> None:
    """Nothing is sent without corrections that somebody made: the file and the line are named, and it is kept."""
    path = corrections_path(office.source)
    path.write_bytes(content)
    for act in (lambda: check(load_job(job)), lambda: open_corrections(load_job(job)).correct(2, "Estado", "x")):
        with pytest.raises(SourceError, match=rf"(?s)tickets\.corrections\.csv, {said}"):
            act()
    assert path.read_bytes() == content


def test_what_is_no_file_is_refused_at_once(job: Job, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a pipe, and a file beyond all bounds end in a sentence."""
    path = corrections_path(office.source)
    path.mkdir()
    with pytest.raises(SourceError, match="cannot be read"):
        check(load_job(job))
    path.rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)
        with pytest.raises(SourceError, match="cannot be read"):
            planned(job)
        path.unlink()
    path.write_bytes(b"sheet,key,column,from,to\r\n" * 3)
    monkeypatch.setattr("importer.workflow.corrections.file.LARGEST_FILE", 10)
    with pytest.raises(SourceError, match="larger"):
        planned(job)


def test_lines_that_lost_something_are_set_aside_and_kept(job: Job, office: Office) -> None:
    """A line without its key, or of a column that the sheet lacks, corrects nothing, and is told; none means all."""
    lines = ["sheet,key,column,from,to", ",,Estado,En curso,x", ",2,Nada,En curso,x", "Otra,2,Estado,En curso,x", ",2"]
    corrections_path(office.source).write_text("\r\n".join(lines), "utf-8")
    listed = planned(job).corrections
    assert [(one.correction.line, one.reason) for one in listed.set_aside] == [
        (2, "the line has lost its key"),
        (3, "the sheet has no column Nada"),
        (5, "the sheet has no column "),
    ]
    assert (listed.cells, listed.other_sheets) == (0, ("Otra",))
    add_corrections(office.source, [Correction("", "2", "Estado", "En curso", "Abierto")])
    assert len(load_corrections(office.source).records) == 5


def test_a_sheet_under_a_new_name_is_told(job: Job, office: Office) -> None:
    """Where all corrections are for other sheets, a note says so."""
    add_corrections(office.source, [Correction("Enero", "2", "Estado", "En curso", "Abierto")])
    assert any("corrections for other sheets only: Enero" in note for note in planned(job).notes)


# ------------------------------------------------------------------------------------------------ writers


def test_nothing_is_lost_between_writers(tmp_path: Path) -> None:
    """Corrections and undone ones from many threads, each with a lock of its own, are all in the file."""
    source = tmp_path / "x.csv"

    def write(number: int) -> str:
        (made,) = add_corrections(source, [Correction("", str(number), "c", "a", "b")])
        if number % 3 == 0:
            assert remove_act(source, made.act) == 1
        return made.act

    with ThreadPoolExecutor(8) as pool:
        acts = list(pool.map(write, range(40)))
    assert len(set(acts)) == 40
    kept = {one.key for one in load_corrections(source).corrections()}
    assert kept == {str(number) for number in range(40) if number % 3}
    assert [one.name for one in tmp_path.iterdir()] == ["x.corrections.csv"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork beside threads, which the child does not need
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_writer_that_dies_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between writing and renaming, it leaves the old file whole, and its lock keeps nobody out."""
    source = tmp_path / "x.csv"
    add_corrections(source, [Correction("", "1", "c", "a", "b")])
    before = corrections_path(source).read_bytes()
    child = os.fork()
    if not child:
        monkeypatch.setattr(Path, "replace", lambda *_paths: os._exit(9))
        add_corrections(source, [Correction("", "2", "c", "a", "b")])
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert corrections_path(source).read_bytes() == before
    add_corrections(source, [Correction("", "3", "c", "a", "b")])
    assert [one.key for one in load_corrections(source).corrections()] == ["1", "3"]
    assert [one.name for one in tmp_path.iterdir()] == ["x.corrections.csv"]


def test_a_file_that_is_open_in_another_program_is_left_alone(tmp_path: Path) -> None:
    """That program would overwrite what is written meanwhile: a sentence says to close it."""
    source = tmp_path / "x.csv"
    (tmp_path / ".~lock.x.corrections.csv#").touch()
    with pytest.raises(SourceError, match="open in another program"):
        add_corrections(source, [Correction("", "1", "c", "a", "b")])
    assert not corrections_path(source).exists()


def test_what_cannot_be_corrected_is_refused(job: Job) -> None:
    """Unknown rows and columns, and texts that no cell holds, are errors of the call."""
    corrections = open_corrections(load_job(job))
    for row, column, to in ((99, "Estado", "x"), (1, "Estado", "x"), (2, "Nada", "x"), (2, "Estado", "x" * 40_000)):
        with pytest.raises(UsageError):
            corrections.correct(row, column, to)
    with pytest.raises(UsageError):
        corrections.correct_equal("Nada", "a", "b")


# ------------------------------------------------------------------------------------------------ the copy


def workbook_job(job: Job, office: Office, *, formula: bool = False) -> Job:
    """Return the job of a workbook with a header in row 3, bold cells, a second sheet, and a formula if asked."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Datos"
    sheet["A1"] = "Título"
    for at, row in enumerate([HEADER, *(tuple(ticket(number, Estado="En curso").values()) for number in (1, 2))], 3):
        for column, text in enumerate(row, 2):
            sheet.cell(at, column, text)
    sheet["B4"].font = Font(bold=True)
    book.create_sheet("Otra")["A1"] = "=1+1" if formula else "se queda"
    book.save(office.folder / "tickets.xlsx")
    return replace(job, source=office.folder / "tickets.xlsx")


def same_plan(one: LoadedJob, other: LoadedJob) -> bool:
    """Tell whether two sources have the same rows."""
    rows = [[(row.number, row.reference, row.content_hash, row.status) for row in check(each)] for each in (one, other)]
    return rows[0] == rows[1]


@pytest.mark.parametrize("formula", [False, True])
def test_a_corrected_copy_is_the_sheet_with_its_corrections(
    job: Job,
    office: Office,
    formula: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """It plans as the sheet with its corrections does; a workbook keeps its looks; no file is overwritten."""
    job = workbook_job(job, office, formula=formula)
    loaded, copy = load_job(job), office.folder / "copia.xlsx"
    corrections = open_corrections(loaded)
    corrections.correct_equal("Estado", "En curso", "Abierto")
    corrections.correct(5, "Asunto", "=HYPERLINK(1)")
    for path in (copy, copy.with_suffix(".csv")):
        assert corrected_copy(loaded, path) == path
        with pytest.raises(UsageError, match="already exists"):
            corrected_copy(loaded, path)
    assert same_plan(load_job(job), load_job(replace(job, source=copy)))
    book = load_workbook(copy)
    assert (book["Datos"]["F4"].value, book["Datos"]["D5"].data_type) == ("Abierto", "s")
    assert (book["Datos"]["B4"].font.b, "Otra" in book.sheetnames) == (not formula, not formula)
    with pytest.raises(UsageError, match=r"\.xlsx or \.csv"):
        corrected_copy(loaded, office.folder / "copia.ods")


def test_a_report_of_a_corrected_sheet_is_rebuilt(job: Job, office: Office) -> None:
    """`report` shows the corrected cells as well, and the note of a faulty one says both."""
    open_corrections(load_job(job)).correct_equal("Estado", "En curso", "Raro")
    send(job)
    rebuild_report(load_job(job))
    sheet = load_workbook(office.report)["Report"]
    (column,) = (cell.column for cell in sheet[1] if cell.value == "Estado")
    note = sheet.cell(3, column).comment.text
    assert "Raro" in note
    assert note.endswith("Corrected. The sheet says: En curso")


def test_the_plan_carries_what_was_corrected(job: Job) -> None:
    """A page can tell a corrected cell from another one, and has what the sheet says."""
    open_corrections(load_job(job)).correct(3, "Estado", "Abierto")
    plan = planned(job)
    found = [cell for frame, _batch in plan.cells() for cell in frame["Estado"] if isinstance(cell, Corrected)]
    assert [(cell, cell.before) for cell in found] == [("Abierto", "En curso")]
    assert [state.outcome for state in plan.corrections.states] == [CorrectionOutcome.APPLIED]


def test_a_sheet_may_be_read_by_several_threads_at_once() -> None:
    """What is spooled to disk is read by each thread from its own place, as by a page that checks and corrects."""
    spool: Spool[int] = Spool(in_memory=1)
    for number in range(300):
        spool.append(number)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda _one: list(spool), range(12))) == [list(range(300))] * 12


# ------------------------------------------------------------------------------------------------ of earlier weeks


def next_week(job: Job, office: Office, *rows: dict[str, str]) -> Job:
    """Write another sheet of the same import."""
    path = office.folder / "week 2.csv"
    office.source.replace(office.folder / "kept.csv")
    office.write(rows)
    office.source.replace(path)
    (office.folder / "kept.csv").replace(office.source)
    return replace(job, source=path)


def offered(job: Job) -> list[tuple[int, str, str, str]]:
    """Return what is offered of earlier weeks: row, column, text and what it was corrected to."""
    return [(one.row, one.column, one.before, one.to) for one in planned(job).earlier.cells]


def test_a_cell_that_was_corrected_last_week_is_offered_and_then_is_not_changed(job: Job, office: Office) -> None:
    """Sent as corrected, the row of the next sheet says the bad text again: never applied unasked, one act, undone."""
    corrections = open_corrections(load_job(job))
    corrections.correct_equal("Estado", "En curso", "Abierto")
    corrections.correct(2, "Correo", "ana@example.com")
    assert send(job) == 4
    week = next_week(
        job,
        office,
        ticket(1),
        ticket(2, Estado="En curso", Asunto="Otro"),
        ticket(3, Estado="Pendiente"),
        ticket(9, Estado="En curso"),
        ticket(8, Correo="cliente1@example.com"),
    )
    assert offered(week) == [
        (2, "Correo", "cliente1@example.com", "ana@example.com"),
        (3, "Estado", "En curso", "Abierto"),
    ]
    assert planned(week).counts().changed == 3
    assert any("tickets.corrections.csv corrected in earlier sheets" in note for note in planned(week).notes)
    desk = open_corrections(load_job(week))
    act = desk.correct_cells((row, column, to) for row, column, _text, to in offered(week))[0].act
    assert offered(week) == []
    assert {row.number: row.edited for row in planned(week) if row.is_changed} == {3: ("Asunto",), 4: ("Estado",)}
    assert desk.undo(act) == 2
    assert len(offered(week)) == 2


@pytest.mark.parametrize(
    ("column", "text", "to"), [("Correo", "nadie", "ana@example.com"), ("Estado", "En curso", "Abierto")]
)
def test_a_row_that_was_corrected_and_not_sent_is_offered_too(
    job: Job, office: Office, column: str, text: str, to: str
) -> None:
    """Where the correction was of that very row; one of all equal cells is not of a row that it has not sent."""
    office.write([ticket(1), ticket(2, **{column: text}), ticket(3, **{column: text})])
    corrections = open_corrections(load_job(job))
    corrections.correct(3, column, to)
    send(replace(job, limit=1))
    week = next_week(job, office, ticket(2, **{column: text}), ticket(7, **{column: text}))
    assert offered(week) == [(2, column, text, to)]
    office.folder.joinpath("tickets.corrections.csv").unlink()
    assert offered(week) == []


def test_what_a_changed_row_said_is_known_while_its_sheet_is_as_it_was(job: Job, office: Office) -> None:
    """As it was sent, corrections included; once the sheet or its corrections are others, nothing is said."""
    office.write([ticket(1), ticket(2)])
    open_corrections(load_job(job)).correct(3, "Asunto", "Corregido")
    send(job)
    week = next_week(job, office, ticket(1, Estado="Cerrado", Solución="Ya"), ticket(2, Asunto="Nuevo"))

    def known() -> dict[int, tuple[CellEdit, ...]]:
        return edits_of(planned(week), week, history(job.journal_path))

    assert known() == {
        2: (CellEdit("Estado", "Abierto", "Cerrado"), CellEdit("Solución", "", "Ya")),
        3: (CellEdit("Asunto", "Corregido", "Nuevo"),),
    }
    open_corrections(load_job(job)).correct(2, "Asunto", "Otro")
    assert known() == {}
