"""The page's HTML; every text that came from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from importer.messages import _, ngettext
from importer.sandbox.attachment_kind import Kind
from importer.sandbox.config import SandboxConfig
from importer.sandbox.store import StoredCase
from importer.sandbox.style import STYLE


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of cases: what was searched, which of them are shown (from 0), how many there are, and their files."""

    searched: str
    offset: int
    size: int
    total: int
    cases: Sequence[tuple[StoredCase, int]]


def listing_page(listing: Listing, config: SandboxConfig) -> str:
    """Return the list of cases."""
    count = ngettext("{count} case", "{count} cases", listing.total)
    find = escape(_("Search"))
    return _page(
        _("Cases"),
        f"<h1>{escape(count)}</h1>"
        f'<form><input type="search" name="q" value="{escape(listing.searched)}" aria-label="{find}" '
        f'placeholder="{escape(_("Id, contact, text, reference…"))}"><button>{find}</button></form>'
        f'<div class="card">{_table(listing, config) if listing.cases else _nothing(listing.searched)}</div>'
        f"{_turning(listing)}",
        config,
    )


def case_page(case: StoredCase, files: Sequence[tuple[Kind, int]], config: SandboxConfig) -> str:
    """Return one case; `files` are the kind and the size in bytes of each attachment."""
    body = case.body
    facts = {
        "wolkvox_id": case.wolkvox_id,
        "idPrefijo": case.id_prefijo,
        _("Created"): _moment(case.created_at),
        _("Importer's reference"): case.reference or _("none"),
        **{name: body.get(name) for name in ("operation", "case-type", "priority", "contact", "responsible", "owner")},
    }
    form = body["form"]
    sections = [
        _section(_("Facts"), _facts(facts)),
        _section(_("Description"), f'<div class="text">{_text(body["description"])}</div>'),
        _section(_("Solution"), f'<div class="text">{_text(body["solution"])}</div>') if body.get("solution") else "",
        _section(_("Form"), _facts(form)) if form else "",
        _attachments(case, files),
    ]
    raw = escape(json.dumps(body, indent=2, ensure_ascii=False))
    return _page(
        case.id_prefijo,
        f"<h1>{escape(case.id_prefijo)} {_pill(case, config)}</h1>{''.join(sections)}"
        f"<details><summary>{escape(_('As it was sent, without attachments'))}</summary>"
        f'<div class="card"><pre>{raw}</pre></div></details>',
        config,
    )


def missing_page(config: SandboxConfig) -> str:
    """Return what is shown where there is nothing."""
    message = escape(_("There is nothing here. The cases are on the first page."))
    return _page(_("Not found"), f'<h1>404</h1><div class="card empty"><a href="/">{message}</a></div>', config)


def _page(title: str, content: str, config: SandboxConfig) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · {escape(_('Sandbox'))}</title><style>{STYLE}</style>"
        f'<header><div><a href="/">{escape(_("Sandbox"))}</a>'
        f'<span class="note">{escape(_("A stand-in for practice. This is not the wolkvox CRM."))}</span></div></header>'
        f"<main>{content}</main><footer>{_caveats(config)}</footer></html>"
    )


def _caveats(config: SandboxConfig) -> str:
    search = config.search
    caveats = (
        _("The ids are made up; the CRM's own may look different."),
        _(
            "The search compares {partial} in part and every other field as a whole, gives {order}, {page}, "
            "and shows a found case in a shape of its own. How the CRM does it is documented nowhere.",
            partial=", ".join(search.partial) or _("no field"),
            order=_("the oldest first") if search.order == "oldest-first" else _("the newest first"),
            page=_("all at once") if search.page_size is None else _("at most {size}", size=search.page_size),
        ),
        _("Which contacts, users and values the real module has, and how it words a refusal, it cannot know."),
        _("Whether the CRM notifies the contact, limits sizes or refuses repeated cases, it cannot know."),
    )
    lines = "".join(f"<li>{escape(caveat)}</li>" for caveat in caveats)
    return f"{escape(_('What this stand-in chose for itself, or cannot know:'))}<ul>{lines}</ul>"


def _table(listing: Listing, config: SandboxConfig) -> str:
    heads = {
        "id": "idPrefijo",
        "about": _("Description"),
        "contact": _("Contact"),
        "status": _("Status"),
        "kind": _("Type"),
        "files": _("Files"),
        "when": _("Created"),
    }
    head = "".join(f'<th class="{name}">{escape(title)}</th>' for name, title in heads.items())
    rows = "".join(_row(case, files, heads, config) for case, files in listing.cases)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(case: StoredCase, files: int, heads: Mapping[str, str], config: SandboxConfig) -> str:
    cells = {
        "id": f'<a href="/cases/{case.number}">{escape(case.id_prefijo)}</a>',
        "about": escape(_opening(case)),
        "contact": escape(str(case.body["contact"])),
        "status": _pill(case, config),
        "kind": escape(str(case.body["case-type"])),
        "files": str(files or ""),
        "when": escape(_moment(case.created_at)),
    }
    row = (f'<td class="{name}" title="{escape(heads[name])}">{cell}</td>' for name, cell in cells.items())
    return f"<tr>{''.join(row)}</tr>"


def _opening(case: StoredCase) -> str:
    """Return the first line of the description that says something: the importer's mark does not."""
    lines = [line.strip() for line in str(case.body["description"]).splitlines() if line.strip()]
    said = [line for line in lines if line.strip("[]").upper() != case.reference]
    return (said or lines)[0][:200]


def _turning(listing: Listing) -> str:
    """Return the links to the pages before and after, and where one is between them."""
    last = listing.offset + len(listing.cases)
    if last <= listing.size and last == listing.total:
        return ""
    place = _("{first} to {last} of {total}", first=listing.offset + 1, last=last, total=listing.total)
    before = _link(_("← Newer"), listing, max(0, listing.offset - listing.size)) if listing.offset else "<span></span>"
    after = _link(_("Older →"), listing, last) if last < listing.total else "<span></span>"
    return f"<nav>{before}<span>{escape(place)}</span>{after}</nav>"


def _link(title: str, listing: Listing, offset: int) -> str:
    return f'<a href="/?{escape(urlencode({"q": listing.searched, "from": offset}))}">{escape(title)}</a>'


def _nothing(searched: str) -> str:
    message = (
        _("No case contains “{text}”.", text=searched)
        if searched
        else _("No cases yet. Run the importer with --server and the address of this page.")
    )
    return f'<div class="empty">{escape(message)}</div>'


def _pill(case: StoredCase, config: SandboxConfig) -> str:
    status = str(case.body["status"])
    closed = config.condition(status) in ("closed", "solved")
    return f'<span class="pill{" closed" * closed}">{escape(status)}</span>'


def _section(title: str, content: str) -> str:
    return f'<h2>{escape(title)}</h2><div class="card">{content}</div>'


def _facts(facts: Mapping[str, object]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts.items()) + "</dl>"
    )


def _attachments(case: StoredCase, files: Iterable[tuple[Kind, int]]) -> str:
    items = []
    for position, (kind, size) in enumerate(files):
        address = f"/cases/{case.number}/attachments/{position}"
        shown = f'<img src="{address}" alt="">' if kind.picture else f"<b>{escape(kind.ending.upper())}</b>"
        caption = _("Attachment {number}, {ending}, {size}", number=position + 1, ending=kind.ending, size=_size(size))
        items.append(f'<li class="card"><a href="{address}">{shown}<span>{escape(caption)}</span></a></li>')
    return f'<h2>{escape(_("Attachments"))}</h2><ul class="attachments">{"".join(items)}</ul>' if items else ""


def _text(value: object) -> str:
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
