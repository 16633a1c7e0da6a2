"""One self-contained page: the summary, the outcomes, the issues grouped, the doubtful rows; searchable, printable."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import BinaryIO

from importer.messages import _, ngettext
from importer.model import ReportContent, ReportRow, Summary
from importer.text import clean as safe

from .groups import Group, grouped
from .page_template import PAGE
from .text import clean
from .words import DOUBTFUL, Look, Tally, facts, local, look, message, sentence, tallies

DOUBTFUL_SHOWN = 1_000


def write_page(file: BinaryIO, content: ReportContent) -> None:
    """Write the page to an open file; memory does not grow with the rows."""
    summary = content.summary
    page = PAGE.substitute(
        lang=_("en"),  # the language of the sentences below, which a translation changes with them
        title=_shown(_("Import {name}", name=summary.import_name)),
        next_step=_shown(summary.next_step),
        outcomes=_outcomes(summary),
        issues=_issues(grouped(content.rows)),
        doubtful=_doubtful(content),
        facts_title=_shown(_("This import")),
        facts=_facts(summary),
    )
    file.write(page.encode("utf-8", "replace"))


def _shown(text: str) -> str:
    return escape(safe(clean(text)))


def _state(name: str, colours: Look) -> str:
    style = f"background:#{colours.ground};color:#{colours.letters}"
    return f'<span class="state" style="{style}">{_shown(name)}</span>'


def _header(*names: tuple[str, str]) -> str:
    cells = "".join(f'<th scope="col" class="{kind}">{_shown(name)}</th>' for name, kind in names)
    return f"<thead><tr>{cells}</tr></thead>"


def _facts(summary: Summary) -> str:
    pairs = [*facts(summary), *((_("Note"), text) for text in summary.notes)]
    return "\n".join(f"<dt>{_shown(name)}</dt><dd>{_shown(value)}</dd>" for name, value in pairs)


def _outcomes(summary: Summary) -> str:
    parts = tallies(summary)
    header = _header((_("State"), ""), (_("Rows"), "number"), (_("Share"), "bar"), (_("What it means"), "meaning"))
    lines = "\n".join(_outcome(part, summary.counts.rows) for part in parts)
    total = f'<th scope="row">{_shown(_("all rows"))}</th><td class="number">{summary.counts.rows:,}</td><td></td>'
    foot = f'<tfoot><tr>{total}<td class="meaning">{_shown(_changed(summary))}</td></tr></tfoot>'
    return f"<h2>{_shown(_('Outcomes'))}</h2>\n<table>{header}\n<tbody>\n{lines}\n</tbody>{foot}</table>"


def _changed(summary: Summary) -> str:
    if not summary.counts.changed:
        return ""
    return ngettext(
        "{count} created row was edited in the source since; its case was left as it is.",
        "{count} created rows were edited in the source since; their cases were left as they are.",
        summary.counts.changed,
    )


def _outcome(part: Tally, rows: int) -> str:
    bar = (
        f'<span style="width:{100 * part.count / rows:.1f}%;background:#{part.look.bar}"></span>' if part.count else ""
    )
    return (
        f'<tr{"" if part.count else " class=none"}><th scope="row">{_state(part.name, part.look)}</th>'
        f'<td class="number">{part.count:,}</td><td class="bar" aria-hidden="true">{bar}</td>'
        f'<td class="meaning">{_shown(part.meaning)}</td></tr>'
    )


def _issues(groups: list[Group]) -> str:
    title = f"<h2>{_shown(_('What is to be corrected'))}</h2>"
    if not groups:
        return f"{title}\n<p>{_shown(_('Nothing: no row has an issue.'))}</p>"
    names = [_("Column"), _("What is wrong"), _("How often"), _("Rows"), _("What to do")]
    header = _header(*((name, "number" if place == 2 else "") for place, name in enumerate(names)))
    lines = "\n".join(_group(group, names) for group in groups)
    search = (
        f'<div class="search" role="search"><label for="search">{_shown(_("Search these issues"))}</label>'
        '<input id="search" type="search" autocomplete="off"><p id="found" role="status"></p></div>'
    )
    return f'{title}\n{search}\n<table class="cards" data-searched>{header}\n<tbody>\n{lines}\n</tbody></table>'


def _group(group: Group, names: list[str]) -> str:
    values = "; ".join(f"{_shown(value)} ({count:,})" for value, count in group.examples)
    said = f"{_shown(group.first.message)} <code>{_shown(group.first.code)}</code>"
    cells = [
        f'{said}<br><span class="values">{values}{"; …" if group.more_values else ""}</span>',
        f"{group.count:,}",
        _shown(group.where),
        _shown(sentence(group.first.remedy)),
    ]
    column = _shown(group.first.column or _("the whole row"))
    rest = "".join(
        f'<td data-name="{_shown(name)}"{" class=number" if place == 1 else ""}>{cell}</td>'
        for place, (name, cell) in enumerate(zip(names[1:], cells, strict=True))
    )
    return f'<tr><th scope="row" class="column" data-name="{_shown(names[0])}">{column}</th>{rest}</tr>'


def _doubtful(content: ReportContent) -> str:
    rows = (row for row in content.rows if row.status in DOUBTFUL)
    first = list(islice(rows, DOUBTFUL_SHOWN))
    if not first:
        return ""
    names = [_("Row"), _("State"), _("Reference to look for"), _("Sent"), _("What happened")]
    lines = "\n".join(_doubt(row, content.summary, names) for row in first)
    left = content.summary.counts.unknown + content.summary.counts.conflict - len(first)
    more = f"<p>{_shown(ngettext('and {count} more row', 'and {count} more rows', left))}</p>" if left > 0 else ""
    explained = _(
        "Whether these cases exist is not known. Look each reference up in the CRM and write the verdict into the "
        "sheet To decide of the workbook; `case-importer settle --from` takes it from there."
    )
    return (
        f"<h2>{_shown(_('To decide'))}</h2>\n<p>{_shown(explained)}</p>\n"
        f'<table class="cards">{_header(*((name, "") for name in names))}\n<tbody>\n{lines}\n</tbody></table>{more}'
    )


def _doubt(row: ReportRow, summary: Summary, names: list[str]) -> str:
    cells = [
        _state(row.status.value, look(row, summary)),
        f"<code>{_shown(row.reference or '')}</code>",
        _shown(str(local(row.sent_at, summary)) if row.sent_at else ""),
        _shown(message(row, summary)),
    ]
    rest = "".join(f'<td data-name="{_shown(name)}">{cell}</td>' for name, cell in zip(names[1:], cells, strict=True))
    return f'<tr><th scope="row" data-name="{_shown(names[0])}">{row.number}</th>{rest}</tr>'
