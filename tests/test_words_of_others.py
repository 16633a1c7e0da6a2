"""What other programs and the grammar say, in the language of the person who reads it."""

from __future__ import annotations

import errno
import json
import re
import socket
import sqlite3
from pathlib import Path

import pytest
from mapping_support import HEAD, faults
from run_support import Give

from importer import messages
from importer.cli.main import COMMANDS
from importer.errors import UsageError
from importer.mapping import json_schema
from importer.sandbox.config import load_config
from importer.system.causes import reason_of

_ENGLISH = re.compile(r"\b(the|not|is|no|for|found|expected|file|value|line|and|of)\b")


@pytest.mark.parametrize(
    ("error", "es"),
    [
        (FileNotFoundError(errno.ENOENT, "The system cannot find the file"), "el archivo o la carpeta no existe"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "otro programa ya lo usa"),
        (PermissionError(errno.EACCES, "Permission denied", "x.xlsx"), "usted no tiene permiso"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "ese nombre de servidor no existe"),
        (socket.gaierror(2, "Another of its numbers"), "Another of its numbers"),
        (sqlite3.DatabaseError("file is not a database"), "el archivo no es una base de datos"),
        (TimeoutError("timed out"), "no respondió a tiempo"),
        (ValueError("words of nobody"), "words of nobody"),
        (ValueError(), "ValueError"),
    ],
)
def test_the_words_of_the_system_are_in_the_users_language(error: Exception, es: str) -> None:
    """Known reasons are phrases of ours, by number where there is one; unknown ones stay as they came."""
    with messages.speaking("es"):
        assert reason_of(error) == es


def test_what_is_known_of_the_system_stays_in_english() -> None:
    """English shows the system's own words, without its number."""
    assert reason_of(OSError(errno.EADDRINUSE, "Address already in use")) == "Address already in use"


@pytest.mark.parametrize("tag", ["es", "pt"])
def test_the_schema_and_its_parts_are_in_the_users_language(tag: str) -> None:
    """Every description of the schema is translated, and braces are as in the mapping."""
    with messages.speaking(tag):
        shown = json.dumps(json_schema(), ensure_ascii=False)
    described = re.findall(r'"description": "((?:[^"\\]|\\.)*)"', shown)
    english = set(re.findall(r'"description": "((?:[^"\\]|\\.)*)"', json.dumps(json_schema(), ensure_ascii=False)))
    assert [text for text in described if text in english] == []
    assert "{Ticket}/*" in shown
    assert "{{" not in shown.replace("{{ d", "")


def test_a_required_blank_is_not_to_be_removed(tmp_path: Path) -> None:
    """In Spanish, the draft's blanks are explained in Spanish, and none is to be removed."""
    with messages.speaking("es"):
        found = faults(tmp_path, HEAD.replace("Request", "").replace("ADMIN_@demo", "").replace("Media", ""))
    assert len(found) == 4
    for fault in found:
        assert "escriba uno." in fault
        assert "quite" not in fault
        assert not _ENGLISH.search(fault.partition("escriba")[2])


@pytest.mark.parametrize("name", ["SOURCE", "MAPPING", "REPORT", "FILE", "KEY", "NAME", "FROM", "TO", "RUN", "SECONDS"])
@pytest.mark.parametrize("tag", ["es", "pt"])
def test_no_help_names_a_value_in_english(give: Give, tag: str, name: str) -> None:
    """Usage lines, options and texts call what is to be filled in by one name of the language."""
    commands = [*([each] for each in COMMANDS), ["journal", "move"], ["journal", "backup"], ["journal", "copy"]]
    shown = [give([*command, "--help", "--lang", tag]).out for command in commands]
    assert [text for text in shown if re.search(rf"(?<![-_\w]){name}\b(?!=)", text)] == []


def test_what_is_missing_is_named_as_in_the_usage(tmp_path: Path, give: Give) -> None:
    """A missing argument, a mapping that is not there, swapped files: each a sentence in the language."""
    assert "HOJA" in give(["check", "--lang", "es"]).err.splitlines()[-1]
    sheet, mapping = tmp_path / "hoja.csv", tmp_path / "m.yml"
    sheet.write_bytes("Ticket;Año\n1;dos\n".encode("cp1252"))
    assert "No existe" in give(["check", str(sheet), "-m", str(tmp_path / "pq.yml"), "--lang", "es"]).err
    mapping.write_text(HEAD)
    swapped = give(["check", str(mapping), "-m", str(sheet), "--lang", "es"]).err
    assert "parece una hoja de cálculo" in swapped
    assert "UTF-8" not in swapped


YAML = {
    "fields: {}\n  a: 1\n": "sangría",
    "a:\n  b: 1\n c: 2\n": "sangría",
    "fields:\n  a: 1\n  b\n  c: 2\n": "falta el ':'",
    "a: @x\n": "no puede comenzar con @",
    "a: *.pdf\n": "no puede comenzar con *",
    "a: | x\n": "no puede comenzar con |",
    "a: Motivo: algo\n": "entre comillas el valor",
    "a: [x, y\nb: 1\n": "no se cerró el [ de la línea 1",
    "a: {x: y\nb: 1\n": "no se cerró la { de la línea 1",
    'a: "x\nb: 1\n': "la comilla que se abre aquí no se cierra",
    'a: "Ana" Perez\n': "después de la comilla que cierra",
    'a: "x" ]\n': "] está fuera de lugar",
    'a: "C:\\x"\n': "use comillas simples",
    "a:\n\tb: 1\n": "tabulación",
    "a: - x\n": "en su propia línea",
    "a: [1,\n": "falta un valor",
    "a: 1\n...\nb: 2\n": "terminó antes de esta línea",
    "a: &x 1\nb: &x 2\n": "&x",
}


@pytest.mark.parametrize(("text", "words"), YAML.items())
def test_a_file_that_is_no_yaml_is_explained_in_the_users_language(tmp_path: Path, text: str, words: str) -> None:
    """Each mistake has a sentence that says what to do, without PyYAML's words."""
    with messages.speaking("es"):
        found = " ".join(faults(tmp_path, text))
    assert words in found
    assert not re.search("while|expected|found", found)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("[", "falta cerrar el ["),
        ("(a", "falta cerrar un paréntesis"),
        ("*a", "nada que repetir"),
        ("\\\\q", "\\q no tiene"),
    ],
)
def test_a_faulty_expression_is_explained_in_the_users_language(tmp_path: Path, pattern: str, words: str) -> None:
    """What is wrong with a regular expression is said in the language, with its position."""
    with messages.speaking("es"):
        found = faults(tmp_path, HEAD + f'form:\n  A: {{column: X, pattern: "{pattern}"}}\n')
    assert any(words in fault and "(posición " in fault for fault in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user: [b]\n", "users"),
        ("search:\n  orden: x\n", "order"),
        ("contacts: ana@example.com\n", "lista"),
        ("search:\n  seen_after: mucho\n", "número"),
        ("max_body: mucho\n", "10MB"),
        ("- users\n", "opciones"),
    ],
)
def test_the_sandbox_refuses_its_configuration_in_the_users_language(tmp_path: Path, text: str, words: str) -> None:
    """The sentence is the mapping's own, with what is possible, and never pydantic's."""
    path = tmp_path / "s.yml"
    path.write_text(text)
    with messages.speaking("es"), pytest.raises(UsageError) as refused:
        load_config(path)
    assert words in str(refused.value)
    assert not re.search("Input|valid|keyword|should", str(refused.value))


def test_a_command_that_is_nearly_one_is_suggested(give: Give) -> None:
    """A misspelt command brings the one that it is like, in the language."""
    assert "Quiso decir" in give(["chek", "--lang", "es"]).err
    assert "Did you mean" in give(["chek", "--lang", "en"]).err
    assert "Did you mean" not in give(["xyz", "--lang", "en"]).err
