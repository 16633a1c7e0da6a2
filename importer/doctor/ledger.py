"""The test cases that the doctor has begun, each written down before its first byte is sent, so that none is repeated.

The file is beside the findings and, unlike them, private: it holds references and ids.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from importer.errors import JournalError
from importer.identity import Scope
from importer.messages import _
from importer.system import disk
from importer.system.causes import reason_of
from importer.workflow.tenant_facts import findings_path

State = Literal["sending", "unknown", "created", "rejected"]


@dataclass(frozen=True, slots=True)
class BegunCase:
    """One test case: what it is for, a digest of its fields, its reference, and what became of it.

    `language` is the one that its description was written in. Moments are in seconds since 1970: when it was `begun`,
    and when it was `updated` last.
    """

    purpose: str
    digest: str
    reference: str
    language: str
    begun: float
    state: State = "sending"
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    updated: float | None = None

    @property
    def may_exist(self) -> bool:
        """Whether it is, or may be, a case."""
        return self.state != "rejected"


class Ledger:
    """The test cases of one operation of a tenant, as the file below `folder` has them."""

    def __init__(self, folder: Path, scope: Scope) -> None:
        """Read the file; raises JournalError if it is there and cannot be read, since it may name a case."""
        self._path = findings_path(folder, scope.tenant, scope.operation).with_suffix(".cases.json")
        self._read()

    def _read(self) -> list[BegunCase]:
        """Return the cases in the file, to which another visit may have added some."""
        try:
            return _JSON.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else _("it is damaged")
            raise JournalError(
                _(
                    "{path}, the list of test cases, cannot be read: {reason}. Restore it, or delete it if the CRM has"
                    " no test case of the doctor.",
                    path=self._path,
                    reason=reason,
                )
            ) from error

    def find(self, purpose: str, digest: str) -> BegunCase | None:
        """Return the last test case of this kind with these fields that is, or may be, in the CRM."""
        alike = [case for case in self._read() if (case.purpose, case.digest) == (purpose, digest)]
        return alike[-1] if alike and alike[-1].may_exist else None

    def record(self, case: BegunCase) -> BegunCase:
        """Write down a case, in the place of what was known of it, and return it once it is on the disk."""
        self._write([*self._others(case), case])
        return case

    def note(self, case: BegunCase, state: State, wolkvox_id: str | None, id_prefijo: str | None) -> BegunCase:
        """Write down what became of a case."""
        return self.record(replace(case, state=state, wolkvox_id=wolkvox_id, id_prefijo=id_prefijo))

    def forget(self, case: BegunCase) -> None:
        """Strike a case out that was not delivered, or that the CRM has no more."""
        self._write(self._others(case))

    def _others(self, case: BegunCase) -> list[BegunCase]:
        return [each for each in self._read() if each.reference != case.reference]

    def _write(self, cases: list[BegunCase]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile("wb", dir=self._path.parent, delete=False) as file:
                file.write(_JSON.dump_json(cases, indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            disk.replace(Path(file.name), self._path)
        except OSError as error:
            raise JournalError(
                _("{path}: cannot write which test cases exist: {error}", path=self._path, error=reason_of(error))
            ) from error


_JSON = TypeAdapter(list[BegunCase])


def digest_of(fields: Mapping[str, object]) -> str:
    """Return a digest of a test case's fields, by which it is known again; nobody can read them from it.

    A short digest: it tells apart what one person tries on one computer, and fits many values.
    """
    text = json.dumps(sorted(fields.items()), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
