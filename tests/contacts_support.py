"""An office whose mapping creates contacts, and what its simulated CRM and its journal have of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promise_support import select
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

from importer.sandbox import RunningSandbox, SandboxConfig

CONTACTS = """\
contacts:
  create: missing
  namecontact: {column: Nombre, required: true}
  idcontact: {column: Cédula}
"""
CREATING = MAPPING + CONTACTS
COLUMNS = (*HEADER, "Nombre", "Cédula")


def person(number: object, **changed: str) -> dict[str, str]:
    """Return the cells of a valid row, with those of its contact."""
    return {**ticket(number), "Nombre": f"Persona {number}", "Cédula": str(number)} | changed


@dataclass
class Desk:
    """An office that sends a sheet whose contacts may not exist."""

    office: Office
    give: Give

    def write(self, rows: Iterable[Mapping[str, str]], mapping: str = CREATING) -> None:
        """Write the sheet and its mapping."""
        self.office.mapping.write_text(mapping, "utf-8")
        self.office.write(rows, COLUMNS)

    def run(self, *more: str) -> Result:
        """Run the sheet."""
        return self.give(
            self.office.arguments("run", "--yes", "--json", "--concurrency", "1", "--spot-check", "0", *more)
        )

    def settle(self, *more: str) -> Result:
        """Settle what is in doubt."""
        return self.give(self.office.settle("--json", *more))

    def contacts(self, *more: str) -> Result:
        """List the contacts of the sheet."""
        words = self.office.arguments("contacts", "--journal", str(self.office.journal), *more)
        return self.give(words)

    @property
    def addresses(self) -> list[str]:
        """The contacts that the simulated CRM has, by address, in the order of their creation."""
        return addresses_in(self.office.sandbox)

    @property
    def cases(self) -> list[str]:
        """The contacts of the cases that the simulated CRM has."""
        return [str(case.body["contact"]) for case in self.office.sandbox.store.cases]

    @property
    def calls(self) -> tuple[int, int]:
        """How many searches for contacts and how many attempts to create one the simulated CRM has answered."""
        return self.office.sandbox.calls("custom-query"), self.office.sandbox.calls("custom-insert")

    def known(self) -> list[tuple[Any, ...]]:
        """Return the states of the contacts in the journal, in their order there."""
        return [tuple(row) for row in select(self.office.journal, "SELECT state FROM contacts ORDER BY id")]


def addresses_in(sandbox: RunningSandbox) -> list[str]:
    """Return the addresses of the contacts that a simulated CRM has."""
    return [str(record.fields["emailcontact"]) for record in sandbox.store.records.all()]


@contextmanager
def desk_at(folder: Path, give: Give, config: SandboxConfig | None = None) -> Iterator[Desk]:
    """Give a desk whose simulated CRM has no contacts, and refuses cases of unknown ones."""
    with RunningSandbox(config or SandboxConfig(unknown_contact="refused")) as sandbox:
        yield Desk(Office(folder, sandbox), give)
