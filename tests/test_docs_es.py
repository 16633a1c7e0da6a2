"""What the Spanish pages show is what the program does: examples of a mapping, quoted sentences, options.

In `docs/es/configuracion.md` a `yaml` block is an example: a mapping, or a part of one. A table above it is the sheet,
or a file of its own where the lines above name one (``El archivo `agentes.csv` ``); a sentence ``La carpeta `adjuntos`
tiene `a.pdf` `` makes that folder. The table below, whose first column is `fila`, is what comes out: a column for each
field of the case, and `mensaje`. `python tests/test_docs_es.py --update` writes these tables.

In `docs/es/problemas.md` each quoted line (`> `) is a sentence of the Spanish catalogue, `…` for what differs.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import catalogues
import click
import pytest
import yaml

from importer import Connection, Job, check, load_job, load_mapping, preview
from importer.cli.main import case_importer
from importer.cli.output import as_sentence
from importer.mapping.drafting.guesses import flow
from importer.messages import speaking, translated
from importer.report_words import VERDICTS
from importer.sandbox.config import load_config
from importer.settings.file import load_settings

DOCS = Path(__file__).parent.parent / "docs" / "es"
MAPPING, TROUBLE = DOCS / "configuracion.md", DOCS / "problemas.md"
PAGES = sorted(DOCS.glob("*.md"))
GUIDES = [page for page in PAGES if page != MAPPING]
WHOLE = """\
version: 1
import: ejemplo
source: {key: Radicado}
fields:
  case-type: Request
  responsible: ADMIN_@mi_operacion
  owner: ADMIN_@mi_operacion
  contact: ana@correo.example
  description: texto
  status: Abierto
  priority: Media
"""
"""What the parts of a mapping that the page shows are put into."""

Table = list[list[str]]
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def cells_of(table: str) -> Table:
    """Return the header and the rows of a Markdown table: `<br>` is a line break, a cell may be marked as code."""
    lines = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in table.splitlines()]
    found = [[cell.strip(" `").replace(r"\|", "|").replace("<br>", "\n") for cell in line] for line in lines]
    return [found[0], *found[2:]]


def table_of(cells: Table) -> str:
    """Return a Markdown table of its header and rows."""
    written = [[cell.replace("|", r"\|").replace("\n", "<br>") for cell in row] for row in cells]
    lines = [written[0], ["---"] * len(cells[0]), *written[1:]]
    return "".join("".join(f"| {cell} " if cell else "| " for cell in line) + "|\n" for line in lines).replace(
        "| --- ", "|---"
    )


@dataclass(frozen=True)
class Example:
    """An example of the page: the text of a mapping, the tables and files around it, and where its result stands."""

    section: str
    text: str
    sheet: Table
    tables: Mapping[str, Table]
    folders: Mapping[str, Sequence[str]]
    result: re.Match[str] | None

    def write(self, folder: Path) -> Job:
        """Write the sheet, the mapping and the files; return the job that reads them."""
        for name, table in {"hoja.csv": self.sheet, **self.tables}.items():
            with (folder / name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(table)
        for name, files in self.folders.items():
            for file_name in files:
                path = folder / name / file_name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("contenido", "utf-8")
        mapping = folder / "configuracion.yml"
        mapping.write_text(whole(self.text), "utf-8")
        return Job(folder / "hoja.csv", mapping, Connection("http://127.0.0.1:8765", "mi_operacion"))

    def outcome(self, folder: Path, wanted: Sequence[str]) -> Table:
        """Return what becomes of each row: its number, the wanted fields of its case, and what there is to say."""
        loaded = load_job(self.write(folder))
        bodies = {one.row.number: one for one in preview(loaded)}
        rows = []
        for row in check(loaded):
            issues = [f"{issue.column}: {issue.message}. {as_sentence(issue.remedy)}" for issue in row.issues]
            said = "\n".join(issues) or row.skipped or ""
            case = bodies.get(row.number) if not said and row.part_of is None else None
            body = {**case.body, **_form(case.body)} if case else {}
            if case:
                body["attachments"] = ", ".join(file.name for file in row.attachments)
            found = {
                "fila": str(row.number),
                "mensaje": said,
                **{name: _shown(body.get(name)) for name in wanted[1:-1]},
            }
            rows.append([_steady(found[name]) for name in wanted])
        return [list(wanted), *rows]


def _form(body: Mapping[str, object]) -> Mapping[str, object]:
    form = body["form"]
    assert isinstance(form, dict)
    return form


def _shown(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _steady(text: str) -> str:
    return re.sub(r"WCI-[0-9A-Z]{16}", "WCI-…", text)


def whole(text: str) -> str:
    """Return a mapping that has what a part of one says."""
    shown = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - makes texts of everything
    if "version" in shown:
        return text
    base = yaml.load(WHOLE, yaml.BaseLoader)  # noqa: S506
    for section, content in shown.items():
        base[section] = {**base.get(section, {}), **content} if isinstance(content, dict) else content
    return flow(base)


def examples_in(page: str) -> Iterator[Example]:
    """Yield the examples of a page; a section's later examples share its sheet and files."""
    starts = [found.start() for found in re.finditer(r"^#+ .*$", page, re.MULTILINE)] + [len(page)]
    for start, end in pairwise(starts):
        blocks = list(_EXAMPLE.finditer(page, start, end))
        sheet, tables, folders = [["Radicado"], ["PQR-1"]], {}, {}
        before = start
        for number, block in enumerate(blocks):
            for table in _TABLE.finditer(page, before, block.start()):
                cells = cells_of(table[0])
                named = re.search(
                    r"El archivo\s+`([\w-]+\.csv)`", page[start : table.start()].rstrip().split("\n\n")[-1]
                )
                if named:
                    tables[named[1]] = cells
                elif cells[0][0] != "fila":
                    sheet = cells
            for said in re.finditer(r"La carpeta `([\w-]+)` tiene ([^\n]+(?:\n[^\n]+)*)", page[before : block.start()]):
                folders[said[1]] = re.findall(r"`([^`]+)`", said[2])
            until = blocks[number + 1].start() if number + 1 < len(blocks) else end
            results = [one for one in _TABLE.finditer(page, block.end(), until) if one[0].startswith("| fila |")]
            title = page[start : page.index("\n", start)].lstrip("# ")
            yield Example(title, block[1], sheet, dict(tables), dict(folders), results[0] if results else None)
            before = block.end()


def as_it_is(page: str) -> str:
    """Return the page with every table of results as the program gives it."""
    for example in reversed(list(examples_in(page))):
        if example.result:
            with tempfile.TemporaryDirectory() as name, speaking("es"):
                outcome = example.outcome(Path(name), cells_of(example.result[0])[0])
            page = page[: example.result.start()] + table_of(outcome) + page[example.result.end() :]
    return page


EXAMPLES = list(examples_in(MAPPING.read_text("utf-8")))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.section)
def test_every_example_of_a_mapping_gives_what_the_page_says(example: Example, tmp_path: Path) -> None:
    """Each example is a mapping without fault, and its sheet becomes the cases and sentences that are shown."""
    with speaking("es"):
        if example.result is None:
            load_mapping(example.write(tmp_path).mapping)
            return
        expected = cells_of(example.result[0])
        assert example.outcome(tmp_path, expected[0]) == expected, "renew: python tests/test_docs_es.py --update"


def sentences() -> Iterator[str]:
    """Yield every sentence of the Spanish catalogue, `…` for each named value."""
    for message in catalogues.messages(catalogues.read(catalogues.source("es").read_text("utf-8"))):
        for text in catalogues.forms(message.string):
            yield re.sub(r"\{\w[^{}]*\}", "…", text).replace("{{", "{").replace("}}", "}")


def is_said(quoted: str, said: Iterable[str]) -> bool:
    """Tell whether some sentence begins as the quoted one and has all of its parts in their order."""
    parts = [part.strip() for part in quoted.split("…")]
    pattern = re.compile(".*?".join(re.escape(part) for part in parts), re.DOTALL)
    return any(pattern.match(sentence) for sentence in said)


def test_the_page_of_problems_quotes_what_the_program_says() -> None:
    """Every quoted sentence is one of the Spanish catalogue, so a reader who searches for it finds it."""
    said = list(sentences())
    quoted = re.findall(r"^> (.+)$", TROUBLE.read_text("utf-8"), re.MULTILINE)
    assert quoted
    assert [one for one in quoted if not is_said(one, said)] == []


def test_the_page_of_problems_names_every_state_as_the_glossary_does() -> None:
    """The table of states has each code and its Spanish word."""
    states = (DOCS.parent / "glossary.md").read_text("utf-8").partition("## States of a row")[2]
    wanted = [(row[0], row[2]) for row in cells_of(_TABLE.search(states)[0])[1:]]  # type: ignore[index]
    shown = TROUBLE.read_text("utf-8").partition("## Los estados de una fila")[2]
    assert [(row[0], row[1]) for row in cells_of(_TABLE.search(shown)[0])[1:]] == wanted  # type: ignore[index]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_decision_is_named_as_the_drop_down_offers_it(page: Path) -> None:
    """Where a page says what to choose in `Por decidir`, its words are those of the list in that sheet."""
    with speaking("es"):
        offered = set(map(translated, VERDICTS))
    assert set(re.findall(r"elija\s+`([^`]+)`", page.read_text("utf-8"))) in (set(), offered)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_other_page_shows_only_files_that_are_read(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a page besides that of the mapping shows of a mapping, a sandbox or the settings file has no fault."""
    file = tmp_path / "archivo"
    monkeypatch.setattr("importer.settings.file.settings_path", lambda: file)
    for kind, text in re.findall(r"^```(yaml|toml)\n(.*?)^```\n", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        is_sandbox = kind == "yaml" and "contacts:" in text
        file.write_text(text if kind == "toml" or is_sandbox else whole(text), "utf-8")
        file.chmod(0o600)
        if kind == "toml":
            assert load_settings().exists
        else:
            (load_config if is_sandbox else load_mapping)(file)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_whole_command_of_a_guide_names_its_configuration(page: Path) -> None:
    """A command to copy that reads the server from the configuration names that, or names the server itself."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    commands = re.findall(r"case-importer (?:run|settle|report|check|preview|adopt) +[^`\n…]*(?=[`\n])", text)
    assert [one for one in commands if not re.search(r" -m | --like ", one)] == []


@pytest.mark.parametrize("name", ["README.es.md", "docs/es/migracion.md", "docs/es/oficina.md"])
def test_a_page_says_how_the_program_is_installed(name: str) -> None:
    """Before a page activates `.venv`, it says what creates that folder."""
    before, activates, _after = (DOCS.parent.parent / name).read_text("utf-8").partition("/activate")
    assert activates
    assert "make install" in before or "-m venv .venv" in before


def test_the_first_page_sends_windows_people_to_a_spanish_page() -> None:
    """Whoever has Windows finds the installation in Spanish."""
    first = (DOCS.parent.parent / "README.es.md").read_text("utf-8").partition("##")[0]
    assert "docs/es/oficina.md#1-instale-el-programa" in first
    assert "CONTRIBUTING.md" not in first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_that_a_spanish_page_names_exists(page: Path) -> None:
    """The Spanish pages name only options that exist; those of `pip` are not ours."""
    ours = re.sub(r"^.*\bpip install\b.*$", "", page.read_text("utf-8"), flags=re.MULTILINE)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert named <= set(options_of(case_importer))


def options_of(command: click.Command) -> Iterator[str]:
    """Yield the options of a command and of those below it."""
    yield "--version"
    context = click.Context(command)
    for parameter in command.get_params(context):
        yield from parameter.opts
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from options_of(inner)


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    MAPPING.write_text(as_it_is(MAPPING.read_text("utf-8")), "utf-8")
