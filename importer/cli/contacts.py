"""`case-importer contacts`: the contacts of a source; if told to, asks the CRM for them, and creates missing ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.language import confirm
from importer.cli.logs import set_up
from importer.cli.output import first_rows, named_contacts, print_json, print_steps
from importer.cli.terminal import Terminal, ask_for_server, is_interactive, load_allowed_job
from importer.cli.values import Count
from importer.commands import same_command
from importer.errors import UsageError
from importer.messages import _, gettext_noop, ngettext, translated
from importer.text import clean

if TYPE_CHECKING:
    from importer.contacts import ContactList, ContactsDone, ListedContact
    from importer.workflow.job import LoadedJob

_MOST = 200
_STATES = {
    "known": gettext_noop("in the CRM"),
    "created": gettext_noop("contact created"),
    "missing": gettext_noop("missing in the CRM"),
    "rejected": gettext_noop("rejected by the CRM"),
    "sending": gettext_noop("being created"),
    "unknown": gettext_noop("unknown: it may exist"),
    "not-asked": gettext_noop("not asked for yet"),
    "invalid": gettext_noop("no e-mail address"),
}
"""What is said of a contact in each state."""


@click.command(
    "contacts",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the CRM lacks no contact, as far as it was asked"),
        1: gettext_noop("the CRM lacks contacts, or has rejected some"),
        2: gettext_noop("the command, mapping or source is at fault"),
        3: gettext_noop("paused or limited; run the same command again later"),
        4: gettext_noop("it is unknown whether some contacts were created"),
        5: gettext_noop("the connection needs fixing: token, operation, redirect or path"),
    },
    help=gettext_noop(
        "List the contacts of SOURCE with their rows, and what is known of them. --ask asks the CRM for them, --create"
        " CREATES those that it lacks; both say before how many calls that takes. Creates no case."
    ),
)
@options.source
@options.mapping
@options.connection
@click.option("--ask", is_flag=True, help=gettext_noop("Ask the CRM for each contact that is not known: a call each."))
@click.option("--create", is_flag=True, help=gettext_noop("Create the contacts that the CRM does not have."))
@click.option(
    "--csv",
    "csv_path",
    type=options.PATH,
    metavar="PATH",
    help=gettext_noop("Write the missing contacts, or all where none were asked for, for the CRM's own upload."),
)
@click.option("--yes", is_flag=True, help=gettext_noop("Ask or create without a question."))
@click.option("--limit", type=Count(1), help=gettext_noop("Ask for, or create, at most N contacts."))
@options.speed_of_contacts
@options.keep_quota
@click.option(
    "--retry-rejected", is_flag=True, help=gettext_noop("With --create: try rejected contacts again, unchanged.")
)
@options.trust_server
@options.allow_folders
@options.journal
@options.quiet_period
@options.fail_on_rows
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    ask: bool,
    create: bool,
    csv_path: Path | None,
    yes: bool,
    fail_on: str,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **job_options: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `contacts`."""
    from importer.cli.contact_steps import steps_about  # noqa: PLC0415 - slow to import
    from importer.contacts import list_contacts, refuse_existing, write_contacts_csv  # noqa: PLC0415

    set_up(log_file, verbose)
    if csv_path is not None:
        refuse_existing(csv_path)  # before a call is spent
    loaded = load_allowed_job(options.make_job(**job_options))
    done: ContactsDone | None = None
    if ask or create:
        loaded = _with_server(loaded)
        done = _carry_out(loaded, create=create, yes=yes)
    listed = done.listed if done else list_contacts(loaded)
    written = write_contacts_csv(listed.for_upload, csv_path) if csv_path else None
    steps = steps_about(listed, loaded.job, creates=create)
    status = done.exit_status if done else listed.exit_status
    ended = status
    if fail_on == "never":
        ended = done.stopped_with if done else 0
    if as_json:
        not_written = [one.address for one in listed.unfit_for_upload] if csv_path else []
        of_file = {"written": written, "not_written": not_written, "steps": [step.sentence for step in steps]}
        print_json("contacts", {"exit_status": status, **_as_json(listed, done), **of_file})
        return ended
    _print(listed, done)
    if csv_path is not None:
        _print_written(listed, loaded, csv_path, written or 0)
    print_steps(steps)
    return ended


def _print_written(listed: ContactList, loaded: LoadedJob, path: Path, written: int) -> None:
    """Say how many contacts a file has, and which ones it lacks because they are not valid."""
    from importer.workflow.commands import Commands  # noqa: PLC0415 - slow to import

    click.echo(ngettext("{path}: {count} contact.", "{path}: {count} contacts.", written, path=path))
    if unfit := listed.unfit_for_upload:
        line = ngettext(
            "{count} contact is not in {path}, because its cells have issues: {contacts}. `{command}` lists them.",
            "{count} contacts are not in {path}, because their cells have issues: {contacts}. `{command}` lists them.",
            len(unfit),
            path=path,
            contacts=named_contacts(unfit, rows=True),
            command=Commands.of(loaded.job).check(),
        )
        click.echo(clean(line))


def _with_server(loaded: LoadedJob) -> LoadedJob:
    """Return the job once the user agrees to its server, to which the token goes."""
    from importer.workflow.job import connection_in  # noqa: PLC0415

    connection = ask_for_server(loaded.job.connection, connection_in(loaded.case_mapping))
    return replace(loaded, job=replace(loaded.job, connection=connection))


def _carry_out(loaded: LoadedJob, *, create: bool, yes: bool) -> ContactsDone | None:
    """Ask the CRM, and create what it lacks, once the person agrees to the price; None where there is nothing to do."""
    from importer.contacts import ask_contacts, list_contacts, quota_of  # noqa: PLC0415

    listed = list_contacts(loaded)
    wanted = listed.to_create if create else listed.to_ask
    if create and loaded.job.retry_rejected:
        wanted = (*wanted, *listed.of("rejected"))
    count = min(len(wanted), loaded.job.limit or len(wanted))
    if not count:
        return None
    _say_price(wanted[:count], quota_of(loaded).left, create=create)
    if not yes and not is_interactive():
        raise UsageError(
            _("Cannot ask: no terminal. `{command}` goes on without asking.", command=same_command("--yes"))
        )
    if not yes and not confirm(_("Go on?")):
        raise UsageError(_("Stopped; the CRM was not asked for any contact."))
    return ask_contacts(loaded, Terminal(yes=yes), creates=create)


def _say_price(wanted: tuple[ListedContact, ...], left: int | None, *, create: bool) -> None:
    addresses = named_contacts(wanted)
    searches = sum(one.searches for one in wanted)
    if create:
        line = ngettext(
            "{count} contact is searched for, and created if the CRM lacks it: {named}. This takes up to {calls}"
            " calls.",
            "{count} contacts are searched for, and created where the CRM lacks them: {named}. This takes up to {calls}"
            " calls.",
            len(wanted),
            named=addresses,
            calls=len(wanted) + searches,
        )
    else:
        line = ngettext(
            "The CRM is asked for {count} contact: {named}. This takes up to {calls} calls.",
            "The CRM is asked for {count} contacts: {named}. This takes up to {calls} calls.",
            len(wanted),
            named=addresses,
            calls=searches,
        )
    click.echo(clean(line), err=True)
    if left is not None:
        click.echo(ngettext("{count} call is left today.", "{count} calls are left today.", left), err=True)


def _as_json(listed: ContactList, done: ContactsDone | None) -> dict[str, object]:
    counts: dict[str, int] = {}
    for one in listed.contacts:
        counts[one.code] = counts.get(one.code, 0) + 1
    contacts = [
        {"address": one.address, "state": one.code, "rows": one.rows, "message": one.message, "fields": one.fields}
        for one in listed.contacts
    ]
    if done is None:
        return {"counts": counts, "contacts": contacts, "left_out": listed.left_out}
    result = {
        "left_out": listed.left_out,
        "calls": done.calls,
        "left": done.left,
        "reason": done.reason,
        "unclear": dict(done.unclear),
    }
    return {"counts": counts, "contacts": contacts, **result}


def _print(listed: ContactList, done: ContactsDone | None) -> None:
    for one in listed.contacts[:_MOST]:
        rows = first_rows(one.rows)
        state = translated(_STATES[one.code])
        line = ngettext(
            "{address}: {state} (row {rows}) {message}",
            "{address}: {state} (rows {rows}) {message}",
            len(one.rows),
            address=one.address,
            state=state,
            rows=rows,
            message=one.message,
        )
        click.echo(clean(line).rstrip())
    if len(listed.contacts) > _MOST:
        click.echo(_("… and {count} more; --json lists all of them.", count=len(listed.contacts) - _MOST))
    codes = [one.code for one in listed.contacts]
    counts = ", ".join(f"{translated(words)} {codes.count(code)}" for code, words in _STATES.items() if code in codes)
    click.echo(
        ngettext("{count} contact: {counts}", "{count} contacts: {counts}", len(codes), counts=counts or _("none"))
    )
    if listed.left_out:
        rows = first_rows(listed.left_out)
        line = ngettext(
            "{count} row names nobody by an e-mail address; nobody is asked for or written because of it: row {rows}",
            "{count} rows name nobody by an e-mail address; nobody is asked for or written because of them: rows"
            " {rows}",
            len(listed.left_out),
            rows=rows,
        )
        click.echo(line)
    if done is None:
        return
    for address, reason in done.unclear:
        click.echo(clean(_("{address}: {reason}", address=address, reason=reason)))
    click.echo(_("Calls to the CRM: {calls}", calls=done.calls))
    if done.reason:
        click.echo(clean(done.reason))
    if done.left:
        line = ngettext(
            "{count} contact is left; the same command goes on with it.",
            "{count} contacts are left; the same command goes on with them.",
            done.left,
        )
        click.echo(line)
