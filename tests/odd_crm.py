"""A CRM over raw sockets that keeps its cases, finds them, and answers a POST in whatever odd way a test wants."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scripted_crm import Talk, http

REFERENCE = re.compile(r"WCI-[0-9A-HJKMNP-TV-Z]{16}")
QUOTA = {"code": 200, "error": "null", "data": {"available_consumition_options": 100_000}}


@dataclass(frozen=True)
class Case:
    """A case of this CRM: its ids, the body that it was made of, and the reference in that."""

    wolkvox_id: str
    id_prefijo: str
    body: dict[str, Any]
    reference: str

    @property
    def record(self) -> dict[str, Any]:
        """The case as a search shows it."""
        shown = {"wolkvox_id": self.wolkvox_id, "idPrefijo": self.id_prefijo, "form": self.body["form"]}
        return {**shown, "description_case": self.body["description"], "email contact": self.body["contact"]}


def success(case: Case, **changed: object) -> dict[str, object]:
    """Return the vendor's answer to a case that was made."""
    data = {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo} | changed
    return {"code": 200, "error": "null", "msg": "Succesfully create record", "data": data}


@dataclass
class OddCrm:
    """Keeps the cases of whole POSTs; `answers` says what is sent back for the n-th of them (from 1).

    `records` may change what a search shows, `changed` adds to each case there. `posted` are the references of whole
    POSTs in their order.
    """

    answers: Callable[[Case, int], bytes] = lambda case, _number: http(200, success(case))
    records: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda found: found
    changed: Callable[[Case], dict[str, Any]] = lambda _case: {}
    cases: list[Case] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    searches: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, talk: Talk) -> None:
        """Serve one connection."""
        while True:
            asked = talk.request()
            path = asked.head.split()[1]
            if "insertAttach" in path:
                answer = self._insert(json.loads(asked.body))
            elif "queryCases" in path:
                answer = http(200, self._search(json.loads(asked.body)))
            else:
                answer = http(200, QUOTA)
            if not answer:
                return
            talk.send(answer)

    def _insert(self, body: dict[str, Any]) -> bytes:
        mark = REFERENCE.search(json.dumps(body))
        with self.lock:
            number = len(self.posted) + 1
            case = Case(f"64cb{number:020x}", f"CAS-{number}", body, mark[0] if mark else "")
            self.posted.append(case.reference)
            self.cases.append(case)
        return self.answers(case, number)

    def _search(self, asked: dict[str, Any]) -> dict[str, object]:
        self.searches += 1
        found = [
            case.record | self.changed(case)
            for case in self.cases
            if asked["value"] == self._searchable(case).get(asked["field"])
        ]
        shown = self.records(found)
        words = f"{len(shown)} records were are found"
        return {"code": "200", "error": "null", "msg": words, "data": shown}

    @staticmethod
    def _searchable(case: Case) -> dict[str, Any]:
        found_by = {"wolkvox-id": case.wolkvox_id, "idPrefijo": case.id_prefijo, "idCase": case.id_prefijo[4:]}
        return {**found_by, "email contact": case.body["contact"]}

    def ids(self) -> dict[str, str]:
        """Return the id of each case by its reference."""
        return {case.reference: case.wolkvox_id for case in self.cases}

    def assert_one_case_each(self, rows: Iterable[Any]) -> None:
        """Hold what a journal says of rows to the cases: at most one each, and a created row has its own."""
        assert len({case.reference for case in self.cases}) == len(self.cases), "two cases for one reference"
        for row in rows:
            assert row.state != "created" or row.wolkvox_id == self.ids()[row.reference], row
