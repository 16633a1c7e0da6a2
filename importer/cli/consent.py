"""Leave for what only a mapping names, asked by the commands that have no other questions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from importer.cli.terminal import Terminal

if TYPE_CHECKING:
    from importer.job import Job
    from importer.mapping import CaseMapping
    from importer.opening import Begun
    from importer.settings import Connection


def allowed(begun: Begun) -> Begun:
    """Return what was begun once the user allows the folders that its mapping names; raises where they do not."""
    return replace(begun, job=allowed_job(begun.job, begun.cases))


def allowed_job(job: Job, cases: CaseMapping) -> Job:
    """Return the job with the folders that the user allows; raises where they do not."""
    from importer.guards import ask_for_folders  # noqa: PLC0415 - slow to import: meanwhile, the source is parsed

    return ask_for_folders(job, cases, Terminal())


def trusted(said: Connection, mapped: Connection) -> Connection:
    """Return the connection once the user agrees to its server and operation; raises where they do not."""
    from importer.guards import ask_for_server  # noqa: PLC0415 - slow to import, and help needs nothing of it

    return ask_for_server(said, mapped, Terminal())
