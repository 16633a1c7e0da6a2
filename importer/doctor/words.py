"""What the doctor learnt, in sentences for people; none of them holds a value of the tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from importer.doctor.probes import PEOPLE, PROBES
from importer.mapping import QUERY_FIELDS
from importer.messages import _, gettext_noop, ngettext, translated
from importer.workflow.tenant_facts import FieldFinding, Findings, Matching

WHY_NOT_LEARNT = {
    "unreadable": gettext_noop("The CRM's answer cannot be read."),
    "unclear": gettext_noop("The CRM's answer can mean several things."),
    "refused": gettext_noop("The CRM refused the request."),
    "not-found": gettext_noop("No search found the test case."),
    "no-mark": gettext_noop("Searches show the test case without its reference: rows cannot be settled by it."),
    "not-shown": gettext_noop("No search showed what the update changed."),
    "old-case": gettext_noop("This needs a new test case: delete the old one in the CRM, then ask again."),
    "no-contact": gettext_noop("A search for the test case's contact does not find it."),
    "no-form": gettext_noop("The test case has no field of the form. The row of a sheet that fills some shows more."),
    "no-value": gettext_noop("No value was given for it."),
    "not-answered": gettext_noop("Nobody has answered yet."),
    "declined": gettext_noop("Nobody agreed to the case that it needs."),
    "lost": gettext_noop("The CRM's answer was lost, and no search found the case."),
    "later": gettext_noop("Ask again in ten minutes: the same test case will show it."),
    "quota": gettext_noop("Not enough calls were left today."),
}
"""Why a question stays open, by the codes that findings hold; the sentences are templates for `translated`."""


def why_not_learnt(reason: str) -> str:
    """Return why a question stays open."""
    return translated(WHY_NOT_LEARNT[reason]) if reason in WHY_NOT_LEARNT else _("The reason is not known.")


def answers_in_words(name: str, findings: Findings) -> tuple[str, ...]:
    """Return what is known about one of the questions, in sentences; none where nothing is."""
    return tuple(_WORDS[name](findings))


def remaining(findings: Findings) -> tuple[str, ...]:
    """Return what is still unknown, in sentences for people."""
    return tuple(_remaining(findings))


def _find(findings: Findings) -> Iterator[str]:
    if findings.found_after is not None:
        yield _(
            "A search by {field} finds a case of up to {length} bytes within {seconds} s.",
            length=findings.body_length,
            field=findings.search_field,
            seconds=findings.found_after,
        )


def _fields(findings: Findings) -> Iterator[str]:
    for finding in findings.fields:
        yield _field(finding)


def _field(finding: FieldFinding) -> str:
    """Return what a search by one field showed."""
    field, count = finding.field, finding.records
    if finding.found is None:
        return _("{field}: the CRM refuses the search", field=field)
    if not finding.found:
        return _("{field}: not found (records: {count})", field=field, count=count)
    return _("{field}: found (records: {count})", field=field, count=count)


def _partial(findings: Findings) -> Iterator[str]:
    for finding in findings.fields:
        if finding.matching != "unknown":
            yield _matching(finding.field, finding.matching)
    if findings.ignores_case is not None:
        yield _spelling("email contact", ignored=findings.ignores_case)


def _contact(findings: Findings) -> Iterator[str]:
    if findings.contacts_matching != "unknown":
        yield _matching("emailcontact", findings.contacts_matching)
    if findings.contacts_ignore_case is not None:
        yield _spelling("emailcontact", ignored=findings.contacts_ignore_case)


def _matching(field: str, matching: Matching) -> str:
    if matching == "exact":
        return _("{field}: found by the whole value only", field=field)
    return _("{field}: found by part of the value", field=field)


def _spelling(field: str, *, ignored: bool) -> str:
    if ignored:
        return _("{field}: capital and small letters are the same", field=field)
    return _("{field}: capital and small letters differ", field=field)


def _none(findings: Findings) -> Iterator[str]:
    if findings.nothing_found is not None:
        yield _believed(believed=findings.nothing_readable)


def _no_contact(findings: Findings) -> Iterator[str]:
    if findings.contacts_none_readable is not None:
        yield _believed(believed=findings.contacts_none_readable)


def _believed(*, believed: bool) -> str:
    if believed:
        return _("An empty list, which states that there is none.")
    return _("An answer that does not state that there is none.")


def _paging(findings: Findings) -> Iterator[str]:
    if findings.page_size is not None:
        yield ngettext(
            "One answer held {count} record. An answer with fewer is considered complete.",
            "One answer held {count} records. An answer with fewer is considered complete.",
            findings.page_size,
        )
    if findings.page_says_more:
        yield _("An answer that does not show all records says so.")


def _dates(findings: Findings) -> Iterator[str]:
    if findings.dates_of_cases is not None:
        yield {
            "refused": _("No: the call does not take cases."),
            "found": _("Yes; by which date is not known."),
            "created": _("Yes, by the date of creation."),
            "modified": _("Yes, by the date of the last change."),
        }[findings.dates_of_cases]
    if findings.dates_zone is not None:
        yield _("Its moments are in the zone UTC{zone}.", zone=findings.dates_zone)


def _update(findings: Findings) -> Iterator[str]:
    if findings.update_keeps_absent is not None:
        yield (
            _("No: fields that are not sent stay as they are.")
            if findings.update_keeps_absent
            else _("Yes: fields that are not sent are emptied.")
        )


def _update_files(findings: Findings) -> Iterator[str]:
    if findings.update_files is not None:
        yield {
            "added": _("Yes: the new file is added."),
            "replacing": _("No: the new file takes the place of the others."),
            "ignored": _("The new file does not arrive."),
        }[findings.update_files]


def _file_names(findings: Findings) -> Iterator[str]:
    if findings.file_names is not None:
        yield _("Yes, the CRM shows the name.") if findings.file_names == "kept" else _("No, the name is lost.")


def _unknown_contact(findings: Findings) -> Iterator[str]:
    if findings.unknown_contact is not None:
        yield {
            "refused": _("The case is refused."),
            "created": _("The case is created, and the contact, too."),
            "accepted": _("The case is created without such a contact."),
        }[findings.unknown_contact]


def _large(findings: Findings) -> Iterator[str]:
    if findings.body_length:
        yield _("A case of {length} bytes was found.", length=findings.body_length)
    if answer := findings.observed("attachment"):
        yield _("Its attachment can be opened: {answer}", answer=_answer(answer))


def _answer(answer: str) -> str:
    """Return what a person told, in the language that is spoken."""
    return {"yes": _("yes"), "no": _("no")}.get(answer, _("not known"))


def _told(name: str, findings: Findings) -> Iterator[str]:
    if answer := findings.observed(name):
        yield _answer(answer)


_WORDS: Mapping[str, Callable[[Findings], Iterator[str]]] = {
    "find": _find,
    "fields": _fields,
    "partial": _partial,
    "contact": _contact,
    "none": _none,
    "no-contact": _no_contact,
    "paging": _paging,
    "dates": _dates,
    "update": _update,
    "update-files": _update_files,
    "file-names": _file_names,
    "unknown-contact": _unknown_contact,
    "large": _large,
    **{name: partial(_told, name) for name in PEOPLE},
}


def shapes(findings: Findings) -> Iterator[tuple[str, str]]:
    """Yield what was asked, in words, and the shape of the CRM's answer."""
    known = (
        (_("a search that finds a case"), findings.case_found),
        (_("a search that finds no case"), findings.nothing_found),
        (_("a search that finds a contact"), findings.contact_found),
        (_("a search that finds no contact"), findings.contacts_none),
    )
    yield from ((asked, shape) for asked, shape in known if shape)
    invalid = {
        "no-such-field": _("a search by a field that does not exist"),
        "no-value": _("a search without a value"),
        "unknown-contact": _("a case whose contact does not exist"),
        "large": _("a large case"),
    }
    yield from ((invalid[error.asked], error.answer) for error in findings.errors if error.asked in invalid)
    questions = {probe.name: probe.question for probe in PROBES}
    for asked in findings.asked:
        if asked.answer and asked.name in questions:
            yield questions[asked.name], asked.answer


def _remaining(findings: Findings) -> Iterator[str]:
    """Yield what is still unknown."""
    if not findings.body_length:
        yield _("Whether a search finds every case: rows whose answer was lost cannot be settled by it.")
    elif not findings.nothing_readable:
        yield _("How the CRM reports that nothing was found: a search without a hit proves nothing.")
    else:
        yield _("Whether cases larger than {length} bytes are found.", length=findings.body_length)
    find = findings.last_asked("find")
    if find is not None and find.reason == "no-mark":
        yield why_not_learnt("no-mark")
    if findings.page_size is not None:
        yield _(
            "How many records a full page holds; at least {count}. An answer with that many or more may be incomplete.",
            count=findings.page_size,
        )
    refused = [finding.field for finding in findings.fields if finding.found is None]
    tried = {finding.field for finding in findings.fields}
    not_tried = [field for field in QUERY_FIELDS if field not in tried]
    if refused:
        yield _("How the CRM searches by these fields; it refused the search: {fields}.", fields=", ".join(refused))
    yield _("How the CRM searches by these fields; their values are unknown: {fields}.", fields=", ".join(not_tried))
    yield _("In which order records are returned, and whether paging depends on the field.")
    yield _("Whether the CRM refuses or creates an unknown user.")
    yield _("How long the CRM takes for a case at most, and its limits on bodies and attachments.")
