"""Asks the chosen questions one after the other; what was learnt is saved after each, whatever ends the visit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from importer.crm import Crm
from importer.doctor.case import CaseOptions, DoctorPrompts
from importer.doctor.ledger import Ledger
from importer.doctor.probes import ALL, CASE_CALLS, Probe, choose
from importer.doctor.session import NotLearnt, Polling, Session
from importer.identity import Scope, tenant_of
from importer.model import Target
from importer.system.stopping import Stop
from importer.workflow.tenant_facts import Findings


@dataclass(frozen=True, slots=True)
class ProbeBegan:
    """One of the doctor's questions is asked."""

    probe: Probe


@dataclass(frozen=True, slots=True)
class ProbeEnded:
    """One of the doctor's questions was answered; `reason` is why nothing was learnt, None if something was."""

    probe: Probe
    reason: str | None = None


ProbeEvent = ProbeBegan | ProbeEnded


def ask_crm(  # noqa: PLR0913 - whom to ask, what, and how
    target: Target,
    options: CaseOptions,
    prompts: DoctorPrompts,
    folder: Path,
    names: Iterable[str] = (ALL,),
    *,
    on_event: Callable[[ProbeEvent], None] = lambda _event: None,
    polling: Polling = Polling(),  # noqa: B008  # frozen
    stop: Stop | None = None,
) -> tuple[Findings, Path]:
    """Ask the CRM the questions of these names, and save what is learnt below `folder`, that of the journal.

    Returns all findings about this operation and their file. Every case is confirmed by the user, and written down
    before it is sent. Raises UsageError for an unknown name, or if the user or the CRM refuses the test case;
    ServerUnreachable or ConnectionRefused if the CRM can no longer be asked. Findings made until then are saved.
    """
    probes, stop = choose(names), stop or Stop()
    scope = Scope(tenant_of(target.server), target.operation, "")
    ledger = Ledger(folder, scope)
    with Crm(target) as crm:
        session = Session(
            *(crm, scope, options, prompts),
            polling=polling,
            ledger=ledger,
            known=Findings.load(folder, scope),
            stop=stop,
        )
        left = crm.token_information().left
        if any(probe.name == "paging" for probe in probes):
            session.note(page_size=None, page_says_more=None)
        path = None
        for probe in probes:
            if stop.requested:
                break
            on_event(ProbeBegan(probe))
            try:
                reason = _ask(session, probe, left)
            finally:
                if session.has_learnt:
                    path = session.findings.save(folder)
            on_event(ProbeEnded(probe, reason))
        if stop.is_by_signal:
            raise KeyboardInterrupt
    return session.findings, path or session.findings.save(folder)


def _ask(session: Session, probe: Probe, left: int | None) -> str | None:
    """Ask one question if the quota has its calls, and note that; return why nothing was learnt, None if something was.

    `left` is how many calls the token had at the beginning.
    """
    needed = probe.calls + (CASE_CALLS if probe.needs_case and session.lacks_case else 0)
    why: NotLearnt | None = None
    if left is not None and needed > left - session.crm.calls + 1:  # the call that asked for the quota is among them
        why = NotLearnt("quota")
    else:
        try:
            probe.run(session)
        except NotLearnt as error:
            why = error
    reason, answer = (why.reason, why.answer) if why else (None, None)
    if reason != "stopped":
        session.note_asked(probe.name, reason, answer)
    return reason
