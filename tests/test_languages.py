"""The language that people are spoken to in: how it is chosen, and what it changes in a sentence and on a terminal."""

from __future__ import annotations

import ast
import gettext
import inspect
import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import catalogues
import click
import pytest
from nursery import Nursery
from run_support import Give, Office, ticket

from importer import messages
from importer.cli import click_words
from importer.cli.language import confirm
from importer.cli.main import COMMANDS, INTERNAL_ERROR, SECTIONS, case_importer, execute
from importer.cli.output import counts_line
from importer.cli.streams import Output
from importer.commands import placeholder
from importer.languages import LANGUAGES, chosen_language, known_language
from importer.messages import _, gettext_noop, in_all_languages, language, ngettext, shown, speaking, translated
from importer.model import Counts, Status
from importer.names import counted, state_name

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "importer").rglob("*.py"))
SENTENCES = {"_", "ngettext"}

TRIAL = """\
msgid ""
msgstr ""

msgid "created"
msgstr "caso creado"

msgid "{state} {count}"
msgstr "{state}: {count}"

msgid "{limit:,} until {at:%Y-%m-%d} ({size:.2f})"
msgstr "{limit:,} hasta el {at:%d/%m} ({size:.2f})"

msgid "Usage:"
msgstr "Uso:"

msgid "Show this message and exit."
msgstr "Mostrar esta ayuda."

msgid "Read, map and validate a source; list its issues. Sends nothing."
msgstr "Lee y revisa una hoja. No envía nada."

msgid "Print the result as one JSON object."
msgstr "Escribir el resultado como JSON."

msgid "{question} [y/N]"
msgstr "{question} [s/N]"

msgid "No such command {name!r}."
msgstr "No existe el comando {name!r}."

msgid "{count} row: {counts}"
msgid_plural "{count} rows: {counts}"
msgstr[0] "{count} fila: {counts}"
msgstr[1] "{count} filas: {counts}"

msgid "  {count} row"
msgid_plural "  {count} rows"
msgstr[0] "  {number} fila"
msgstr[1] "  {number} filas"
"""


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a Spanish catalogue of a few sentences, so that the tests do not depend on the translators."""
    file = tmp_path / "locale" / "es" / "LC_MESSAGES" / "case-importer.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogues.compiled("es", TRIAL))
    monkeypatch.setattr(messages, "FOLDER", str(tmp_path / "locale"))
    return file


# ------------------------------------------------------------------------------------------------ the choice


@pytest.mark.parametrize(
    ("tag", "known"),
    [
        *[(tag, "es") for tag in ("es", "ES", "es_CO", "es-MX", "es_CO.UTF-8", "es-419", "es@euro", " es ")],
        *[(tag, "pt") for tag in ("pt", "pt_BR", "pt-PT", "PT_br.utf8")],
        *[(tag, "en") for tag in ("en", "en_GB.UTF-8")],
        *[(tag, None) for tag in ("", "fr", "C", "POSIX", "spanish", "e", "est", "*")],
    ],
)
def test_a_tag_means_one_of_our_languages(tag: str, known: str | None) -> None:
    """A country, an encoding and capitals do not matter; other languages are not ours."""
    assert known_language(tag) == known


@pytest.mark.parametrize(
    ("environ", "langid", "expected"),
    [
        ({}, 0, "en"),
        ({"LANG": "es_CO.UTF-8"}, 0, "es"),
        ({"LANG": "es_CO.UTF-8", "LC_MESSAGES": "pt_BR"}, 0, "pt"),
        ({"LANG": "es_CO.UTF-8", "LC_MESSAGES": "pt_BR", "LC_ALL": "C.UTF-8"}, 0, "en"),
        ({"LANG": "POSIX"}, 0x240A, "en"),
        ({"LANG": "fr_FR"}, 0x240A, "en"),
        ({"LANG": "", "LC_ALL": ""}, 0x240A, "es"),  # Spanish (Colombia)
        ({}, 0x080A, "es"),  # Spanish (Mexico)
        ({}, 0x0416, "pt"),  # Portuguese (Brazil)
        ({}, 0x0409, "en"),
        ({}, 0x040C, "en"),  # French
        ({"LANG": "en_US"}, 0x240A, "en"),
        ({"CASE_IMPORTER_LANG": "pt", "LC_ALL": "es_CO"}, 0x240A, "pt"),
        ({"CASE_IMPORTER_LANG": "xx", "LC_ALL": "es_CO"}, 0x240A, "en"),
        ({"CASE_IMPORTER_LANG": "", "LC_ALL": "es_CO"}, 0, "es"),
    ],
)
def test_the_environment_chooses_the_language(environ: dict[str, str], langid: int, expected: str) -> None:
    """Ours goes before the system's, that before what Windows shows, and what is unknown is English."""
    assert chosen_language(environ, lambda: langid) == expected


def test_a_context_speaks_a_language_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request of a page speaks its reader's language while the process speaks another, in all its threads."""
    monkeypatch.delenv("CASE_IMPORTER_LANG")
    monkeypatch.setenv("LC_ALL", "pt_BR")
    messages.use_language(None)
    assert language() == "pt"
    messages.use_language("es")
    heard: list[str] = []
    with speaking("en"):
        thread = threading.Thread(target=lambda: heard.append(language()))
        thread.start()
        thread.join()
        assert (language(), heard) == ("en", ["es"])
    messages.use_language(None)


# ------------------------------------------------------------------------------------------------ sentences


def made_early(module: str) -> Iterator[int]:
    """Yield the lines on which a sentence is made while the module is imported: outside of a function's body."""
    pending: list[ast.AST] = [ast.parse(module)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SENTENCES:
            yield node.lineno
        if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [each for each in (*node.args.defaults, *node.args.kw_defaults) if each]
            pending += getattr(node, "decorator_list", [])
        else:
            pending += ast.iter_child_nodes(node)


def test_no_sentence_is_made_while_a_module_is_imported() -> None:
    """It would be in the language of that moment for ever; such a template is marked, and translated where shown."""
    found = {path.relative_to(ROOT).as_posix(): sorted(made_early(path.read_text("utf-8"))) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}
    module = "A = _('a')\nclass B:\n    c = [ngettext('a', 'b', 1)]\ndef d(e=_('e')):\n    return _('f')\n@g(_('h'))\n"
    module += "def i():\n    x = lambda y=_('z'): _('ok')\n"
    assert sorted(made_early(module)) == [1, 3, 4, 6]


@pytest.mark.usefixtures("trial")
def test_a_marked_template_is_translated_where_it_is_shown() -> None:
    """The same template speaks each language in turn, and English where the catalogue has none."""
    template = gettext_noop("created")
    assert in_all_languages(template) == ("created", "caso creado")
    with speaking("es"):
        assert (translated(template), _("No translation of {this}", this="it")) == (
            "caso creado",
            "No translation of it",
        )


@pytest.mark.parametrize(
    ("tag", "value", "spec", "expected"),
    [
        ("en", 1234567, ",", "1,234,567"),
        ("es", 1234567, ",", "1.234.567"),
        ("pt", 1234.5, ",.1f", "1.234,5"),
        ("es", 0.25, ".2f", "0,25"),
        ("es", Decimal("2.5"), "", "2,5"),
        ("es", 1234, "", "1234"),
        ("es", True, "", "True"),
        ("es", date(2026, 12, 31), "", "31/12/2026"),
        ("pt", datetime(2026, 12, 31, 7, 5), "", "31/12/2026 07:05"),  # noqa: DTZ001
        ("es", datetime(2026, 12, 31, 7, 5), "%Y", "2026"),  # noqa: DTZ001
        ("en", date(2026, 12, 31), "", "2026-12-31"),
        ("es", timedelta(minutes=2), "", "0:02:00"),
        ("es", "1,234.5", "", "1,234.5"),
    ],
)
def test_a_value_is_shown_as_the_language_writes_it(tag: str, value: object, spec: str, expected: str) -> None:
    """Numbers with a format and dates follow the language; texts and bare whole numbers stay."""
    with speaking(tag):
        assert shown(value, spec) == expected


@pytest.mark.usefixtures("trial")
def test_a_sentence_shows_its_values_as_its_language_writes_them() -> None:
    """The format of the template decides; a sentence that has no translation stays English as a whole."""
    values = {"limit": 1234567, "at": datetime(2026, 12, 31, 7, 5), "size": 0.5}  # noqa: DTZ001
    with speaking("es"):
        assert _("{limit:,} until {at:%Y-%m-%d} ({size:.2f})", **values) == "1.234.567 hasta el 31/12 (0,50)"
        assert _("{limit:,} bytes", limit=1234) == "1,234 bytes"
    assert _("{limit:,} until {at:%Y-%m-%d} ({size:.2f})", **values) == "1,234,567 until 2026-12-31 (0.50)"


@pytest.mark.usefixtures("trial")
def test_a_template_that_cannot_be_filled_in_is_english() -> None:
    """A catalogue with a wrong placeholder costs the translation, never the command."""
    with speaking("es"):
        assert ngettext("  {count} row", "  {count} rows", 2) == "  2 rows"


@pytest.mark.parametrize("content", [None, b"", b"no catalogue", b"\xde\x12\x04\x95" + b"\xff" * 30], ids=repr)
def test_a_missing_or_damaged_catalogue_is_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, give: Give, content: bytes | None
) -> None:
    """The command works in English, click's words too, and the log says so in one line."""
    file = tmp_path / "locale" / "es" / "LC_MESSAGES" / "case-importer.mo"
    file.parent.mkdir(parents=True)
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(messages, "FOLDER", str(tmp_path / "locale"))
    assert "Usage:" in give(["history", "--help", "--lang", "es"]).out
    log = tmp_path / "log.jsonl"
    assert give(["--lang", "es", "history", "--log-file", str(log), "--journal", str(tmp_path / "none.db")]).status == 2
    events = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
    assert events == ["no usable catalogue of es: sentences are in English"]


@pytest.mark.usefixtures("trial")
def test_states_have_names_in_prose_and_codes_in_english() -> None:
    """One function names them; English keeps the code words, and what is no state stays."""
    assert [state_name(state) for state in Status] == [state.value for state in Status]
    assert counted([("created", 3), ("invalid", 2)]) == "created 3, invalid 2"
    with speaking("es"):
        assert (state_name("created"), state_name("other")) == ("caso creado", "other")
        assert counted([(Status.CREATED, 3)]) == "caso creado: 3"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(part=21, created=20, changed=1), "41 rows: part 21, created 20 (1 of them changed)"),
        (Counts(invalid=1, created=11, changed=5), "12 rows: invalid 1, created 11 (5 of them changed)"),
        (Counts(skipped=2, created=3, created_now=1), "5 rows: skipped 2, created 3"),
    ],
)
def test_the_parts_of_a_counts_line_add_up_to_its_total(counts: Counts, said: str) -> None:
    """Rows that were edited since are created rows, and are told as part of these."""
    line = counts_line(counts).splitlines()[0]
    assert line == said
    total, *parts = map(int, re.findall(r"\d+", re.sub(r" \(.*?\)", "", line)))
    assert sum(parts) == total == counts.rows


# ------------------------------------------------------------------------------------------------ the command line


@pytest.mark.usefixtures("trial")
@pytest.mark.parametrize("place", [["--lang", "es", "check"], ["check", "--lang", "es"], ["--lang=es_CO", "check"]])
def test_the_language_option_works_before_and_after_the_command(give: Give, place: list[str]) -> None:
    """Help, errors and click's own words speak it, and the next command of the process does not."""
    out = give([*place, "--help"]).out
    assert "Uso:" in out
    assert "Mostrar esta ayuda." in out
    assert "Escribir el resultado como JSON." in out
    assert "Usage:" in give(["check", "--help"]).out
    assert "No existe el comando 'chek'." in give(["chek", "--lang", "es"]).err
    assert "Lee y revisa una hoja" in give(["--help", "--lang", "es"]).out


def test_an_unknown_language_is_a_usage_error(give: Give) -> None:
    """It names the three, wherever it stands, and the environment is not looked at instead."""
    for arguments in (["--lang", "fr", "history"], ["history", "--lang", "fr"], ["journal", "check", "--lang="]):
        result = give(arguments)
        assert result.status == 2
        assert "is not one of es, pt, en" in result.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_language(give: Give, name: str) -> None:
    """It is in the help of each command, beside the others that it has."""
    assert "--lang" in give([name, "--help"]).out


@pytest.mark.parametrize("tag", ["es", "pt"])
def test_the_help_is_in_one_mood_and_in_one_language(tag: str) -> None:
    """What each command does begins with an infinitive, and no option has a placeholder in English."""
    commands = [
        command for name in COMMANDS if (command := case_importer.get_command(click.Context(case_importer), name))
    ]
    commands += [one for group in commands if isinstance(group, click.Group) for one in group.commands.values()]
    lines = [case_importer.help, *(line for section in SECTIONS.values() for line in section.values())]
    options = [one for command in commands for one in command.params if isinstance(one, click.Option)]
    names = {one.metavar for one in options if one.metavar and re.fullmatch("[A-Z]{3,}", one.metavar)}
    with speaking(tag):
        said = [
            translated(inspect.cleandoc(line)) for line in [*lines, *(command.help for command in commands)] if line
        ]
        assert [line for line in said if not re.match(r"\w+r\b", line)] == []
        assert {name for name in names if placeholder(name) == name} <= {"URL"}


def test_clicks_own_templates_are_ours_to_translate() -> None:
    """What the installed click asks gettext for is in our list, but for what a user of ours cannot meet."""
    used = set()
    for module in Path(click.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SENTENCES:
                used |= {each.value for each in call.args if isinstance(each, ast.Constant)}
    ours = {form for word in click_words.WORDS for form in ((word,) if isinstance(word, str) else word)}
    met = ("Usage", "Options", "Commands", "Show th", "Try ", "No such", "Missing", "Invalid value", "Did you", "Got")
    assert {word for word in used if isinstance(word, str) and word.startswith(met)} <= ours


# ------------------------------------------------------------------------------------------------ questions


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        *[(f"{word}\n", True) for word in ("y", "Y", "yes", "s", "S", "si", "sí", "SÍ", "sim", " s ")],
        *[(f"{word}\n", False) for word in ("", "n", "no", "não", "N")],
        ("quizás\ns\n", True),
        ("1\n\n", False),
    ],
)
def test_yes_is_understood_in_every_language(
    monkeypatch: pytest.MonkeyPatch,
    tag: str,
    typed: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """Enter alone is no; what is neither yes nor no is asked again."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with speaking(tag):
        assert confirm("Send?") is expected


@pytest.mark.usefixtures("trial")
def test_the_answers_are_shown_in_the_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Spanish question offers `s`; nothing of the question is on standard output."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("s\n"))
    with speaking("es"):
        assert confirm("¿Enviar 3 casos?")
    assert "¿Enviar 3 casos? [s/N]" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ encodings

SPANISH = "¿Enviar “3” casos? Sí … €"
SHOWN = {
    "": SPANISH.encode(),
    "utf-8": SPANISH.encode(),
    "nonsense": SPANISH.encode(),
    "cp850": '¿Enviar "3" casos? Sí ... ?'.encode("cp850"),
    "cp1252": SPANISH.encode("cp1252"),
    "cp1252:strict": SPANISH.encode("cp1252"),
    "ascii": b'?Enviar "3" casos? Si ... ?',
    "ascii:strict": b'?Enviar "3" casos? Si ... ?',
}


def to_a_file(write: Callable[[io.TextIOWrapper], None], folder: Path) -> bytes:
    """Return what arrives in a file."""
    with (folder / "out.txt").open("w", encoding="utf-8") as stream:
        write(stream)
    return (folder / "out.txt").read_bytes()


def through_a_pipe(write: Callable[[io.TextIOWrapper], None], _folder: Path) -> bytes:
    """Return what arrives at the end of a pipe."""
    return _received(os.pipe(), write)


def on_a_terminal(write: Callable[[io.TextIOWrapper], None], _folder: Path) -> bytes:
    """Return what a terminal is asked to show."""
    return _received(pty.openpty(), write).replace(b"\r\n", b"\n")


def _received(ends: tuple[int, int], write: Callable[[io.TextIOWrapper], None]) -> bytes:
    """Return what is read at the one end of what is written at the other; read meanwhile, since it holds little."""
    here, there = ends
    parts: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # a terminal without a program is an error, not an end
            while part := os.read(here, 65536):
                parts.append(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with os.fdopen(there, "w", encoding="utf-8") as stream:
        write(stream)
    reader.join(timeout=10)
    os.close(here)
    return b"".join(parts)


@pytest.mark.parametrize("encoding", SHOWN)
@pytest.mark.parametrize("target", [to_a_file, through_a_pipe, on_a_terminal])
def test_what_an_encoding_lacks_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Callable[..., bytes], encoding: str
) -> None:
    """The environment may ask for an encoding, else it is UTF-8; the nearest character stands for one it lacks."""

    def write(stream: io.TextIOWrapper) -> None:
        output = Output(stream, environ={"PYTHONIOENCODING": encoding})
        assert output.text is not None
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", output.text)
            click.echo(SPANISH, nl=False)
        assert output.failure() is None
        output.text.flush()

    assert target(write, tmp_path) == SHOWN[encoding]


@pytest.mark.parametrize(  # what each encoding lacks is replaced alike on each of them
    ("target", "encoding"), [(to_a_file, "cp850"), (through_a_pipe, "cp1252"), (on_a_terminal, "ascii")]
)
def test_every_command_speaks_in_every_encoding(
    office: Office, monkeypatch: pytest.MonkeyPatch, target: Callable[..., bytes], encoding: str
) -> None:
    """No command fails where its help in any language, its Spanish or a cell has what the encoding lacks."""
    for name, value in office.environment.items():
        monkeypatch.setenv(name, value)
    office.write([ticket(1, Asunto="“Año” → 漢字"), ticket(2, Estado="✓")])
    journal = ["--journal", str(office.journal)]
    given = [
        *([name, "--help", "--lang", tag] for name in COMMANDS for tag in LANGUAGES),
        *(office.arguments(name) for name in ("check", "preview", "report")),
        office.arguments("run", "--yes"),
        office.settle(),
        ["history", *journal],
        ["journal", "check", *journal],
        ["draft", str(office.source)],
        ["check", "no existe ✓.csv", "-m", str(office.mapping)],
    ]

    def write(stream: io.TextIOWrapper) -> None:
        output = Output(stream, environ={"PYTHONIOENCODING": encoding})
        assert output.text is not None
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", output.text)
            patched.setattr(sys, "stderr", output.text)
            assert max(execute(["--lang", "es", *words]) for words in given) < INTERNAL_ERROR
        assert output.failure() is None
        output.text.flush()

    shown = target(write, office.folder).decode(encoding)
    assert "Uso: case-importer run" in shown
    assert "caso creado" in shown


def test_json_in_another_encoding_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads the same object: what the encoding may lack is written as an escape."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    execute(["history", "--json", "--journal", "año “1”.db"])
    out = capsys.readouterr().out
    assert out.isascii()
    assert "año “1”.db" in json.loads(out)["reason"]


def test_gettext_is_left_as_it_was(give: Give) -> None:
    """Neither its domain nor the environment keeps the language of a command that is done."""
    before = (gettext.textdomain(), os.environ.get("LANGUAGE"))
    give(["history", "--help", "--lang", "pt"])
    assert (gettext.textdomain(), os.environ.get("LANGUAGE")) == before


# ------------------------------------------------------------------------------------------------ what is printed

WRITERS = {"echo", "secho", "write", "confirm", "prompt"}


def bare_texts(module: str) -> Iterator[int]:
    """Yield the lines on which English words go to the terminal without `_`: in a literal, or in an f-string."""
    for call in ast.walk(ast.parse(module)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in WRITERS:
            for argument in call.args[:1]:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                if any(re.search(r"[A-Za-z]{2}", text) for text in texts):
                    yield call.lineno


def test_nothing_is_printed_that_no_translator_saw() -> None:
    """The commands, the demo and the sandbox print sentences, never bare literals with words."""
    rooms = [*(ROOT / "importer" / "cli").glob("*.py"), ROOT / "importer" / "sandbox" / "demo.py"]
    found = {path.name: list(bare_texts(path.read_text("utf-8"))) for path in rooms}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert list(
        bare_texts('click.echo("Done")\nclick.echo(f"{a} rows")\nclick.echo(_("a b"))\nclick.echo(f"  {a}")')
    ) == [1, 2]


def test_a_state_is_called_by_the_word_of_the_glossary() -> None:
    """The words that people read are those of the glossary's table; `part` names no row where rows are counted."""
    table = (ROOT / "docs" / "glossary.md").read_text("utf-8").split("## States")[1]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    for number, tag in ((2, "es"), (3, "pt")):
        with speaking(tag):
            named = {row[0]: state_name(row[0]) for row in rows[2:] if row[0] != "part"}
        assert named == {row[0]: row[number] for row in rows[2:] if row[0] != "part"}


@pytest.mark.parametrize("encoding", ["cp850", "cp1252", "ascii"])
def test_a_command_in_spanish_survives_every_encoding(office: Office, nursery: Nursery, encoding: str) -> None:
    """A check with accents in cells and sentences ends with its own exit status, and its bytes are of that encoding."""
    office.write([ticket(1, Estado="Resolvió 😀 “hoy”")])
    office.environment |= {"PYTHONIOENCODING": encoding, "CASE_IMPORTER_LANG": "es"}
    done = subprocess.run(
        [*nursery.words, *office.arguments("check")],
        check=False,
        capture_output=True,
        env=office.environment,
    )
    assert done.returncode == 1
    assert "Resolvi" in done.stdout.decode(encoding)
    assert "Traceback" not in done.stderr.decode(encoding)
