"""What a page offers where a cell is wrong: values to choose from, files that are missing, several cells at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_support import HEADER, MAPPING, ticket

from importer import (
    MISSING_FILE,
    CaseMapping,
    Issue,
    Job,
    UsageError,
    absent_files,
    check,
    likely_folders,
    load_job,
    load_mapping,
    open_corrections,
    open_statuses,
    texts_of,
    value_choices,
)

ALLOWED = "{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}"
VALUES = "{column: Estado, values: {Pendiente: Abierto, En curso: Abierto, Listo: Cerrado}, closed: [Cerrado]}"


def mapped(folder: Path, status: str = ALLOWED, more: str = "") -> CaseMapping:
    """Return a mapping with this status."""
    path = folder / "mapping.yml"
    path.write_text(MAPPING.replace(ALLOWED, status) + more, "utf-8")
    return load_mapping(path)


def loaded_job(folder: Path, *rows: dict[str, str], more: str = "", columns: tuple[str, ...] = HEADER) -> Job:
    """Return the job of a sheet with these rows."""
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    (folder / "tickets.csv").write_text("\n".join(",".join(line) for line in lines), "utf-8")
    mapped(folder, more=more)
    return Job(folder / "tickets.csv", folder / "mapping.yml", journal=folder / "journal.db")


@pytest.mark.parametrize(
    ("status", "text", "offered", "always"),
    [
        (VALUES, "Lista", {"Cerrado": "Listo", "Abierto": "Pendiente"}, {"Lista": "Cerrado"}),
        (VALUES, "?", {"Abierto": "Pendiente", "Cerrado": "Listo"}, {"?": "Cerrado"}),
        (ALLOWED, "Cerrada", {"Cerrado": "Cerrado", "Abierto": "Abierto"},
         {"Abierto": "Abierto", "Cerrado": "Cerrado", "Cerrada": "Cerrado"}),
    ],
)  # fmt: skip
def test_the_nearest_value_is_offered_first(
    tmp_path: Path, status: str, text: str, offered: dict[str, str], always: dict[str, str]
) -> None:
    """Every value is offered with what the sheet writes for it, and what is allowed goes on to mean itself."""
    choices = value_choices(mapped(tmp_path, status), HEADER, "Estado", text)
    assert choices is not None
    assert choices.field == "status"
    assert list(zip(choices.values, choices.texts, strict=True)) == list(offered.items())
    assert choices.always(text, "Cerrado") == always
    assert choices.text_for("nothing of the kind") is None


@pytest.mark.parametrize(
    ("status", "column", "text"),
    [
        (VALUES, "Estado", "listo"),  # has a value, whatever its case
        (ALLOWED, "Estado", "Abierto"),
        (VALUES.replace("Listo: Cerrado", "'*': Cerrado"), "Estado", "?"),  # any text has one
        (VALUES, "Asunto", "?"),
    ],
)
def test_no_choice_where_no_list_is_at_fault(tmp_path: Path, status: str, column: str, text: str) -> None:
    """A text that has a value, and a column without a list, have nothing to choose from."""
    assert value_choices(mapped(tmp_path, status), HEADER, column, text) is None


def test_what_a_mapping_says(tmp_path: Path) -> None:
    """The texts of a field, and those of the statuses that are not closed."""
    case = mapped(tmp_path, VALUES)
    assert texts_of(case, "status") == {"Pendiente": "Abierto", "En curso": "Abierto", "Listo": "Cerrado"}
    assert texts_of(case, "contact") == {}
    assert open_statuses(case) == ("Pendiente", "En curso")
    assert open_statuses(mapped(tmp_path)) == ("Abierto",)


def test_missing_files_by_name(tmp_path: Path) -> None:
    """Only the names without a file are told, those of most cells first, and where such files are."""
    for name in ("adjuntos/here.pdf", "otra/a.pdf", "otra/más/B.PDF", ".oculta/a.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    files = "attachments: {folder: adjuntos, columns: [Archivo], separator: ';'}\n"
    rows = (ticket(1, Archivo="here.pdf;b.pdf"), ticket(2, Archivo="b.pdf; a.pdf"))
    loaded = load_job(loaded_job(tmp_path, *rows, more=files, columns=(*HEADER, "Archivo")))
    issues = list(check(loaded).issues())
    assert {issue.code for issue in issues} == {MISSING_FILE}
    absent = absent_files(loaded, issues)
    assert [(file.name, file.cells) for file in absent] == [("b.pdf", 2), ("a.pdf", 1)]
    found = likely_folders(loaded.table.path, [file.name for file in absent])
    assert {(one.path.name, one.found) for one in found} == {("otra", 1), ("más", 1)}
    assert (
        absent_files(load_job(loaded_job(tmp_path, ticket(1))), [Issue(2, "Archivo", "x", MISSING_FILE, "", "")]) == ()
    )


def test_several_cells_are_one_act(tmp_path: Path) -> None:
    """Cells of several rows are corrected and undone at once; where one cannot be, none is."""
    job = loaded_job(tmp_path, ticket(1, Correo="x"), ticket(2, Correo="y"), ticket(3))
    corrections = open_corrections(load_job(job))
    for row, column in ((9, "Correo"), (2, "Nada")):
        with pytest.raises(UsageError):
            corrections.correct_cells([(2, "Correo", "a@example.com"), (row, column, "b")])
    assert not corrections.path.exists()
    made = corrections.correct_cells([(2, "Correo", "a@example.com"), (3, "Correo", "b@example.com")])
    assert [(one.key, one.before, one.to) for one in made] == [("1", "x", "a@example.com"), ("2", "y", "b@example.com")]
    assert len({one.act for one in made}) == 1
    assert check(load_job(job)).counts().planned == 3
    assert corrections.undo(made[0].act) == 2
    assert corrections.correct_cells([]) == []
