"""Which rows become cases, and which files are attached to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import HEAD, bound, converted, faults, frame, loaded

from importer.errors import MappingError
from importer.model import Cell, CellError, Reread, Typed
from importer.workflow.keys.keys import keys_in


def with_source(source: str, form: str = "") -> str:
    """Return the shortest mapping with another `source` section, and form fields."""
    return HEAD.replace("{key: Id}", source) + (f"form:\n{form}" if form else "")


def test_rows_that_meet_a_condition_are_skipped_and_say_why(tmp_path: Path) -> None:
    """A row skipped by `skip_if` names the value that matched, and has no issues."""
    text = with_source("{key: Id, skip_if: {Estado: [Borrador, Prueba]}}", "  N: {column: N, type: integer}\n")
    result = converted(loaded(tmp_path, text), frame({"Id": ["1", "2"], "Estado": ["borrador", "x"], "N": ["?", "?"]}))
    assert result.skipped == {2: "skip_if: Estado is 'borrador'"}
    assert [issue.row for issue in result.issues] == [3]


@pytest.mark.parametrize(("keep", "kept"), [("first", [2, 3]), ("last", [3, 4])])
def test_an_event_log_keeps_one_row_of_each_key(tmp_path: Path, keep: str, kept: list[int]) -> None:
    """Across all frames one row of a repeated key becomes the case, and the others name it; blank keys do not group."""
    case = loaded(tmp_path, with_source(f"{{key: Id, keep: {keep}, skip_if: {{Estado: x}}}}"))
    first = frame({"Id": [" A", "B"], "Estado": ["", ""]})
    last = frame({"Id": ["A", "", "", "A"], "Estado": ["", "", "", "x"]}, first_row=4)
    mapper = bound(case, first, last)
    skipped = {**mapper.convert(first).skipped, **mapper.convert(last).skipped}
    assert [row for row in range(2, 8) if row not in skipped] == [*kept, 5, 6]
    gone = 4 if keep == "first" else 2
    assert skipped[gone].endswith(f"row of a repeated key; row {kept[0] if keep == 'first' else 4} is kept")
    assert skipped[7] == "skip_if: Estado is 'x'"


def test_rows_of_one_case_are_joined(tmp_path: Path) -> None:
    """The first row of a group becomes the case, with the texts of all its rows in sheet order."""
    text = with_source(
        "{key: Id, group: Id}",
        "  Notes: {template: '{Fecha:DD/MM/YYYY}: {Nota}', join: ' | '}\n  First: {column: Nota}\n",
    )
    first = frame({"Id": ["A", "A", "B"], "Fecha": ["2026-01-13"] * 3, "Nota": ["uno", "dos", "tres"]})
    last = frame({"Id": ["B", "A"], "Fecha": ["", "2026-01-14"], "Nota": ["", "cuatro"]}, first_row=5)
    mapper = bound(loaded(tmp_path, text), first, last)
    result = mapper.convert(first)
    assert result.fields["form.Notes"].tolist()[::2] == [
        "13/01/2026: uno | 13/01/2026: dos | 14/01/2026: cuatro",
        "13/01/2026: tres",
    ]
    assert result.fields["form.First"].tolist()[0] == "uno"
    assert result.skipped == {3: "part of the case of row 2"}
    assert mapper.convert(last).skipped == {5: "part of the case of row 4", 6: "part of the case of row 2"}


TAKEN = {
    "the first line, empty or not": ("{column: C}", ["", "b", "c"], None),
    "the first line by name": ("{column: C, take: first}", ["a", "b", "c"], "a"),
    "the last line": ("{column: C, take: last}", ["a", "b", "c"], "c"),
    "the last line that is filled": ("{column: C, take: last}", ["a", "b", " "], "b"),
    "a default, where no line is filled": ("{column: C, take: last, default: d}", ["", "", ""], "d"),
    "a filled line before a default": ("{column: C, take: last, default: d}", ["a", "", ""], "a"),
    "a fault of the line that speaks": ("{column: C, take: last, type: integer}", ["1", "x", ""], "! 3"),
    "no fault of another line": ("{column: C, take: last, type: integer}", ["x", "1", ""], 1),
    "a template": ("{template: '<{C}>', take: last}", ["a", "b", ""], "<b>"),
    "an object": ("{object: {type: x, value: {column: C}}, take: last}", ["a", "b", ""], {"type": "x", "value": "b"}),
    "a constant with a condition": ("{value: v, when: {C: b}, take: last, default: d}", ["a", "b", "c"], "v"),
}


@pytest.mark.parametrize(("spec", "cells", "value"), TAKEN.values(), ids=TAKEN)
def test_a_field_says_which_line_of_a_case_speaks(tmp_path: Path, spec: str, cells: list[Cell], value: object) -> None:
    """A field of a case has what its first line says, or the last one that is filled; also over several frames."""
    case = loaded(tmp_path, with_source("{key: Id, group: Id}", f"  X: {spec}\n"))
    sheet = frame({"Id": ["A"] * 3 + ["B"], "C": [*cells, cells[0]]})
    mapper = bound(case, sheet.iloc[:1], sheet.iloc[1:])
    result = mapper.convert(sheet.iloc[:1])
    told = [f"! {issue.row}" for issue in result.issues]
    assert (told or [result.fields["form.X"].iloc[0]]) == [value]


@pytest.mark.parametrize(
    ("source", "spec", "fault"),
    [
        ("{key: Id}", "{column: C, take: last}", "form.X.take: take needs source.group"),
        ("{key: Id, group: Id}", "{column: C, take: last, join: ' '}", "form.X.take: take and join exclude each other"),
        ("{key: Id, group: Id}", "{object: {type: x, v: {column: C, take: last}}}", "take is not allowed inside an"),
    ],
)
def test_take_is_for_lines_of_a_case(tmp_path: Path, source: str, spec: str, fault: str) -> None:
    """A field that cannot say which line speaks is a fault of the mapping."""
    assert any(fault in found for found in faults(tmp_path, with_source(source, f"  X: {spec}\n")))


def test_the_files_of_all_rows_go_with_the_case(tmp_path: Path) -> None:
    """A case gets the files of its first row and then those of its other rows, each once."""
    text = with_source("{key: Id, group: Id}") + "attachments: {folder: f, columns: A, names_in: description}\n"
    first, last = frame({"Id": ["A", "B"], "A": ["a.pdf", ""]}), frame({"Id": ["A", "A"], "A": ["b.pdf", "a.pdf"]}, 4)
    mapper = bound(loaded(tmp_path, text), first, last)
    assert mapper.attachment_names(first) == {2: (("A", "a.pdf"), ("A", "b.pdf"))}
    assert mapper.attachment_names(last) == {}
    assert mapper.convert(first).fields["description"].tolist() == ["words\n\n1. a.pdf\n2. b.pdf", "words"]
    assert mapper.convert(first, {2: ("a.pdf",)}).fields["description"].tolist() == ["words\n\n1. b.pdf", "words"]
    assert mapper.convert(first, {2: ("a.pdf", "b.pdf")}).fields["description"].tolist() == ["words", "words"]


def test_what_a_case_holds_counts_all_of_its_rows(tmp_path: Path) -> None:
    """A change in another row of a case changes the content of its first row, and nothing else."""
    case = loaded(tmp_path, with_source("{key: Id, group: Id}", "  N: {column: Nota, join: ' '}\n"))
    sheet = frame({"Id": ["A", "B", "A"], "Nota": ["uno", "dos", "tres"]})
    assert bound(case, sheet).content(sheet).to_dict("list") == {
        "Id": ["A", "B", "A"],
        "Nota": ["uno\ntres", "dos", "tres"],
    }
    read_otherwise = frame({"Id": ["A", "A"], "Nota": ["uno", Reread("dos", "2")]})
    (joined, _line) = bound(case, read_otherwise).content(read_otherwise)["Nota"]
    assert (joined, joined.earlier) == ("uno\ndos", "uno\n2")
    alone = sheet.iloc[:2]
    assert bound(case, alone).content(alone) is alone


def test_a_fault_in_a_joined_row_is_an_issue_of_the_case(tmp_path: Path) -> None:
    """A case with an unreadable part is never sent without that part, and the fault is told at its own line."""
    text = with_source("{key: Id, group: Id}", "  T: {column: T, type: phone, country: CO, join: ' '}\n")
    result = converted(loaded(tmp_path, text), frame({"Id": ["A", "A"], "T": ["3001234567", "no"]}))
    assert [(issue.row, issue.column, issue.value, issue.code) for issue in result.issues] == [
        (3, "T", "no", "not-a-phone")
    ]


def test_files_are_named_by_cells_as_they_are_written(tmp_path: Path) -> None:
    """Each filled attachment cell is listed with its column; rows without files are left out."""
    case = loaded(tmp_path, f"{HEAD}attachments: {{folder: f, columns: [A, B], separator: ';'}}\n")
    mapper = bound(case, sheet := frame({"Id": ["1", "2"], "A": [" a.pdf; b.pdf", ""], "B": ["c.pdf", " "]}))
    assert mapper.attachment_names(sheet) == {2: (("A", "a.pdf; b.pdf"), ("B", "c.pdf"))}


def test_a_prefix_of_the_old_system_is_taken_off_paths(tmp_path: Path) -> None:
    """`strip_prefix` makes paths of another machine relative to the folder."""
    case = loaded(tmp_path, f"{HEAD}attachments: {{folder: f, columns: A, separator: ',', strip_prefix: /var/glpi}}\n")
    mapper = bound(case, sheet := frame({"Id": ["1"], "A": ["/var/glpi/PDF/a.pdf, x.pdf"]}))
    assert mapper.attachment_names(sheet) == {2: (("A", "PDF/a.pdf,x.pdf"),)}


PREFIXES = {
    r"Z:\Soportes\2026\a.pdf": r"2026\a.pdf",
    "z:/soportes/a.pdf": "a.pdf",
    r"\\SRV\share\a.pdf": "a.pdf",
    "//srv/Share/a.pdf": "a.pdf",
    "/home/ana/a.pdf": "a.pdf",
    "/home/Ana/a.pdf": "home/Ana/a.pdf",
    r"\\OTRO\share\a.pdf": r"\\OTRO\share\a.pdf",
    r"\\SRV\share\x\a.pdf": "a.pdf",
    "a.pdf": "a.pdf",
    r"Z:\Soportes 2026\a.pdf": r"Z:\Soportes 2026\a.pdf",
    r"Z:\Soportes2026\a.pdf": r"Z:\Soportes2026\a.pdf",
    r"\\SRV\share\xy\a.pdf": r"xy\a.pdf",
}


@pytest.mark.parametrize(("cell", "name"), PREFIXES.items())
def test_the_longest_of_several_beginnings_is_taken_off(tmp_path: Path, cell: str, name: str) -> None:
    """Paths of other machines become names in the folder, whichever slash they have; Windows knows no case."""
    prefixes = r"['Z:\Soportes', '\\SRV\share', '\\SRV\share\x', /home/ana/]"
    case = loaded(tmp_path, f"{HEAD}attachments: {{folder: f, columns: A, strip_prefix: {prefixes}}}\n")
    mapper = bound(case, sheet := frame({"Id": ["1"], "A": [cell]}))
    assert mapper.attachment_names(sheet) == {2: (("A", name),)}


@pytest.mark.parametrize(
    ("more", "cell", "names"),
    [
        *(("", cell, None) for cell in ("", " ", "NO", "no", "N/A", "n/a", "-")),
        ("", "NO.pdf", "NO.pdf"),
        ("", "N/A; a.pdf", "a.pdf"),
        ("", "a.pdf; b.pdf;", "a.pdf; b.pdf;"),
        (", none: [Ningún adjunto]", "ningun adjunto", None),
        (", none: [Ningún adjunto]", "NO", "NO"),
        (", none: []", "-", "-"),
    ],
)
def test_words_that_mean_none_name_no_file(tmp_path: Path, more: str, cell: str, names: str | None) -> None:
    """A word that means none is no name, alone or between separators, whole before any separator cuts it."""
    for separator in (";", "/") if cell == "N/A" else (";",):
        text = f"{HEAD}attachments: {{folder: f, columns: A, separator: '{separator}'{more}}}\n"
        mapper = bound(loaded(tmp_path, text), sheet := frame({"Id": ["1"], "A": [cell]}))
        assert mapper.attachment_names(sheet) == ({2: (("A", names),)} if names else {})


def test_files_are_found_by_patterns_under_the_folder_alone(tmp_path: Path) -> None:
    """Patterns take every matching file, sorted by name; `*` or `..` in a cell has no effect."""
    for name in ("T-1/b.pdf", "T-1/a.pdf", "T-1/deep/c.pdf", "T-2-x.png", "T-22-x.png", "*/d.pdf"):
        path = tmp_path / "f" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "secret.pdf").write_bytes(b"x")
    text = f"{HEAD}attachments: {{folder: f, patterns: ['{{Id}}/*.pdf', '{{Id}}-?.png'], names_in: description}}\n"
    sheet = frame({"Id": ["T-1", "T-2", "*", "..", ""]})
    mapper = bound(loaded(tmp_path, text), sheet, beside=tmp_path)
    assert mapper.attachment_names(sheet) == {
        2: (("Id", "T-1/a.pdf"), ("Id", "T-1/b.pdf")),
        3: (("Id", "T-2-x.png"),),
    }
    assert mapper.convert(sheet).fields["description"].tolist()[:3] == [
        "words\n\n1. a.pdf\n2. b.pdf", "words\n\n1. T-2-x.png", "words",
    ]  # fmt: skip


def test_an_empty_cell_makes_no_pattern_wider(tmp_path: Path) -> None:
    """If one part of a pattern is empty, the row gets no files by it, instead of those of all rows."""
    (tmp_path / "f" / "2026").mkdir(parents=True)
    (tmp_path / "f" / "2026" / "T-1.pdf").write_bytes(b"x")
    case = loaded(tmp_path, f"{HEAD}attachments: {{folder: f, patterns: '{{Año}}/{{Id}}*'}}\n")
    sheet = frame({"Id": ["T-1", ""], "Año": ["2026", "2026"]})
    assert bound(case, sheet, beside=tmp_path).attachment_names(sheet) == {2: (("Año", "2026/T-1.pdf"),)}


def test_files_are_listed_by_another_table(tmp_path: Path) -> None:
    """A table of files, as GLPI and osTicket export them, gives each case its files with their display names."""
    listed = "{file: docs.csv, key: items_id, match: Id, path: filepath, name: filename}"
    text = f"{HEAD}attachments: {{folder: f, list: {listed}, strip_prefix: /var/, names_in: description}}\n"
    docs = frame({
        "items_id": ["7", "7", "8", "9"],
        "filepath": ["/var/ab/1.bin", "ab/2.bin", "", "x.bin"],
        "filename": ["Factura.pdf", "", "nada", "y"],
    })  # fmt: skip
    sheet = frame({"Id": ["7", "8", "10"]})
    mapper = bound(loaded(tmp_path, text), sheet, tables={"docs.csv": docs})
    assert mapper.attachment_names(sheet) == {2: (("Id", "ab/1.bin"), ("Id", "ab/2.bin"))}
    assert mapper.convert(sheet).fields["description"].tolist()[0] == "words\n\n1. Factura.pdf\n2. 2.bin"


def test_a_column_of_web_addresses_is_refused(tmp_path: Path) -> None:
    """Web addresses are not files: the fault is at the mapping's line, and says what to do instead."""
    case = loaded(tmp_path, f"{HEAD}attachments: {{folder: f, columns: Link}}\n")
    mapper = bound(case, sheet := frame({"Id": ["1", "2"], "Link": ["https://a.co/1.pdf", ""]}))
    with pytest.raises(MappingError, match=r":12:35: attachments\.columns: Link has web addresses"):
        mapper.convert(sheet)


@pytest.mark.parametrize("keep", ["first", "last"])
def test_r19_keep_and_identity_have_one_definition_of_the_same_key(tmp_path: Path, keep: str) -> None:
    """`keep` treats keys as identity does: a key that differs by a no-break space is the same key."""
    case = loaded(tmp_path, with_source(f"{{key: [Id, N], keep: {keep}}}"))
    broken = CellError("#N/A", "error-cell", "", "")
    sheet = frame({"Id": ["T 1", "T\xa01", "7", Typed("7.0", 7.0), "", "", broken, broken], "N": ["1"] * 8})
    skipped = bound(case, sheet).convert(sheet).skipped
    keys = keys_in(sheet, ["Id", "N"])
    assert list(skipped) == ([3, 5] if keep == "first" else [2, 4])
    assert [len(key) for key in keys.parts] == [2, 2, 2, 2, 0, 0, 0, 0]
    assert keys.parts[0] == keys.parts[1]
    assert keys.parts[2] == keys.parts[3]


def test_lines_of_one_case_are_joined_over_a_no_break_space(tmp_path: Path) -> None:
    """An invisible difference in a key does not separate the rows of a case."""
    case = loaded(tmp_path, with_source("{key: Id, group: Id}"))
    sheet = frame({"Id": ["T 1", "T\xa01", "T 2"]})
    assert bound(case, sheet).convert(sheet).skipped == {3: "part of the case of row 2"}
