"""What `contacts` leads on to: the one command for the contacts that are missing, in doubt or rejected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from importer.cli.output import first_rows, named_contacts
from importer.messages import ngettext
from importer.workflow.commands import Commands
from importer.workflow.outcome.contact_waits import ContactWaits, contact_steps
from importer.workflow.outcome.next_steps import Step

if TYPE_CHECKING:
    from importer.contacts import ContactList
    from importer.workflow.job import Job


def steps_about(listed: ContactList, job: Job, *, creates: bool) -> tuple[Step, ...]:
    """Return what there is to do about contacts, and about rows that were rejected for the lack of them."""
    return tuple(map(Step, _sentences(listed, Commands.of(job), creates=creates)))


def _sentences(listed: ContactList, commands: Commands, *, creates: bool) -> Iterator[str]:
    """Yield what there is to do, the most pressing first."""
    yield from contact_steps(_in_doubt(listed), commands)
    missing = [one for one in listed.to_create if one.code == "missing"]
    if missing and not creates:
        yield ngettext(
            "The CRM lacks {count} contact that a row still needs ({contacts}): `{command}` creates it.",
            "The CRM lacks {count} contacts that rows still need ({contacts}): `{command}` creates them.",
            len(missing),
            contacts=named_contacts(missing),
            command=commands.contacts("--create"),
        )
    if rejected := listed.of("rejected"):
        yield ngettext(
            "The CRM rejected {count} contact ({contacts}): correct what the sheet says of it; or run `{command}` once"
            " the CRM accepts it.",
            "The CRM rejected {count} contacts ({contacts}): correct what the sheet says of them; or run `{command}`"
            " once the CRM accepts them.",
            len(rejected),
            contacts=named_contacts(rejected),
            command=commands.contacts("--create", "--retry-rejected"),
        )
    if idle := listed.not_created:
        yield ngettext(
            "`contacts --create` does not create {count} contact ({contacts}): no row that can be sent names it."
            " `{command}` tells which rows have issues.",
            "`contacts --create` does not create {count} contacts ({contacts}): no row that can be sent names them."
            " `{command}` tells which rows have issues.",
            len(idle),
            contacts=named_contacts(idle),
            command=commands.check(),
        )
    if rows := listed.turned_away:
        yield ngettext(
            "The CRM rejected {count} row because it had no such contact; it has it now: `{command}` sends row {rows}"
            " again.",
            "The CRM rejected {count} rows because it had no such contacts; it has them now: `{command}` sends rows"
            " {rows} again.",
            len(rows),
            rows=first_rows(rows),
            command=commands.run("--retry-rejected"),
        )


def _in_doubt(listed: ContactList) -> ContactWaits:
    """Return how many rows have contacts that may exist: of unknown ones, and of those that are being created."""
    unknown, creating = listed.of("unknown"), listed.of("sending")
    return ContactWaits(
        unknown=sum(len(one.rows) for one in unknown),
        creating=sum(len(one.rows) for one in creating),
        named={kind: of[0].address for kind, of in (("unknown", unknown), ("creating", creating)) if of},
        until=listed.until,
    )
