"""The commands with which a person goes on with an import: whole, with the options that were given for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from importer.commands import command_line, option, placeholder
from importer.journal_place import Place
from importer.settings import Connection
from importer.system.hosts import without_password
from importer.workflow.job import Job
from importer.workflow.tenant_facts import QUIET_PERIOD


@dataclass(frozen=True, slots=True)
class Commands:
    """Writes commands on one source, or on one import alone; what is None is not known, and a person has to fill it in.

    `sending` are the options of `run` that a person chose for all of its rows. A proxy's password is never repeated:
    commands are shown in reports, too.
    """

    source: Path | None
    mapping: Path | None
    connection: Connection
    journal: Place | None = None
    report_path: Path | None = None
    quiet_period: float = QUIET_PERIOD
    sending: tuple[object, ...] = ()

    @classmethod
    def of(cls, job: Job, *, agrees: bool = False) -> Commands:
        """Return the commands of a job; `agrees` repeats --yes."""
        default = Job(job.source, job.mapping)
        sending = (
            *option("--yes", agrees),
            *option("--only-if-all-valid", job.only_if_all_valid),
            *option("--html", job.html),
            *option("--write-back", job.write_back),
            *option("--concurrency", None if job.concurrency == default.concurrency else job.concurrency),
            *option("--rate", job.rate and f"{job.rate:g}/s"),
            *option("--keep-quota", job.keep_quota or None),
            *option("--wait-for-quota", job.wait_for_quota),
            *option("--look-first", job.look_first),
            *option("--spot-check", None if job.spot_check == default.spot_check else job.spot_check),
        )
        return cls(job.source, job.mapping, job.connection, job.journal, job.report, job.quiet_period, sending)

    def for_source(self, source: Path) -> Commands:
        """Return the commands on another source, whose report goes to its own default path."""
        return replace(self, source=source, report_path=None)

    def check(self) -> str:
        """Return the command that checks the source."""
        return command_line("check", *self._files(), *self._where())

    def run(self, *more: object) -> str:
        """Return the command that sends what is left of the source."""
        report = option("--report", self.report_path)
        return command_line("run", *self._files(), *self._where(), *report, *self._quiet(), *self.sending, *more)

    def looking_first(self) -> str:
        """Return the command that searches the CRM for every row before it is sent."""
        return self.run() if "--look-first" in self.sending else self.run("--look-first")

    def contacts(self, *more: object) -> str:
        """Return the command that lists the contacts of the source."""
        return command_line("contacts", *self._files(), *self._where(), *self._quiet(), *more)

    def report(self) -> str:
        """Return the command that writes the report of the source again."""
        return command_line("report", *self._files(), *self._where(), *option("--report", self.report_path))

    def settle(self, *more: object) -> str:
        """Return the command that settles doubtful rows of the import."""
        return command_line("settle", *option("-m", self.mapping), *self._where(), *self._quiet(), *more)

    def login(self) -> str:
        """Return the command that stores another token."""
        given = self.connection
        where = (*option("--server", given.server), *option("--operation", given.operation))
        how = (*option("--proxy", without_password(given.proxy)), *option("--ca-file", given.ca_file))
        return command_line("login", *option("-m", self.mapping), *where, *how)

    def adopt(self, report: Path) -> str:
        """Return the command that takes a report's ids into the journal."""
        return command_line("adopt", report, "-m", self.mapping or placeholder("MAPPING"), *self._where())

    def _files(self) -> tuple[object, ...]:
        return self.source or placeholder("SOURCE"), "-m", self.mapping or placeholder("MAPPING")

    def _quiet(self) -> tuple[object, ...]:
        return () if self.quiet_period == QUIET_PERIOD else ("--quiet-period", f"{self.quiet_period:g}")

    def _where(self) -> tuple[object, ...]:
        given = self.connection
        return (
            *option("--server", given.server),
            *option("--operation", given.operation),
            *option("--token-env", given.token_env),
            *option("--proxy", without_password(given.proxy)),
            *option("--ca-file", given.ca_file),
            *option("--journal", self.journal),
        )
