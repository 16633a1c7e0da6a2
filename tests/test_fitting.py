"""Which mappings fit next week's sheet: what is missing, what is new, and what was used last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from mapping_support import HEAD, loaded, written
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer.mapping import CaseMapping, MappingFit
from importer.workflow.drafting.earlier_imports import earlier_imports, name_is_locked
from importer.workflow.drafting.fitting import SheetFit, find_mappings, fit_mapping, fit_mappings
from importer.workflow.job import open_source

FULL = HEAD.replace(
    "source: {key: Id}",
    "source: {key: Id, skip_if: {Fin: x}, headings: {Canal: [Medio]}, ignore: Notas}",
).replace(
    "status: Abierto",
    "status: {column: Estado, values: {Abierto: Open, Cerrado: Closed}, closed: [Closed]}",
).replace("description: words", 'description: {template: "{Asunto}, {Fecha: DD/MM/YYYY}"}') + (
    "form:\n  Canal: {column: Canal, when: {Tipo: {not: X}}, values: {w: Web}}\n"
    "  Temas: {column: Temas, type: multi-select, separator: ',', values: {a: A, b: B}, allowed: [A, B]}\n"
    "attachments: {folder: x, columns: [Adjunto], patterns: ['{Id}/*']}\n"
)
COLUMNS = ("Id", "Fin", "Canal", "Estado", "Asunto", "Fecha", "Tipo", "Temas", "Adjunto")


def sheet(folder: Path, *rows: Sequence[str]) -> Path:
    """Write a sheet of these rows."""
    path = folder / "hoja.csv"
    path.write_text("".join(";".join(row) + "\n" for row in rows), "utf-8")
    return path


def fit_of(folder: Path, case: CaseMapping, *rows: Sequence[str]) -> MappingFit:
    """Return how a mapping fits a sheet of these rows."""
    return fit_mapping(open_source(sheet(folder, *rows), case.table), case)


def test_every_column_that_the_mapping_uses_is_asked_for(tmp_path: Path) -> None:
    """A sheet without any of them lacks each once, with the places that use it; with all of them, it fits."""
    case = loaded(tmp_path, FULL)
    found = fit_of(tmp_path, case, ["Zzz", "Qqq"], ["1", "2"])
    assert {missing.column for missing in found.missing} == set(COLUMNS)
    assert {m.column: m.used_by for m in found.missing}["Id"] == ("source.key", "attachments.patterns")
    assert all(missing.proposal is None for missing in found.missing)
    assert not found.fits
    whole = fit_of(tmp_path, case, [f" {name.upper()} " for name in COLUMNS], ["1"] * len(COLUMNS))
    assert (whole.fits, whole.missing, whole.new_columns) == (True, (), ())
    assert dict(whole.columns)["Asunto"] == "ASUNTO"


@pytest.mark.parametrize(
    ("heading", "proposal", "reason"),
    [
        ("Situación", "Situación", "common header for the same field"),
        ("Estado del caso", "Estado del caso", "most similar"),
        ("Estados", "Estados", "most similar"),
        ("El estado", "El estado", "same words"),
        ("Zzz", None, "No header"),
    ],
)
def test_a_missing_column_is_proposed_the_nearest_heading(
    tmp_path: Path, heading: str, proposal: str | None, reason: str
) -> None:
    """The proposal is one of the headings that the mapping does not use, and says why."""
    case = loaded(tmp_path, FULL)
    names = [heading if name == "Estado" else name for name in COLUMNS]
    (missing,) = fit_of(tmp_path, case, names, ["1"] * len(names)).missing
    assert (missing.column, missing.used_by, missing.proposal) == ("Estado", ("status",), proposal)
    assert reason in missing.reason


def test_new_columns_are_those_that_the_mapping_neither_uses_nor_ignores(tmp_path: Path) -> None:
    """Another heading of a column is not new, nor is an ignored one; two headings of one column are ambiguous."""
    case = loaded(tmp_path, FULL)
    names = [*("Medio" if name == "Canal" else name for name in COLUMNS), "NOTAS", "Sede"]
    found = fit_of(tmp_path, case, names, ["1"] * len(names))
    assert (found.fits, found.new_columns) == (True, ("Sede",))
    doubled = [*("ESTADO" if name == "Estado" else name for name in COLUMNS), "estado"]
    found = fit_of(tmp_path, case, doubled, ["1"] * len(doubled))
    assert [(each.column, each.headings) for each in found.ambiguous] == [("Estado", ("ESTADO", "estado"))]
    assert (found.fits, found.missing) == (False, ())


def test_new_values_are_counted_where_they_would_be_sent(tmp_path: Path) -> None:
    """Case and accents do not matter; skipped rows, and rows without the field, have none; options count singly."""
    case = loaded(tmp_path, FULL)
    rows = [
        dict(zip(COLUMNS, ["1", "", "w", "ABIERTO ", "A", "", "X", "a", ""], strict=True)),
        dict(zip(COLUMNS, ["2", "", "otro", "Abiert", "A", "", "X", "a", ""], strict=True)),  # Canal: not for Tipo X
        dict(zip(COLUMNS, ["3", "", "otro", "Abiert", "A", "", "Y", "a", ""], strict=True)),
        dict(zip(COLUMNS, ["4", "x", "otro", "Nuevo", "A", "", "Y", "z", ""], strict=True)),  # skipped
        dict(zip(COLUMNS, ["5", "", "", "", "A", "", "Y", "", ""], strict=True)),
    ]
    rows[0]["Temas"] = "a, c"
    cells = [[row[name] for name in COLUMNS] for row in rows]
    found = fit_of(tmp_path, case, COLUMNS, *cells)
    assert [(new.field, new.column, new.text, new.rows) for new in found.new_values] == [
        ("status", "Estado", "Abiert", 2),
        ("form.Canal", "Canal", "otro", 1),
        ("form.Temas", "Temas", "c", 1),
    ]
    assert found.new_values[0].proposals[0] == "Open"


def test_the_mappings_of_a_folder_are_ranked_by_how_they_fit(tmp_path: Path) -> None:
    """What fits comes first, then what lacks least; faults are told, and what is no mapping is left out."""
    written(tmp_path, FULL, "todo.yml")
    written(tmp_path, HEAD, "corto.yaml")
    written(tmp_path, FULL.replace("source: {key: Id", "source: {sheet: Casos, key: Id"), "pestaña.yml")
    written(tmp_path, HEAD.replace("priority", "prioridad"), "roto.yml")
    written(tmp_path, "services: {web: {image: x}}\n", "compose.yml")
    source = sheet(tmp_path, ["ID", "Estado"], ["1", "Abierto"])
    found = fit_mappings(source, find_mappings([tmp_path, tmp_path / "none", tmp_path], tmp_path / "journal.db"))
    assert [(each.path.name, each.fits, each.error is None) for each in found] == [
        ("corto.yaml", True, True),
        ("pestaña.yml", False, True),  # a CSV file has no tabs
        ("todo.yml", False, True),
        ("roto.yml", False, False),
    ]


def test_the_last_use_tells_which_import_goes_on(office: Office, give: Give) -> None:
    """After a run its mapping is found beside its source, with the day and the file; the import's name is locked."""
    assert (earlier_imports(office.journal), name_is_locked("office", office.journal)) == ([], False)
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    assert find_mappings([], office.journal) == [office.mapping]
    (found,) = fit_mappings(office.source, [office.mapping], office.journal)
    assert found.fits
    assert found.use is not None
    assert (found.use.name, found.use.cases, found.use.source) == ("office", 2, office.source)
    assert found.use.last_used is not None
    assert [name_is_locked(name, office.journal) for name in ("office", "other")] == [True, False]


def test_a_run_that_created_nothing_locks_no_name(office: Office, give: Give) -> None:
    """An import whose rows are all invalid may still get another name."""
    office.write([ticket(1, Correo="no")])
    give(office.arguments("run", "--yes"))
    (use,) = earlier_imports(office.journal)
    assert (use.name, use.cases, use.is_locked) == ("office", 0, False)
    assert not name_is_locked("office", office.journal)


def test_a_joined_import_keeps_its_name(office: Office, give: Give) -> None:
    """The name of an import that was joined with another is locked as well."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(MAPPING.replace("import: office", "import: oficina"), "utf-8")
    office.write([ticket(1), ticket(2)], HEADER)
    give(office.arguments("run", "--yes", "--same-as", "office"))
    (use,) = earlier_imports(office.journal)
    assert {use.name, *use.also_called} == {"office", "oficina"}
    assert name_is_locked("oficina", office.journal)
    (found,) = fit_mappings(office.source, [office.mapping], office.journal)
    assert isinstance(found, SheetFit)
    assert found.use == use
