"""`case-importer sandbox`: the stand-in CRM; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from importer.messages import _

_PATH = click.Path(path_type=Path)


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help=_("0 picks a free port."))
@click.option("--config", type=_PATH, help=_("Users, contacts, case types, priorities and statuses (YAML)."))
@click.option("--store", type=_PATH, help=_("Where its cases lie, instead of your data folder."))
@click.option("--forget", is_flag=True, help=_("Empty the store first."))
@click.option("--latency", default="0", metavar="SECONDS", help=_("How long an answer takes: 0.2, or 0.1-0.5."))
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME[:ARGS]", help=_("A fault to rehearse; `list` lists them.")
)
def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    port: int,
    config: Path | None,
    store: Path | None,
    forget: bool,  # noqa: FBT001 - click gives flags by name
    latency: str,
    faults: tuple[str, ...],
) -> int:
    """Serve a stand-in CRM on this computer until Ctrl-C. It is not the CRM, and sends nothing anywhere."""
    from importer import sandbox  # noqa: PLC0415 - the web framework is slow to import

    if "list" in faults:
        click.echo(sandbox.describe_faults())
        return 0
    chosen = [sandbox.parse_fault(fault) for fault in faults]
    settings = sandbox.load_config(config) if config else sandbox.SandboxConfig()
    with sandbox.Store(store or sandbox.default_store()) as kept:
        if forget:
            kept.forget()
        sandbox.serve(
            port, config=settings, store=kept, faults=chosen, latency=sandbox.Latency.parse(latency), ready=_announce
        )
    return 0


def _announce(url: str) -> None:
    click.echo(_("A stand-in for the CRM listens at {url} (its cases are on that page). Ctrl-C ends it.", url=url))
