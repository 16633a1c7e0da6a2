"""A mapping file is edited by clicking: one decision changes, and every other character stays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from difflib import ndiff
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mapping_support import HEAD

from importer.errors import MappingChanged, MappingError, UsageError
from importer.mapping import MappingEditor, load_mapping
from importer.text import trimmed

SAMPLES = sorted((Path(__file__).parent.parent / "mappings").glob("*.yml"))

BLOCK = """\
# Our mapping.
version: 1   # of the format
import: "semana"

source:
  sheet: 'Hoja 1'    # the first
  key: Radicado

fields:
  case-type: {column: Tipo, values: {P: Request, "Q": Complaints}}  # two of them
  responsible: ADMIN_@demo    # everybody's
  owner: {value: ADMIN_@demo}
  contact:   # <-- an address
  description: >-
    folded {{text}}
    # no comment
  # about the status
  status:                       # by its header
    column: Estado              # left
    # the texts
    values:
      Abierto: Abierto          # 3 rows
      'Cerrado ': Cerrado       # 1 row
    closed: [Cerrado]
  priority: Media

form: {}   # none yet

reference: description
# the end
"""

Edit = Callable[[MappingEditor], None]


def edited(text: str, *edits: Edit) -> str:
    """Return a text after edits; what changed may have faults."""
    editor = MappingEditor.new(Path("mapping.yml"), text)
    for edit in edits:
        edit(editor)
    return editor.text


def changes(before: str, after: str) -> list[str]:
    """Return the lines that differ, each with its sign."""
    return [line.rstrip("\n") for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def _ignore(editor: MappingEditor) -> None:
    for name in ("A", "a ", "B"):
        editor.ignore_column(name)


def _use_after_all(editor: MappingEditor) -> None:
    editor.ignore_column("A")
    editor.add_heading("Radicado", "a")


CASES: dict[str, tuple[Edit, list[str]]] = {
    "same": (lambda e: e.set_constant("priority", "Media"), []),
    "constant": (lambda e: e.set_constant("responsible", "a b: c"), [
        "-   responsible: ADMIN_@demo    # everybody's",
        '+   responsible: "a b: c"    # everybody\'s',
    ]),
    "marked constant": (lambda e: e.set_constant("priority", "Prioridad", marked=True), [
        "-   priority: Media", "+   priority: {value: Prioridad}",
    ]),
    "blank filled": (lambda e: e.set_column("contact", "Correo", type="email"), [
        "-   contact:   # <-- an address", "+   contact: {column: Correo, type: email}",
    ]),
    "column to constant": (lambda e: e.set_constant("case-type", "Request"), [
        '-   case-type: {column: Tipo, values: {P: Request, "Q": Complaints}}  # two of them',
        "+   case-type: Request  # two of them",
    ]),
    "another column in flow": (lambda e: e.set_column("case-type", "Tipo, nuevo"), [
        '-   case-type: {column: Tipo, values: {P: Request, "Q": Complaints}}  # two of them',
        '+   case-type: {column: "Tipo, nuevo", values: {P: Request, "Q": Complaints}}  # two of them',
    ]),
    "another column in lines": (lambda e: e.set_column("status", "Situación", default="Abierto"), [
        "-     column: Estado              # left",
        "+     column: Situación              # left",
        "+     default: Abierto",
    ]),
    "values in flow": (lambda e: e.add_values("case-type", {"R": "Claims", "P": "Request"}), [
        '-   case-type: {column: Tipo, values: {P: Request, "Q": Complaints}}  # two of them',
        '+   case-type: {column: Tipo, values: {P: Request, "Q": Complaints, R: Claims}}  # two of them',
    ]),
    "values in lines": (lambda e: e.add_values("status", {"En curso": "Abierto", "Cerrado": "Archivado"}), [
        "-       'Cerrado ': Cerrado       # 1 row",
        "+       'Cerrado ': Archivado       # 1 row",
        "+       En curso: Abierto",
    ]),
    "column to constant in lines": (lambda e: e.set_constant("status", "Abierto"), [
        "-   status:                       # by its header",
        "+   status: Abierto                       # by its header",
        "-     column: Estado              # left",
        "-     values:",
        "-       Abierto: Abierto          # 3 rows",
        "-       'Cerrado ': Cerrado       # 1 row",
        "-     closed: [Cerrado]",
    ]),
    "column to template in lines": (lambda e: e.join_columns("status", ["A", "B:x"], " {x} ", closed=None), [
        "-     column: Estado              # left",
        '+     template: "{A} {{x}} {B:x}"              # left',
        "-     values:",
        "-       Abierto: Abierto          # 3 rows",
        "-       'Cerrado ': Cerrado       # 1 row",
        "-     closed: [Cerrado]",
    ]),
    "constant to column": (lambda e: e.set_column("owner", "Agente"), [
        "-   owner: {value: ADMIN_@demo}", "+   owner: {column: Agente}",
    ]),
    "block text to column": (lambda e: e.set_column("description", "Detalle"), [
        "-   description: >-",
        "-     folded {{text}}",
        "-     # no comment",
        "+   description: {column: Detalle}",
    ]),
    "removed": (lambda e: e.remove("status"), [
        "-   status:                       # by its header",
        "-     column: Estado              # left",
        "-     values:",
        "-       Abierto: Abierto          # 3 rows",
        "-       'Cerrado ': Cerrado       # 1 row",
        "-     closed: [Cerrado]",
    ]),
    "removed block text": (lambda e: e.remove("description"), [
        "-   description: >-", "-     folded {{text}}", "-     # no comment",
    ]),
    "not there": (lambda e: e.remove("form.X"), []),
    "closed": (lambda e: e.set_closed(["Cerrado", "Anulado, x"]), [
        "-     closed: [Cerrado]", '+     closed: [Cerrado, "Anulado, x"]',
    ]),
    "nothing closed": (lambda e: e.set_closed([]), ["-     closed: [Cerrado]"]),
    "first form field": (lambda e: e.set_column("form.Asunto: 1", "Asunto", required=True), [
        "- form: {}   # none yet",
        "+ form:   # none yet",
        '+   "Asunto: 1": {column: Asunto, required: true}',
    ]),
    "key": (lambda e: e.set_key(["Sede", "Número"]), ["-   key: Radicado", "+   key: [Sede, Número]"]),
    "no key": (lambda e: e.set_key([]), ["-   key: Radicado", "+   key: content"]),
    "a key called content": (lambda e: e.set_key(["content"]), ["-   key: Radicado", "+   key: [content]"]),
    "sheet": (lambda e: e.set_sheet("Hoja 2"), [
        "-   sheet: 'Hoja 1'    # the first", "+   sheet: Hoja 2    # the first",
    ]),
    "no sheet": (lambda e: e.set_sheet(None), ["-   sheet: 'Hoja 1'    # the first"]),
    "heading": (lambda e: e.add_heading("Radicado", "N° 1"), [
        '+   headings: {Radicado: ["N° 1"]}',
    ]),
    "its own heading": (lambda e: e.add_heading("Radicado", "RADICADO "), []),
    "ignored": (_ignore, [
        "+   ignore: [A, B]",
    ]),
    "used after all": (_use_after_all, [
        "+   headings: {Radicado: [a]}",
    ]),
    "attachments": (lambda e: e.set_attachments(folder="adjuntos", columns=["Adjunto"], separator=";"), [
        "+ ", '+ attachments: {folder: adjuntos, columns: [Adjunto], separator: ";"}',
    ]),
    "import": (lambda e: e.set_import_name("semana 48"), ['- import: "semana"', "+ import: semana 48"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_edit_changes_only_its_own_lines(name: str, newline: str) -> None:
    """Comments, order, quotes, line ends and all other lines are as they were; blank lines count as lines."""
    edit, expected = CASES[name]
    before = BLOCK.replace("\n", newline)
    after = edited(before, edit)
    assert sorted(changes(before, after)) == sorted(expected)
    assert ("\r" in after) == (newline == "\r\n")
    assert not re.search(r"(?<!\r)\n", after) or newline == "\n"
    yaml.compose(after)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_field_of_the_samples_can_be_edited(path: Path) -> None:
    """Whatever the style of a sample is, each field becomes a constant, a column or nothing, and the rest stays."""
    text = path.read_text("utf-8")
    content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
    names = [*content["fields"], *(f"form.{name}" for name in content["form"])]
    for name in names:
        section, key = ("form", name[5:]) if name.startswith("form.") else ("fields", name)
        for edit, node in (
            (lambda e, name=name: e.set_constant(name, "x: y"), "x: y"),
            (lambda e, name=name: e.set_column(name, "Col: #1", values={"a b": "{", "*": "'"}), None),
            (lambda e, name=name: e.remove(name), KeyError),
        ):
            after = yaml.load(edited(text, edit), Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
            found = after[section].pop(key, KeyError)
            if node is None:
                assert (found["column"], found["values"]) == ("Col: #1", {"a b": "{", "*": "'"})
            else:
                assert (found.get("value") if isinstance(found, dict) else found) == node
            rest = {**content, section: {each: spec for each, spec in content[section].items() if each != key}}
            assert after == rest
        kept = [line for line in text.splitlines() if line.lstrip().startswith("#")]
        assert [line for line in edited(text, edit).splitlines() if line.lstrip().startswith("#")] == kept


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(
    ["NO", "0123", "2024-01-31", "a: b", "# x", "  x", "x  ", "'", '"', "a\nb", "a\r\nb", "\u2028 x", "\x85 x", "😀",
     "- a", "? a", "&a", "*a", "!a", "%a", "@a", "`a", "{a}", "[a]", "a,b", "|", ">", "~", "null", "<<", "=", "a #b",
     "\t", "\ufeff", "a\u00a0b", "\x00", "\x7f", "y" * 1500]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([HEAD, BLOCK]), TEXTS, TEXTS, TEXTS)
@example(HEAD, "y" * 1500, "z" * 1500, "\u2028 x ")
def test_any_text_is_read_back_as_it_went_in(before: str, column: str, text: str, value: str) -> None:
    """A column, a text of `values`, a CRM value and a constant are the same for the loader, whatever is in them."""

    def change(editor: MappingEditor) -> None:
        editor.set_column("status", column, values={text: value}, closed=None)
        editor.set_column("form.X", column, default=value)
        editor.set_constant("owner", value)
        editor.set_constant("form.Y", text, marked=True)
        editor.set_template("description", column)

    after = yaml.load(edited(before, change), Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
    status = after["fields"]["status"]
    assert status["column"] == column
    assert {trimmed(key): each for key, each in status["values"].items()} == {trimmed(text): value}
    assert after["form"]["X"] == {"column": column, "default": value}
    assert (after["fields"]["owner"], after["form"]["Y"]) == (value, {"value": text})
    assert after["fields"]["description"] == {"template": column}
    assert after["fields"]["priority"] == "Media"


def saved(folder: Path, text: str = HEAD) -> MappingEditor:
    """Return the editor of a file with this text."""
    path = folder / "mapping.yml"
    path.write_bytes(text.encode())
    return MappingEditor.open(path)


def test_what_is_saved_loads(tmp_path: Path) -> None:
    """The file is written as a whole, keeps its rights and a byte order mark, and may be edited on."""
    editor = saved(tmp_path, "\ufeff" + HEAD)
    editor.path.chmod(0o640)
    editor.set_constant("owner", "OTRO_@demo")
    editor.save()
    assert editor.path.read_bytes() == ("\ufeff" + HEAD.replace("owner: ADMIN_@demo", "owner: OTRO_@demo")).encode()
    assert editor.path.stat().st_mode & 0o777 == 0o640 or os.name == "nt"
    editor.set_key(["Otro"])
    editor.save()
    assert load_mapping(editor.path).key == ("Otro",)
    assert [path.name for path in tmp_path.iterdir()] == ["mapping.yml"]


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda e: e.set_constant("owner", " "), "fields.owner: blank value"),
        (lambda e: e.set_constant("owner", "…"), "blank value"),
        (lambda e: e.set_options("status", closed=["Cerado"], allowed=["Cerrado", "Abierto"]), "did you mean Cerrado"),
        (lambda e: e.set_column("form.F", "F", type="date", format="DD"), "not a valid format"),
        (lambda e: e.set_template("description", "{"), "unclosed brace"),
        (lambda e: e.set_constant("owner", "\ud800"), "half of a surrogate pair"),
        (lambda e: e.set_options("owner", colour="red"), "unknown key"),
        (lambda e: e.set_attachments(folder=None, columns=["A"]), "folder is missing"),
    ],
)
def test_an_edit_that_would_not_load_is_refused(tmp_path: Path, edit: Edit, fault: str) -> None:
    """The mapping says itself what would be wrong, and the file stays as it is."""
    editor = saved(tmp_path)
    edit(editor)
    for unfinished in (False, True):
        with pytest.raises(MappingError, match=re.escape(fault)):
            editor.save(unfinished=unfinished)
    assert editor.path.read_text("utf-8") == HEAD


def test_a_field_that_is_required_may_be_left_open_for_a_while(tmp_path: Path) -> None:
    """Whoever does not know yet what fills a field can save the rest; the mapping loads once it is filled."""
    editor = saved(tmp_path)
    editor.remove("status")
    with pytest.raises(MappingError, match=r"fields\.status: status is missing"):
        editor.save()
    editor.save(unfinished=True)
    editor.copy("status", "priority")
    editor.save()
    fields = load_mapping(editor.path).grammar.fields.named()
    assert fields["status"] == fields["priority"]


def test_a_draft_keeps_its_blanks_for_a_while(tmp_path: Path) -> None:
    """An unfinished mapping can be saved with the faults that it had, but gets no new ones; finished, it loads."""
    draft = HEAD.replace("ana@example.com", "  # <-- an address").replace("status: Abierto", "status:")
    editor = MappingEditor.new(tmp_path / "nuevo.yml", draft)
    editor.set_column("contact", "Correo")
    editor.save(unfinished=True)
    assert "<--" not in editor.path.read_text("utf-8")
    with pytest.raises(MappingError, match=r"fields\.status"):
        editor.save()
    editor.set_constant("status", "Abierto")
    editor.save()
    assert load_mapping(editor.path).import_name == "test"


def test_another_edit_is_not_overwritten(tmp_path: Path) -> None:
    """A file that was changed, removed or made meanwhile stays as the other program left it."""
    editor, other = saved(tmp_path), MappingEditor.open(tmp_path / "mapping.yml")
    other.set_constant("owner", "OTRO_@demo")
    other.save()
    editor.set_constant("owner", "YO_@demo")
    with pytest.raises(MappingChanged, match="changed by another program"):
        editor.save()
    assert editor.path.read_text("utf-8") == other.text
    editor.path.unlink()
    with pytest.raises(MappingChanged):
        editor.save()
    assert list(tmp_path.iterdir()) == []
    editor.path.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="already exists"):
        MappingEditor.new(editor.path, HEAD).save()
    assert editor.path.read_text("utf-8") == "mine"


@pytest.mark.parametrize("text", ["a: &x b\nc: *x\n", "a: 1\na: 2\n", "a: [", "\x00"])
def test_a_file_in_which_no_edit_is_certain_is_not_opened(tmp_path: Path, text: str) -> None:
    """Anchors, duplicate keys and what is no YAML are told as the loader tells them."""
    with pytest.raises(MappingError):
        saved(tmp_path, text)


@pytest.mark.parametrize(
    "text", ["{version: 1, fields: {owner: a, contact: b}, form: {}}", "", "form:\n", "a: {b: 1,}\n"]
)
def test_unusual_styles_can_be_edited(text: str) -> None:
    """A file in braces, an empty one, a section without a value."""
    after = edited(text, lambda e: e.set_column("form.X", "C"), lambda e: e.remove("owner"), lambda e: e.set_key(["K"]))
    content = yaml.load(after, Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
    assert content["form"] == {"X": {"column": "C"}}
    assert content["source"] == {"key": "K"}
    assert content.get("fields", {"contact": "b"}) == {"contact": "b"}


def test_what_no_mapping_could_say_is_refused_at_once() -> None:
    """A template cannot name a column with braces, and `values` are for the texts of a column; the sentence says so."""
    with pytest.raises(UsageError, match=r"a\{b\} cannot be joined"):
        edited(HEAD, lambda e: e.join_columns("description", ["x", "a{b}"]))
    with pytest.raises(UsageError, match="Empty cells"):
        edited(HEAD, lambda e: e.add_values("status", {" ": "Abierto"}))
    with pytest.raises(UsageError, match="status is not read from a column"):
        edited(HEAD, lambda e: e.add_values("status", {"En curso": "Abierto"}))
