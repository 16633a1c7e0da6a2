"""The page: one complete file that loads nothing, and that everybody can read."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

from report_support import always, content, every_state, issue, row

from importer import report
from importer.model import Issue, ReportContent, Status
from importer.report.content import CREATED_NOW, PALETTES, group_issues, issues_of
from importer.report.styles import FAULTY, FILL_HEADER, OWN_HEADER, SOURCE_HEADER, TO_FILL

VOID = {"meta", "input", "br"}


class Tree(HTMLParser):
    """Reads a page, and records its tags with their attributes; unbalanced tags are an error."""

    def __init__(self) -> None:
        """Start with no open tag."""
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text that a person reads."""
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text += data


def page(folder: Path, what: ReportContent) -> tuple[str, Tree]:
    """Write a page and read it."""
    source = report.write(folder / "t.report.html", what, always).path.read_text("utf-8")
    tree = Tree()
    tree.feed(source)
    assert tree.open == []
    return source, tree


def test_the_page_asks_for_nothing_from_outside(tmp_path: Path) -> None:
    """The page has no address but those of its content, and its policy forbids loading any."""
    source, tree = page(tmp_path, content(every_state(), server=None))
    assert not re.search(r"https?:|//[a-z]|url\(|@import", source)
    assert not {"src", "href"} & {name for _tag, attributes in tree.tags for name in attributes}
    assert "default-src 'none'" in source


def test_the_page_runs_its_own_script_alone(tmp_path: Path) -> None:
    """The policy names the one script by its digest, so a script from a cell could not run."""
    source, _tree = page(tmp_path, content(every_state()))
    script = re.search(r"<script>(.*)</script>", source, re.DOTALL)
    assert script is not None
    digest = b64encode(sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source


def test_names_in_backticks_are_shown_as_code(tmp_path: Path) -> None:
    """Names of sheets and commands are shown as code; markup between backticks stays text."""
    source, tree = page(tmp_path, content([row(2)], next_step="Use `case-importer settle` and `<b>`."))
    assert "Use <code>case-importer settle</code> and <code>&lt;b&gt;</code>." in source
    assert "Use case-importer settle and <b>." in tree.text


def test_the_page_says_what_the_summary_says(tmp_path: Path) -> None:
    """The page shows next step, facts, numbers of every state, grouped issues and doubtful rows."""
    what = content(every_state(), notes=("Two hidden columns were read.",))
    _source, tree = page(tmp_path, what)
    for text in (
        what.summary.next_step,
        what.summary.source_digest,
        "Two hidden columns were read.",
        "created in this run",
        "5-6",
        "En curso (2)",
        "Write what the ticket is about.",
        "WCI-0000000000000008",
        "Two cases carry this reference.",
    ):
        assert text in tree.text


def test_p2_cells_and_messages_are_text_on_the_page_too(tmp_path: Path) -> None:
    """Markup in a cell, a column's name or a message of the CRM is shown as text."""
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    bad = Issue(2, evil, evil, evil, evil, evil)
    rows = [row(2, Status.INVALID, issues=(bad,)), row(3, Status.UNKNOWN, message=evil, reference=evil)]
    _source, tree = page(tmp_path, content(rows, import_name=evil, next_step=evil, user=evil))
    assert sum(tag == "script" for tag, _attributes in tree.tags) == 1
    assert all(tag != "img" for tag, _attributes in tree.tags)
    assert tree.text.count(evil[:31]) >= 8


def test_the_page_can_be_read_without_seeing_it(tmp_path: Path) -> None:
    """The page has a language, one main heading, a header for every table cell, and a labelled search."""
    _source, tree = page(tmp_path, content(every_state()))
    assert ("html", {"lang": "en"}) in tree.tags
    assert sum(tag == "h1" for tag, _attributes in tree.tags) == 1
    headers = [attributes for tag, attributes in tree.tags if tag == "th"]
    assert headers
    assert all(attributes.get("scope") in {"row", "col"} for attributes in headers)
    assert ("label", {"for": "search"}) in tree.tags
    assert any(attributes.get("role") == "status" for _tag, attributes in tree.tags)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_has_enough_contrast() -> None:
    """Text has the contrast of 4.5 that WCAG AA demands, on the page and in the sheets."""
    for each in (*PALETTES.values(), CREATED_NOW, FAULTY, TO_FILL, SOURCE_HEADER, OWN_HEADER, FILL_HEADER):
        light, dark = sorted((_luminance(each.background), _luminance(each.text)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, each


def test_issues_are_grouped_by_column_and_code() -> None:
    """The most frequent come first, with neighbours together and the commonest values, up to a limit."""
    rows = [row(number, Status.INVALID, issues=(issue(number, value=f"v{number % 9}"),)) for number in range(2, 302)]
    rows += [row(number, Status.INVALID, issues=(issue(number, "Asunto"),)) for number in range(400, 600, 2)]
    state, subject = group_issues(issues_of(rows))
    assert (state.first.column, state.count, state.rows) == ("Estado", 300, "2-301")
    assert len(list(state.examples)) == 6
    assert state.more_values
    assert subject.rows.startswith("400, 402, 404")
    assert subject.rows.endswith("478 and 60 more rows")


def test_a_remedy_that_names_a_value_is_shown_with_that_value_only() -> None:
    """Cells with other values are groups of their own, up to a limit; then the remedy names no value."""
    rows = [
        row(n, Status.INVALID, issues=(replace(issue(n, value=v), remedy=f"add to `values`: `{v}: …`"),))
        for n, v in enumerate(["Cerado", "Anulado", "Cerado", *(f"v{n}" for n in range(1000, 1400))], start=2)
    ]
    first, *others = group_issues(issues_of(rows))
    assert (len(others), first.count, first.first.remedy) == (200, 202, "see the sheet Report")
    assert {group.rows: group.first.value for group in others}.items() >= {"2, 4": "Cerado", "3": "Anulado"}.items()


def test_the_page_of_a_perfect_import_says_so(tmp_path: Path) -> None:
    """Without issues there is nothing to decide and no search."""
    source, tree = page(tmp_path, content([row(2)]))
    assert "Nothing: no row has an issue." in tree.text
    assert 'id="search"' not in source
    assert "To decide" not in tree.text
