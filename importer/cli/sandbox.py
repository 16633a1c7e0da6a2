"""`case-importer sandbox`: a simulated CRM on this computer."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli.help import Command
from importer.cli.values import Count
from importer.messages import _, gettext_noop

_PATH = click.Path(path_type=Path)


@click.command(
    "sandbox",
    cls=Command,
    exit_statuses={
        0: gettext_noop("it was stopped"),
        2: gettext_noop("the command is at fault, or the port is in use"),
    },
    help=gettext_noop(
        "Serve a simulated CRM on this computer until Ctrl-C. It is not the wolkvox CRM, and it sends nothing anywhere."
    ),
)
@click.option(
    "--port", type=Count(0, 65535), default=8765, show_default=True, help=gettext_noop("0 picks a free port.")
)
@click.option("--config", type=_PATH, help=gettext_noop("Users, contacts, case types, priorities and statuses (YAML)."))
@click.option("--store", type=_PATH, help=gettext_noop("File for its cases (default: in your data folder)."))
@click.option("--forget", is_flag=True, help=gettext_noop("Delete its stored cases first."))
@click.option(
    "--latency",
    default="0",
    metavar="SECONDS",
    help=gettext_noop("Seconds that each answer takes, such as 0.2 or 0.1-0.5."),
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:ARGS]",
    help=gettext_noop("Fault to simulate; `list` shows all faults."),
)
def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    port: int,
    config: Path | None,
    store: Path | None,
    forget: bool,  # noqa: FBT001 - click gives flags by name
    latency: str,
    faults: tuple[str, ...],
) -> int:
    """Carry out `sandbox`."""
    from importer import sandbox  # noqa: PLC0415 - the web framework is slow to import

    if "list" in faults:
        click.echo(sandbox.describe_faults())
        return 0
    chosen = [sandbox.parse_fault(fault) for fault in faults]
    settings = sandbox.load_config(config) if config else sandbox.SandboxConfig()
    with sandbox.Store(store or sandbox.default_store()) as cases:
        if forget:
            cases.forget()
        sandbox.serve(
            port, config=settings, store=cases, faults=chosen, latency=sandbox.Latency.parse(latency), ready=_announce
        )
    return 0


def _announce(url: str) -> None:
    click.echo(
        _(
            "The sandbox, a simulated CRM, is running at {url}. Open that page to see its cases. Stop with Ctrl-C.",
            url=url,
        )
    )
