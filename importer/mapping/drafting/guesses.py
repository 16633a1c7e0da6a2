"""The lines of a draft: YAML for people to read, and the fields of the case with their evidence or a marked blank."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from importer.mapping.document import Node
from importer.mapping.drafting.closed import Closing, closing
from importer.mapping.drafting.headers import CASE_TYPES
from importer.mapping.drafting.kinds import is_html
from importer.mapping.drafting.matching import Match, agents_for_both
from importer.mapping.drafting.profiles import Profile
from importer.mapping.drafting.survey import Survey
from importer.messages import _, ngettext
from importer.text import clean, unaccented, yaml_scalar

_WIDEST = 60  # characters before a comment in the common column; longer lines have theirs further right


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line of YAML, and its comment."""

    yaml: str
    comment: str = ""


def lines(written: Sequence[DraftLine]) -> Iterator[str]:
    """Yield lines with their comments aligned."""
    widths = [len(line.yaml) for line in written if line.comment and len(line.yaml) <= _WIDEST]
    margin = max(widths, default=0)
    for line in written:
        comment = " ".join(clean(line.comment).split())  # a header may have line breaks
        yield f"{line.yaml:<{margin}}  # {comment}" if comment else line.yaml


def flow(node: Node) -> str:
    """Return a node on one line: `{column: Estado, values: {Abierto: Open}}`."""
    if isinstance(node, str):
        return yaml_scalar(node)
    if isinstance(node, list):
        return f"[{', '.join(map(flow, node))}]"
    return f"{{{', '.join(f'{yaml_scalar(key)}: {flow(value)}' for key, value in node.items())}}}"


def blank(yaml: str, expected: str) -> DraftLine:
    """Return a line whose value a person has to fill in, and what is expected there."""
    return DraftLine(yaml, f"<-- {expected}")


def guess_fields(seen: Survey, *, by_hand: bool = True) -> dict[str, list[DraftLine]]:
    """Return the lines of each field of the case, by its name in the CRM; what is not `by_hand` is for a page.

    A page asks for the texts of a column, and so gets no list that is missing, and no value that a person has to see.
    """
    if not by_hand:
        return _without_lists(seen)
    found, matches = seen.found, seen.matches
    guesses = {
        "case-type": _options("case-type", found, matches),
        "responsible": _user("responsible", found, matches),
        "owner": _user("owner", found, matches),
        "contact": _contact(matches),
        "description": _description(seen),
        "status": _options("status", found, matches),
        "priority": _options("priority", found, matches),
    }
    for name in ("case-type", "responsible", "owner", "status", "priority"):
        if (chosen := matches.get(name)) is not None and seen.takes_last(chosen.column):
            guesses[name] = _with_take(guesses[name])
    if match := matches.get("solution"):
        guesses["solution"] = [DraftLine(f"  solution: {flow(text_keys(match.column, seen))}", match.evidence)]
    elif (chosen := matches.get("status")) and (closed := _statuses(found[chosen.column], "closed")):
        constant: dict[str, Node] = {"value": _("Closed in the old system"), "when": {chosen.column: [*closed]}}
        why = _("no column looks like a solution: name one, or give the closed cases this text")
        guesses["solution"] = [DraftLine(f"  # solution: {flow(constant)}", why)]
    return guesses


def _with_take(written: list[DraftLine]) -> list[DraftLine]:
    """Return the lines of a field that is taken from the last line of a case."""
    why = _("the lines of a case differ; the last one is its newest state")
    first, *rest = written
    if first.yaml.endswith("}"):
        return [DraftLine(f"{first.yaml[:-1]}, take: last}}", f"{first.comment}; {why}"), *rest]
    return [*written, DraftLine("    take: last", why)]


def _without_lists(seen: Survey) -> dict[str, list[DraftLine]]:
    """Return the fields for a page: a column of agents is both users', and a person's name is not an address."""
    matches = agents_for_both(seen.matches)
    fields = ("case-type", "responsible", "owner", "contact", "description", "status", "priority", "solution")
    guesses = {name: _column_alone(name, seen, matches[name]) for name in fields if name in matches}
    if "description" in guesses:
        guesses["description"] = _description(seen)
    return {name: guesses.get(name) or _blank_field(name) for name in fields if name in guesses or name != "solution"}


def _column_alone(name: str, seen: Survey, match: Match) -> list[DraftLine]:
    keys: dict[str, Node] = {"column": match.column}
    if name == "contact":
        keys["type"] = "email"
    elif name == "solution":
        keys = text_keys(match.column, seen)
    return [DraftLine(f"  {name}: {flow(keys)}", match.evidence)]


def used_columns(seen: Survey) -> set[str]:
    """Return the columns that the fields of the case use; the key is for a field of the form as well."""
    spare = {"key", "attachments"}
    if "contact" in seen.matches:
        spare.add("person")
    if "subject" in seen.matches and not _has_subject(seen):
        spare.add("subject")
    return {match.column for field, match in seen.matches.items() if field not in spare}


def text_keys(column: str, seen: Survey) -> dict[str, Node]:
    """Return the keys of a field that has a column's texts: HTML as HTML, the lines of one case joined."""
    keys: dict[str, Node] = {"column": column}
    if is_html(seen.found[column]):
        keys["type"] = "html"
    if column in seen.joined:
        keys["join"] = "\n"
    return {**keys, **take_key(column, seen)}


def take_key(column: str, seen: Survey) -> dict[str, Node]:
    """Return the key by which the last line of a case says what is in a column, where its lines differ."""
    return {"take": "last"} if seen.takes_last(column) else {}


def _blank_field(name: str) -> list[DraftLine]:
    """Return a blank for a field without a column."""
    expected = {
        "case-type": _("Request, Complaints, Claims, Suggestions, or a custom type of the module"),
        "responsible": _("the Wolkvox Email of the user responsible for the cases, such as ADMIN_@my_operation"),
        "owner": _("the Wolkvox Email of the user who owns the cases, such as ADMIN_@my_operation"),
        "contact": _("the e-mail address of an existing contact; no column has addresses"),
        "description": _("what the case is about: a column, or a template of several"),
        "status": _("a status of the module, such as Abierto"),
        "priority": _("a priority of the module, such as Media"),
    }
    return [blank(f"  {name}:", expected[name])]


def _options(name: str, found: Mapping[str, Profile], matches: Mapping[str, Match]) -> list[DraftLine]:
    """Return a field with few values: each with its number of rows, and those that look closed."""
    if (match := matches.get(name)) is None:
        return _blank_field(name)
    profile = found[match.column]
    written = [DraftLine(f"  {name}:"), DraftLine(f"    column: {yaml_scalar(match.column)}", match.evidence)]
    if profile.counts:
        written.append(DraftLine("    values:", _("left: the text in the sheet; right: the name in the module")))
    for text, rows in profile.counts.most_common():
        value = CASE_TYPES.get(unaccented(text), text) if name == "case-type" else text
        written.append(DraftLine(f"      {yaml_scalar(text)}: {yaml_scalar(value)}", _row_count(name, text, rows)))
    if empty := profile.rows - profile.filled:
        why = ngettext(
            "{count} row is empty; this would fill it", "{count} rows are empty; this would fill them", empty
        )
        written.append(DraftLine("    # default: ...", why))
    return [*written, *_closed(profile)] if name == "status" else written


def _closed(profile: Profile) -> Iterator[DraftLine]:
    """Yield the statuses that look closed, and as a question those that may be: a person says which of them are."""
    if closed := _statuses(profile, "closed"):
        yield DraftLine(f"    closed: {flow([*closed])}", _("these look closed; a closed status requires a solution"))
    if unclear := _statuses(profile, "unclear"):
        why = _("if any of these are closed, list them in closed; a closed status requires a solution")
        yield DraftLine(f"    # closed? {flow([*unclear])}", why)


def _statuses(profile: Profile, answer: Closing) -> list[str]:
    """Return the column's texts of which `closing` says this."""
    return [text for text in profile.counts if closing(text) == answer]


def _row_count(name: str, text: str, rows: int) -> str:
    rows_text = ngettext("{count} row", "{count} rows", rows)
    if name == "case-type" and unaccented(text) not in CASE_TYPES:
        return _("{rows}; must be a type of the module", rows=rows_text)
    return rows_text


def _user(name: str, found: Mapping[str, Profile], matches: Mapping[str, Match]) -> list[DraftLine]:
    if (match := matches.get(name)) is None:
        return _blank_field(name)
    if found[match.column].mostly(lambda text: "@" in text):
        return [DraftLine(f"  {name}: {flow({'column': match.column})}", match.evidence)]
    return _lookup(name, match, "Wolkvox Email")


def _contact(matches: Mapping[str, Match]) -> list[DraftLine]:
    if match := matches.get("contact"):
        return [DraftLine(f"  contact: {flow({'column': match.column, 'type': 'email'})}", match.evidence)]
    if match := matches.get("person"):
        return _lookup("contact", match, "Email")
    return _blank_field("contact")


def _lookup(name: str, match: Match, value: str) -> list[DraftLine]:
    """Return a field whose column has names: a table has to give their addresses."""
    return [
        DraftLine(f"  {name}:"),
        DraftLine(
            f"    column: {yaml_scalar(match.column)}", _("{evidence}; its cells are names", evidence=match.evidence)
        ),
        DraftLine("    lookup:"),
        blank("      file:", _("a table of these names with their addresses")),
        DraftLine(f"      key: {yaml_scalar(match.column)}", _("the column with the names")),
        DraftLine(f"      value: {yaml_scalar(value)}", _("the column with the addresses")),
    ]


def _description(seen: Survey) -> list[DraftLine]:
    subject, match = seen.matches.get("subject"), seen.matches.get("description")
    if match is None:
        return _blank_field("description")
    if subject is None or not _has_subject(seen):
        return [DraftLine(f"  description: {flow(text_keys(match.column, seen))}", match.evidence)]
    keys = {**text_keys(match.column, seen), "template": f"{{{subject.column}}}\n\n{{{match.column}}}"}
    del keys["column"]
    return [DraftLine(f"  description: {flow(keys)}", _("subject and description, by their headers"))]


def _has_subject(seen: Survey) -> bool:
    """Return whether the subject can go above the description, in a template: plain texts, one line a case."""
    columns = [seen.matches[field].column for field in ("subject", "description")]
    return not any(
        is_html(seen.found[column]) or column in seen.joined or re.search("[{}]", column) for column in columns
    )
