"""`verify` on what the sheet leaves empty, on rows that were edited after sending, and on transcripts."""

from __future__ import annotations

from functools import partial

import pytest
from run_support import HEADER, MAPPING, Give, Office, ticket
from test_rows import COMMENTS, TRANSCRIPT, comment
from test_verifying import hand_over, rewrite, run, texts, words

from importer.workflow.verifying import comparing

NO_DEFAULT = MAPPING.replace("default: Media, ", "")
TWO_COLUMNS = NO_DEFAULT.replace("{column: Detalle}", '{template: "{Asunto}\\n\\n{Detalle}"}').replace(
    "Subject: {column: Asunto}", "Clase: {column: Categoría}"
)


NOT_LEFT: tuple[dict[str, object], ...] = (
    {"solution": "Hecho"},
    {"solution": " "},
    {"form": {"Subject": False}},
    {"form": {"Subject": None}},
    {"form": {"Subject": {"id": None, "value": []}}},
)
LEFT: tuple[dict[str, object], ...] = ({"form": {"Subject": "X"}}, {"form": {"Subject": {"id": 1, "value": 7}}})
"""What the CRM has where the sheet is empty: what is compared or is empty, too; and a field that is left out."""


def test_what_the_sheet_leaves_empty(office: Office, give: Give) -> None:
    """A solution is a difference there; a form field, which the CRM may fill by itself, is said to be not compared."""
    office.write(ticket(number, Asunto="") for number in range(len(NOT_LEFT) + len(LEFT)))
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0
    for number, crm in enumerate(NOT_LEFT, 1):
        rewrite(office, number, crm)
    done = give(words(office, "--all"))
    assert "Row 2, Solución: the sheet says '(empty)', the CRM shows 'Hecho'." in done.out
    assert "Not compared, because" not in done.out
    for number, crm in enumerate(LEFT, len(NOT_LEFT) + 1):
        rewrite(office, number, crm)
    done = give(words(office, "--all", "--again"))
    assert "Not compared, because the sheet leaves it empty: form.Subject" in done.out
    data = give(words(office, "--all", "--again", "--json")).json
    assert data["results"] == {"differs": 1, "equal": 6, "not-asked": 0}
    assert [difference["row"] for difference in data["differences"]] == [2]
    assert data["empty_in_sheet"] == {"form.Subject": len(LEFT)}
    lines = texts(hand_over(office)["Cases"])[1:]
    told = ["form.Subject (empty in the sheet)" in line for line in lines]
    assert told == [False] * len(NOT_LEFT) + [True] * len(LEFT)


EDITED: tuple[tuple[dict[str, str], dict[str, str], dict[str, object], list[str]], ...] = (
    ({"Solución": "Hecho"}, {"Solución": ""}, {}, ["Solución"]),
    ({"Prioridad": "Alta"}, {"Prioridad": ""}, {}, ["Prioridad"]),
    ({"Categoría": "Luz"}, {"Categoría": ""}, {}, ["Categoría"]),
    ({}, {"Detalle": "Otro"}, {}, ["Detalle"]),
    ({}, {"Asunto": "A", "Detalle": "D"}, {}, ["Asunto, Detalle"]),
    ({}, {}, {"description": "otra cosa"}, ["Asunto, Detalle"]),
    ({}, {"Estado": "Cerrado"}, {"status": "Cerrado"}, []),
    ({}, {"Solución": "Hecho"}, {"solution": None}, ["Solución"]),
)
"""What a row says when it is sent and what is edited then, what the CRM has, and the columns that differ."""


def test_an_edited_row_is_compared_in_the_columns_that_were_edited(office: Office, give: Give) -> None:
    """A difference names those columns of a template that were edited, else all of it, and says that they were."""
    office.mapping.write_text(TWO_COLUMNS, "utf-8")
    header = (*HEADER, "Categoría")
    sent = [{"Categoría": "", **ticket(number, **before)} for number, (before, *_rest) in enumerate(EDITED, 1)]
    office.write(sent, header)
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0
    for number, (_before, _after, crm, _columns) in enumerate(EDITED, 1):
        rewrite(office, number, crm)
    office.write([row | after for row, (_before, after, *_rest) in zip(sent, EDITED, strict=True)], header)
    data = give(words(office, "--all", "--json")).json
    assert data["results"] == {"differs": 7, "equal": 1, "not-asked": 0}
    found = [(each["row"], each["column"], each["edited"]) for each in data["differences"]]
    assert found == [
        (line, column, bool(after))
        for line, (_before, after, _crm, columns) in enumerate(EDITED, 2)
        for column in columns
    ]


def test_a_transcript_is_a_file_that_was_sent(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside files or alone: it is counted where the CRM shows files, and told as not shown where it shows none."""
    office.mapping.write_text(MAPPING.replace("reference:", f"{TRANSCRIPT}reference:"), "utf-8")
    comment(office)
    run(office, give, 1)
    shown: int | None
    for shown in (None, 1, 0):
        monkeypatch.setattr(comparing, "attachments_shown", partial(_shows, shown))
        data = give(words(office, "--all", "--again", "--json")).json
        assert data["results"] == {"differs" if shown == 0 else "equal": 1, "not-asked": 0}
        assert data["attachments"] == {"shown": shown or 0, "not_shown": 1 if shown is None else 0}
        assert data["not_shown"].get("attachments") == (1 if shown is None else None)
        line = texts(hand_over(office)["Cases"])[1]
        assert line[-2 if shown is None else -3] == 1


def _shows(files: int | None, _record: object) -> int | None:
    """Say how many files of any case the CRM shows, if it shows them."""
    return files


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (["1", "02/11/2026 09:30", "Luis", "Otro texto"], "changed"),
        (["1", "31/31/2026", "Luis", "Primero"], "changed"),
    ],
)
def test_a_transcript_that_changed_since_is_not_as_in_the_sheet(
    office: Office, give: Give, body: list[str], said: str
) -> None:
    """What nothing can be compared with, and was edited, is told by that: its file went, but another one."""
    office.mapping.write_text(MAPPING.replace("reference:", f"{TRANSCRIPT}reference:"), "utf-8")
    comment(office)
    run(office, give, 2)
    comment(office, [*COMMENTS[:2], body, COMMENTS[3]])
    done = give(words(office, "--all"))
    assert (done.status, "as in the sheet 1, edited since 1" in done.out) == (1, True)
    data = give(words(office, "--all", "--json")).json
    assert data["results"] == {"edited": 1, "equal": 1, "not-asked": 0}
    assert (data["edited"], data["attachments"]["not_shown"]) == ([2], 2)
    workbook = hand_over(office)
    line = texts(workbook["Cases"])[1]
    assert (line[4], line[5], "attachments.transcript" in line[7]) == (said, "edited since", True)
    first = [str(cell) for line in texts(workbook.worksheets[0]) for cell in line]
    assert any("1 as in the sheet, 1 edited since" in cell for cell in first)
    assert ("edited since" in first, first[first.index("edited since") + 1]) == (True, "1")


def test_the_tables_say_that_they_count_by_the_sheet(office: Office, give: Give) -> None:
    """A status that was edited since is not said to be that of the case in the CRM."""
    run(office, give, 2)
    office.write([ticket(1, Estado="Cerrado"), ticket(2)])
    give(words(office))
    first = [str(cell) for line in texts(hand_over(office).worksheets[0]) for cell in line]
    assert {"Status in the sheet", "Case type in the sheet"} <= set(first)


def test_a_note_is_told_once(office: Office, give: Give) -> None:
    """What the forecast has said is not said again when the run ends; a report and a program are told all of it."""
    office.mapping.write_text(
        MAPPING.replace("allowed: [Alta, Media, Baja]", "values: {Rara: Alta, Otra: Baja}"), "utf-8"
    )
    office.write([ticket(1, Prioridad="Rara")])
    where = ["--report", str(office.folder / "r.csv")]
    done = give(office.arguments("run", "--yes", *where))
    assert done.status == 0
    notes = [line.split("  note      ")[1] for line in done.err.splitlines() if line.startswith("  note ")]
    assert any("Otra" in note for note in notes)
    assert not [note for note in notes if note in done.out]
    assert all(note in give(office.arguments("report", *where)).out for note in notes)
    office.write([ticket(number, Prioridad="Rara") for number in (1, 2)])
    assert set(notes) <= set(give(office.arguments("run", "--yes", "--json", *where)).json["notes"])


def test_the_list_of_cases_shows_its_words_whole(office: Office, give: Give) -> None:
    """No state and no result is cut off where the list is printed, and it stays one page wide."""
    run(office, give, 2)
    office.write([ticket(1, Detalle="Otro"), ticket(2)])
    for language in ("es", "pt", "en"):
        give(words(office, "--all", "--again", "--lang", language))
        sheet = hand_over(office).worksheets[1]
        widths = {at: each.width for each in sheet.column_dimensions.values() for at in range(each.min, each.max + 1)}
        for at in (5, 6):
            assert all(len(str(cell.value)) + 2 <= widths[at] for [cell] in sheet.iter_rows(2, min_col=at, max_col=at))
        assert sheet.page_setup.fitToWidth in {None, 1}
