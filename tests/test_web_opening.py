"""Opening a sheet on the page, next week: which mapping, which tab, which columns are new or missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from run_support import Give, Office, ticket
from start_support import HEADINGS, PageClient, checked, mapping, text_of, text_token, token_of, workbook
from start_support import sheet as write_sheet
from web_support import running_page

from importer import load_mapping
from importer.messages import speaking
from importer.web.page import _ENVIRONMENT
from importer.web.start.arrival import fit_line
from importer.web.start.cards import CardKind, cards_of


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageClient]:
    """Come in to the page, at a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with running_page(tmp_path / "journal.db") as page:
        yield PageClient(page)


def leads_to(answer: object) -> str:
    """Return the last part of the address that an answer leads to."""
    return str(answer.headers.get("location", "")).rpartition("/")[2]  # type: ignore[attr-defined]


def mapping_of(client: PageClient, sheet: Path) -> Path | None:
    """Return the mapping that a sheet is open with."""
    return next(one.mapping for one in client.page.office.sheets() if one.source == sheet)


def test_the_only_mapping_that_fits_leads_straight_on(client: PageClient, tmp_path: Path) -> None:
    """Case, accents, spaces and the tab's name do not matter; nothing is asked, and the mapping is not changed."""
    sheet = workbook(tmp_path / "week.xlsx", "Semana 48", headings=("RADICADO ", "correo", "Asúnto", "Estado"))
    known = mapping(tmp_path / "pqr.yml", source=", sheet: PQR")
    before = known.read_bytes()
    mapping(tmp_path / "other.yml", "other").write_text(known.read_text().replace("Asunto", "Tema"), "utf-8")
    (tmp_path / "notes.yml").write_text("just: notes", "utf-8")
    assert leads_to(client.open(sheet)) == "correct"
    assert mapping_of(client, sheet) == known
    assert known.read_bytes() == before


def test_of_several_that_fit_a_person_says_which(client: PageClient, tmp_path: Path) -> None:
    """Nothing is chosen beforehand; once chosen, the sheet is opened with it again unasked, or with another one."""
    sheet = write_sheet(tmp_path / "week.csv")
    one, two = mapping(tmp_path / "one.yml", "one"), mapping(tmp_path / "two.yml", "two")
    asked = client.open(sheet)
    assert "Which import is this?" in asked.text
    assert "never used" in asked.text
    assert " checked" not in asked.text
    assert leads_to(client.decide(asked, act="use", mapping=token_of(two))) == "correct"
    assert leads_to(client.open(sheet)) == "correct"
    assert mapping_of(client, sheet) == two
    again = client.get(asked.request.path_url + "?other=yes")
    assert leads_to(client.decide(again, act="use", mapping=token_of(one))) == "correct"
    assert mapping_of(client, sheet) == one
    assert "fit more than one import" in again.text
    two.unlink()
    again = client.settled(client.get(asked.request.path_url + "?other=yes", allow_redirects=False))
    assert "fit the import below" in again.text
    assert "fit more than one import" not in again.text


def test_no_path_but_a_mapping_that_was_found_is_used(client: PageClient, tmp_path: Path) -> None:
    """A forged form cannot make any file the mapping."""
    sheet = write_sheet(tmp_path / "week.csv")
    mapping(tmp_path / "one.yml", "one")
    mapping(tmp_path / "two.yml", "two")
    (tmp_path / "elsewhere").mkdir()
    foreign = mapping(tmp_path / "elsewhere" / "foreign.yml", "foreign")
    asked = client.open(sheet)
    for act in ("use", "headings", "ignore"):
        answer = client.decide(asked, act=act, mapping=token_of(foreign), column=text_token("x"))
        assert "Which import is this?" in answer.text
    assert mapping_of(client, sheet) is None


def test_a_missing_column_is_the_only_question(client: PageClient, tmp_path: Path) -> None:
    """Only its line is shown, the nearest heading proposed; both headings are known to every command from then on."""
    known = mapping(tmp_path / "pqr.yml")
    sheet = write_sheet(tmp_path / "week.csv", headings=("Radicado", "Correos", "Asunto", "Estado", "Canal"))
    asked = client.open(sheet)
    assert "1 column of “pqr” is not in this sheet" in text_of(asked)
    assert asked.text.count("<select") == 1
    assert f'<option value="{text_token("Correos")}" selected>Correos' in asked.text
    answer = client.decide(asked, **{"act": "headings", "mapping": token_of(known),
                                     f"heading.{text_token('Correo')}": text_token("Correos")})  # fmt: skip
    assert leads_to(answer) == "correct"
    assert "Correos" in known.read_text("utf-8")
    for headings in (HEADINGS, ("Radicado", "Correos", "Asunto", "Estado")):
        assert leads_to(client.open(write_sheet(tmp_path / f"{headings[1]}.csv", headings=headings))) == "correct"


def test_a_sheet_never_becomes_another_imports(client: PageClient, tmp_path: Path) -> None:
    """Where its own mapping lacks a column, or is not finished, no other one that fits takes its place."""
    one, _two = mapping(tmp_path / "one.yml", "one"), mapping(tmp_path / "two.yml", "two")
    week = write_sheet(tmp_path / "week.csv")
    client.decide(client.open(week), act="use", mapping=token_of(one))
    before = one.read_text("utf-8")
    one.write_text(before.replace("column: Correo", "column: Dirección"), "utf-8")
    assert "1 column of “one” is not in this sheet" in text_of(client.open(week))
    one.write_text(before.replace("priority: Media", "priority:"), "utf-8")
    assert leads_to(client.open(week)) == "match"
    assert mapping_of(client, week) == one


def test_two_missing_columns_cannot_be_one_heading(client: PageClient, tmp_path: Path) -> None:
    """The page says so, and the mapping stays as it was; a heading that is in use is not offered."""
    known = mapping(tmp_path / "pqr.yml")
    before = known.read_bytes()
    asked = client.open(write_sheet(tmp_path / "week.csv", headings=("Radicado", "Correos", "Asuntos", "Estado")))
    assert f'value="{text_token("Radicado")}"' not in asked.text
    same = {f"heading.{text_token(column)}": text_token("Correos") for column in ("Correo", "Asunto")}
    assert "chosen twice" in client.decide(asked, act="headings", mapping=token_of(known), **same).text
    assert known.read_bytes() == before


def test_a_column_that_is_gone_leads_to_match(client: PageClient, tmp_path: Path) -> None:
    """Where no heading is the missing column, its place is decided on the page Match."""
    known = mapping(tmp_path / "pqr.yml")
    sheet = write_sheet(tmp_path / "week.csv", headings=("Radicado", "Zzz", "Asunto", "Estado"))
    asked = client.open(sheet)
    before = known.read_bytes()
    answer = client.decide(
        asked, **{"act": "headings", "mapping": token_of(known), f"heading.{text_token('Correo')}": ""}
    )
    assert leads_to(answer) == "match"
    assert mapping_of(client, sheet) == known
    assert known.read_bytes() == before


def test_two_columns_that_are_written_alike_are_named(client: PageClient, tmp_path: Path) -> None:
    """The page does not guess between them."""
    mapping(tmp_path / "pqr.yml").write_text(mapping(tmp_path / "pqr.yml").read_text().replace("Correo", "correo"))
    sheet = write_sheet(tmp_path / "week.csv", headings=("Radicado", "Correo", "Asunto", "Estado", "CORREO"))
    assert "Any of Correo, CORREO may be the column “correo”" in text_of(client.open(sheet))


@pytest.mark.parametrize("headings", [("A", "B", "C", "D"), ("Radicado", "B", "C", "D")])
def test_a_sheet_that_no_mapping_knows_is_matched(
    client: PageClient, tmp_path: Path, headings: tuple[str, ...]
) -> None:
    """One column in common makes no mapping fit; a mapping with faults stands in nobody's way."""
    mapping(tmp_path / "pqr.yml")
    (tmp_path / "broken.yml").write_text("import: x\nfields: [", "utf-8")
    sheet = write_sheet(tmp_path / "week.csv", headings=headings)
    assert leads_to(client.open(sheet)) == "match"
    assert mapping_of(client, sheet) is None


def test_which_tab_is_asked_where_the_mapping_does_not_say(client: PageClient, tmp_path: Path) -> None:
    """The answer is kept in the mapping, so that every command reads the same sheet; an empty one is no choice."""
    sheet = workbook(tmp_path / "year.xlsx", "Enero", "Febrero")
    known = mapping(tmp_path / "pqr.yml")
    asked = client.open(sheet)
    assert "Which sheet of the workbook?" in asked.text
    answer = client.decide(asked, act="tab", tab=text_token("Febrero"), mapping=token_of(known))
    assert leads_to(answer) == "correct"
    assert load_mapping(known).table.sheet == "Febrero"
    assert leads_to(client.open(sheet)) == "correct"


def test_which_tab_is_asked_where_there_is_no_mapping(client: PageClient, tmp_path: Path) -> None:
    """The page Match reads the one that was chosen, also after a restart; a tab that is not there is asked again."""
    sheet = workbook(tmp_path / "year.xlsx", "Enero", "Febrero")
    asked = client.open(sheet)
    assert "Which sheet of the workbook?" in client.decide(asked, act="tab", tab=text_token("Marzo")).text
    assert leads_to(client.decide(asked, act="tab", tab=text_token("Enero"))) == "match"
    assert [one.tab for one in client.page.office.memory.load().sheets] == ["Enero"]


def test_next_week_says_since_when_and_what_is_new(client: PageClient, office: Office, give: Give) -> None:
    """Beside the sheet stands which import it is the same as, and a line for each new column, which is not sent."""
    office.write([ticket(1)])
    assert give([*office.arguments("run"), "--yes"]).status == 0
    client.page.office._journal = office.journal
    (card,) = cards_of(client.page.office).cards
    assert (card.title, card.kind, card.source) == ("office", CardKind.DONE, office.source)
    sheet = office.folder / "next.csv"
    sheet.write_text(office.source.read_text("utf-8").replace("Prioridad", "Prioridad,<b>Canal</b>"), "utf-8")
    client.page.office.memory.change(language="es")
    assert leads_to(client.open(sheet)) == "correct"
    (opened,) = client.page.office.sheets()
    checked(opened)
    with speaking("es"):
        today = datetime.now().astimezone()
        line = fit_line(opened)
        assert line is not None
        assert line.same_as == f"Igual que el {today:%d/%m} (office)"
        assert line.new_columns == ("<b>Canal</b>",)
        shown = _ENVIRONMENT.get_template("fit_line.html").render(sheet=opened)
    assert "Columna nueva «&lt;b&gt;Canal&lt;/b&gt;»: no se envía." in shown
    assert f"/sheets/{opened.id}/match#columns" in shown
    ignored = {"act": "ignore", "column": text_token("<b>Canal</b>")}
    client.post(f"/sheets/{opened.id}/begin", ignored, allow_redirects=False)
    assert fit_line(checked(opened)).new_columns == ()  # type: ignore[union-attr]


def test_many_new_columns_are_one_line(client: PageClient, tmp_path: Path) -> None:
    """A sheet of thirty columns of which five are used says so once, and all can be left out at once."""
    known = mapping(tmp_path / "pqr.yml")
    more = [f"Extra {number}" for number in range(30)]
    sheet = write_sheet(tmp_path / "week.csv", headings=(*HEADINGS, *more), rows=[("R1", "a@b.co", "x", "Abierto")])
    opened = checked(client.page.office.open(sheet, known))
    shown = client.get(f"/sheets/{opened.id}/correct").text
    assert shown.count('value="ignore"') == 1
    assert "30 columns of the sheet are not sent: Extra 0, Extra 1" in shown
    tokens = [("column", text_token(column)) for column in more]
    client.post(f"/sheets/{opened.id}/begin", [("act", "ignore"), *tokens], allow_redirects=False)
    assert fit_line(checked(opened)).new_columns == ()  # type: ignore[union-attr]


def test_a_report_is_told_from_its_sheet(client: PageClient, tmp_path: Path) -> None:
    """Who chose the report instead of the sheet is told so, and may use it all the same."""
    mapping(tmp_path / "pqr.yml")
    report = tmp_path / "week.report.csv"
    columns = "Radicado;Correo;Asunto;Estado;row;status;wolkvox_id;idPrefijo;message;sent_at;run;reference"
    report.write_text(f"{columns}\nR1;ana@example.com;Uno;Abierto;2;planned;;;;;;\n", "utf-8")
    asked = client.open(report)
    assert "This is a report of this program" in asked.text
    assert leads_to(client.settled(client.get(asked.request.path_url + "?report=yes"))) == "correct"


def test_a_sheet_that_is_gone_or_not_open_is_no_fault(client: PageClient, tmp_path: Path) -> None:
    """An id that nobody knows, and a file that was taken away meanwhile, are answered with what to do."""
    sheet = write_sheet(tmp_path / "week.csv")
    mapping(tmp_path / "one.yml", "one")
    mapping(tmp_path / "two.yml", "two")
    asked = client.open(sheet)
    sheet.unlink()
    gone = client.get(asked.request.path_url)
    assert "This sheet cannot be read" in gone.text
    assert client.decide(asked, act="use", mapping=token_of(tmp_path / "one.yml")).status_code in {303, 409}
    assert client.get("/sheets/0123456789ab/begin").status_code == 404
    assert client.post("/sheets/0123456789ab/begin", {"act": "use"}).status_code == 404
