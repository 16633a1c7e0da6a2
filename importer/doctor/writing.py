"""The questions that change the shared test case, or need one more: updates, files, contacts, a large case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from importer import payload
from importer.crm import Record, without_private
from importer.doctor.case import TestCase, label_of
from importer.doctor.session import NotLearnt, Session, texts_in
from importer.errors import UsageError
from importer.messages import _
from importer.model import Outcome, Payload
from importer.payload import NamedFile
from importer.workflow.tenant_facts import UpdateFiles

FILE_NAME = "Prueba de nombre ñ.txt"
"""The name of the file whose name may get lost: with spaces and a letter that is not ASCII, as files of people have."""

_KEYS = ("case-type", "status", "priority")
_FILES = (("prueba-1.txt", b"FILE 1 of a test case\r\n"), ("prueba-2.txt", b"FILE 2 of a test case\r\n"))


def update(session: Session) -> None:
    """Learn whether an update empties what it does not send: keys of the case first, then fields of its form."""
    before = session.shared()
    sent = before.case.fields
    form = {path: str(value) for path, value in sent.items() if path.startswith("form.") and value not in (None, "")}
    keys = {name: str(sent[name]) for name in _KEYS if sent.get(name)}
    after = session.update(None)
    kept = [_kept(before.record, after.record, values) for values in (keys, form) if values]
    if False not in kept and form:
        first, *others = form
        sent_form = {first.removeprefix("form."): form[first]} if others else {}
        left = {name: form[name] for name in others or form}
        kept.append(_kept(after.record, session.update(sent_form).record, left))
    if False in kept:
        session.note(update_keeps_absent=False)
    elif None in kept or not form:
        session.note(update_keeps_absent=None)
        raise NotLearnt("unclear" if form else "no-form")
    else:
        session.note(update_keeps_absent=True)


def _kept(before: Record, after: Record, values: Mapping[str, str]) -> bool | None:
    """Tell whether each value that a record shows is still where it was, False if one is gone.

    None if it shows none of them, or if another one has taken a place.
    """
    shown_before, shown_after = dict(texts_in(before)), dict(texts_in(after))
    now: list[set[str]] = []
    for value in values.values():
        places = [path for path, text in shown_before.items() if text == value]
        now.append({shown_after.get(path, "").strip() for path in places} - {value})
        if places and now[-1] - {""}:
            return None
    if {""} in now:
        return False
    return True if any(value in shown_before.values() for value in values.values()) else None


def update_files(session: Session) -> None:
    """Learn what an update does with the files that a case has already: two updates with a file each, then a person."""
    for name, content in _FILES:
        if not session.send_update(None, [NamedFile(name, content)]):
            raise NotLearnt("lost")
    label = session.shared().case.label
    seen = tuple(
        session.prompts.observed(
            _(
                "Does the test case {label} show the attachment that says FILE {number}?",
                label=label,
                number=number,
            )
        )
        for number in (1, 2)
    )
    meaning: dict[tuple[str, ...], UpdateFiles] = {
        ("yes", "yes"): "added",
        ("no", "yes"): "replacing",
        ("no", "no"): "ignored",
    }
    if seen not in meaning:
        raise NotLearnt("not-answered" if "unknown" in seen else "unclear")
    session.note(update_files=meaning[seen])


def file_names(session: Session) -> None:
    """Learn whether the name of a file survives in a case that is sent as a form: one more case, then a person."""
    session.made()  # its fields are known to be accepted

    def build(reference: str) -> TestCase:
        case = session.build(reference)
        files = [NamedFile(FILE_NAME, _FILES[0][1])]
        body = payload.form_body(case.fields, case.operation, reference, files)
        return replace(case, payload=body, file_size=len(files[0].content))

    case = _another(session, "file-names", build, session.crm.create_by_form)
    answer = session.prompts.observed(
        _("Does the test case {label} show its attachment as “{name}”?", label=case.label, name=FILE_NAME)
    )
    if answer == "unknown":
        raise NotLearnt("not-answered")
    session.note(file_names="kept" if answer == "yes" else "lost")


def unknown_contact(session: Session) -> None:
    """Learn what becomes of a case whose contact does not exist: one more case, if the CRM takes it."""
    session.made()  # its fields are known to be accepted, so that a refusal is about the contact
    try:
        case = _another(
            session,
            "unknown-contact",
            lambda each: session.build(each, contact=f"{label_of(each).lower()}@example.invalid"),
        )
    except _Rejected as rejected:
        session.note_error("unknown-contact", rejected.answer or "")
        session.note(unknown_contact="refused")
        return
    address = str(case.fields["contact"])
    answer = session.contacts(address)
    if not answer.records:
        session.wait(max(session.polling.settle, session.findings.found_after or 0.0))
        answer = session.contacts(address)
    if any(str(record.get("emailcontact")).casefold() == address for record in answer.records):
        session.note(unknown_contact="created")
    elif answer.believed and not answer.records:
        session.note(unknown_contact="accepted")
    else:
        raise NotLearnt("unclear" if answer.readable else "unreadable", answer.shape)


def large(session: Session) -> None:
    """Learn whether a large case is found, too: one more case, with an attachment of a size that the user names."""
    session.made()
    size = session.prompts.larger_size()
    if not size:
        raise NotLearnt("no-value")
    try:
        case = _another(session, f"large-{size}", partial(session.build, file_size=size))
    except _Rejected as rejected:
        session.note_error("large", rejected.answer or "")
        raise
    if session.findings.body_length < case.payload.length:
        raise NotLearnt("not-found")
    question = _("Does the larger case {label} show its attachment, and can you open it?", label=case.label)
    session.note_told("attachment", session.prompts.observed(question))


class _Rejected(NotLearnt):
    """The CRM rejected one more test case; `answer` has its words."""


def _another(
    session: Session,
    purpose: str,
    build: Callable[[str], TestCase],
    send: Callable[[Payload], Outcome] | None = None,
) -> TestCase:
    """Return one more test case that the CRM has created; raises NotLearnt if that is not certain."""
    try:
        made = session.obtain(purpose, build, send)
    except UsageError:
        raise NotLearnt("declined") from None
    if made.begun.state == "rejected":
        raise _Rejected("refused", without_private(made.outcome.message if made.outcome else ""))
    if made.begun.state != "created":
        raise NotLearnt("lost")
    return made.case
