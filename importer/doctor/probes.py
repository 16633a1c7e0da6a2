"""The doctor's questions: one small thing each that is documented nowhere, with its price and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from importer.doctor import reading, writing
from importer.doctor.session import NotLearnt, Session
from importer.errors import UsageError
from importer.messages import _, gettext_noop, translated

CASE_CALLS = 14
"""The most calls that the shared test case takes: it is created, and searched for until it is found."""

_NOTHING = gettext_noop("nothing")
_CHANGED = gettext_noop("the test case is changed")
_ANOTHER = gettext_noop("one more test case")


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: its name, the question in plain words, and what it costs.

    `calls` is the most calls that it takes from the token's quota, those of the shared test case aside. `left_behind`
    is what stays in the CRM, the shared test case aside; `needs_case` whether it needs that one. Both sentences are
    templates for `translated`.
    """

    name: str
    sentence: str
    calls: int
    left_behind: str
    run: Callable[[Session], None] = field(repr=False, compare=False)
    needs_case: bool = True

    @property
    def question(self) -> str:
        """The question in the language that is spoken."""
        return translated(self.sentence)

    @property
    def traces(self) -> str:
        """What it leaves behind, in the language that is spoken."""
        return translated(self.left_behind)


PEOPLE = {
    "mail": gettext_noop("Did the contact receive an e-mail about the test case?"),
    "clock": gettext_noop("Does the test case show a running time limit (SLA)?"),
    "visible": gettext_noop("Do the colleagues who work on such cases see the test case?"),
}
"""What no call shows, and a person is asked; the sentences are templates for `translated`."""


def _ask_person(name: str, session: Session) -> None:
    """Ask a person what no call shows."""
    session.made()
    answer = session.prompts.observed(translated(PEOPLE[name]))
    session.note_told(name, answer)
    if answer == "unknown":
        raise NotLearnt("not-answered")


PROBES = (
    Probe(
        "find",
        gettext_noop("Does a search find a new case, and how soon?"),
        calls=0,
        left_behind=_NOTHING,
        run=reading.find,
    ),
    Probe(
        "fields",
        gettext_noop("By which fields does a search find a case?"),
        calls=26,
        left_behind=_NOTHING,
        run=reading.fields,
    ),
    Probe(
        "partial",
        gettext_noop("Does a part of a text or of an address find a case?"),
        calls=3,
        left_behind=_NOTHING,
        run=reading.partial,
    ),
    Probe(
        "contact",
        gettext_noop("Does a part of an address find a contact?"),
        calls=3,
        left_behind=_NOTHING,
        run=reading.contact,
    ),
    Probe(
        "none",
        gettext_noop("What does the CRM answer if no case is found?"),
        calls=3,
        left_behind=_NOTHING,
        run=reading.none,
        needs_case=False,
    ),
    Probe(
        "no-contact",
        gettext_noop("What does the CRM answer if no contact is found?"),
        calls=1,
        left_behind=_NOTHING,
        run=reading.no_contact,
        needs_case=False,
    ),
    Probe(
        "paging",
        gettext_noop("How many cases does one answer hold, and does it say so if there are more?"),
        calls=1,
        left_behind=_NOTHING,
        run=reading.paging,
        needs_case=False,
    ),
    Probe(
        "dates",
        gettext_noop("Does a search by dates find cases, by which date, and in which time zone?"),
        calls=26,
        left_behind=gettext_noop("the test case may be updated once, with the values that it has"),
        run=reading.dates,
    ),
    Probe(
        "update",
        gettext_noop("Does an update of a case empty the fields that it does not send?"),
        calls=10,
        left_behind=_CHANGED,
        run=writing.update,
    ),
    Probe(
        "update-files",
        gettext_noop("Does an update of a case with a file keep the files that it has?"),
        calls=2,
        left_behind=_CHANGED,
        run=writing.update_files,
    ),
    Probe(
        "file-names",
        gettext_noop("Does the name of a file survive in a case that is sent as a form?"),
        calls=CASE_CALLS,
        left_behind=_ANOTHER,
        run=writing.file_names,
    ),
    Probe(
        "unknown-contact",
        gettext_noop("What becomes of a case whose contact does not exist?"),
        calls=CASE_CALLS + 2,
        left_behind=gettext_noop(
            "if the CRM takes it: one more test case, and perhaps a contact of an invalid address"
        ),
        run=writing.unknown_contact,
    ),
    Probe(
        "large",
        gettext_noop("Does a search find a large case, too?"),
        calls=CASE_CALLS,
        left_behind=_ANOTHER,
        run=writing.large,
    ),
    *(
        Probe(name, sentence, calls=0, left_behind=_NOTHING, run=partial(_ask_person, name))
        for name, sentence in PEOPLE.items()
    ),
)
"""In the order in which they are asked: what needs no answer of a person comes first."""

ALL = "all"

_BY_NAME = {probe.name: probe for probe in PROBES}


def choose(names: Iterable[str]) -> tuple[Probe, ...]:
    """Return the questions of these names, all of them for `all`; raises UsageError for an unknown name."""
    wanted = list(names)
    for name in wanted:
        if name not in (*_BY_NAME, ALL):
            raise UsageError(
                _(
                    "The doctor has no question {name}. Its questions are {names}; {all} stands for all of them.",
                    name=name,
                    names=", ".join(_BY_NAME),
                    all=ALL,
                )
            )
    return tuple(probe for probe in PROBES if ALL in wanted or probe.name in wanted)


def price(probes: Iterable[Probe]) -> int:
    """Return the most calls that the questions take together, with the shared test case and one for the quota."""
    chosen = list(probes)
    return 1 + sum(probe.calls for probe in chosen) + (CASE_CALLS if any(probe.needs_case for probe in chosen) else 0)
