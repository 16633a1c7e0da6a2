"""The calls below `custom/`: records of other modules, contacts among them, and cases if the configuration says so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from importer.sandbox.answers import Answer, AnswerBody, found, missing, refusal, success
from importer.sandbox.body import CallBody
from importer.sandbox.config import SandboxConfig, zone_of
from importer.sandbox.records import ADDRESS, CONTACTS
from importer.sandbox.shown import shown_case, shown_record
from importer.sandbox.store import Store

_CASES = "cases"
_LABELS = {"ID Contacto": "idcontact", "wolkvox-id": "wolkvox_id"}
"""Names of fields as people see them: public code searches by the first."""

_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")

Fields = Mapping[str, object]


class CustomCalls:
    """The calls of one sandbox below `custom/`."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        self._config, self._rules, self._store = config, config.records, store

    def query(self, body: CallBody) -> Answer:
        """Return the records of a module with this value in this field."""
        values = _texts(body, "operation", "module", "field", "value")
        if isinstance(values, dict):
            return values
        operation, module, searched, value = values
        if module == _CASES:
            return refusal(400, "MODULE DOES NOT EXIST", "module")
        searched = _LABELS.get(searched, searched)
        search, rules = self._config.search, self._rules
        records = self._store.records.query(
            *(module, operation, searched, value),
            partial=searched in rules.partial,
            ignore_case=rules.ignore_case,
            until=time.time() - search.seen_after,
        )
        if search.order == "newest-first":
            records.reverse()
        return found([shown_record(record, self._config) for record in records], search)

    def insert(self, body: CallBody) -> AnswerBody:
        """Create one record."""
        fields = body.values.get("fields")
        return self._insert(body, [cast("Fields", fields)] if isinstance(fields, dict) else [], many=False)

    def insert_many(self, body: CallBody) -> AnswerBody:
        """Create several records, all or none."""
        fields = body.values.get("fields")
        return self._insert(body, cast("list[Fields]", fields) if isinstance(fields, list) else [], many=True)

    def query_dates(self, body: CallBody) -> Answer:
        """Return the records of a module between two times."""
        values = _texts(body, "operation", "module", "from", "to")
        if isinstance(values, dict):
            return values
        operation, module, *moments = values
        start, end = (self._seconds(moment) for moment in moments)
        limit = _limit(body.values.get("limit"))
        if body.values.get("date") not in {True, "true"} or start is None or end is None or limit == 0:
            return missing("date", "from", "to", "limit")
        end += 60 - 1e-6  # the last minute counts
        if module == _CASES and self._rules.cases == "refused":
            return refusal(400, "MODULE DOES NOT EXIST", "module")
        if module == _CASES:
            cases = self._store.between(start, end, modified=self._rules.dates == "modified")
            shown = [shown_case(case, self._config) for case in cases if case.body["operation"] == operation]
        else:
            records = self._store.records.between(module, operation, start, end)
            shown = [shown_record(record, self._config) for record in records]
        return found(shown[:limit], self._config.search)

    def delete(self, body: CallBody) -> AnswerBody:
        """Delete records of a module by their ids; `multiple` allows a list of them."""
        values = _texts(body, "operation", "module")
        if isinstance(values, dict):
            return values
        operation, module = values
        given = body.values.get("wolkvox-id")
        asked = given if isinstance(given, list) and body.values.get("multiple") in {True, "true"} else [given]
        ids = [each for each in asked if isinstance(each, str) and each.strip()]
        if not ids or len(ids) < len(asked):
            return missing("wolkvox-id")
        if module == _CASES and self._rules.cases != "found-and-deleted":
            return refusal(400, "MODULE DOES NOT EXIST", "module")
        if module == _CASES:
            count = sum(self._delete_case(operation, each) for each in ids)
        else:
            count = self._store.records.delete(module, operation, ids)
        return success("Succesfully delete record", {}) if count else refusal(404, "RECORD NOT FOUND")

    def _insert(self, body: CallBody, records: list[Fields], *, many: bool) -> AnswerBody:
        values = _texts(body, "operation", "module")
        if isinstance(values, dict):
            return values
        operation, module = values
        if not records or not all(isinstance(fields, dict) and fields for fields in records):
            return missing("fields")
        if self._config.operations is not None and operation not in self._config.operations:
            return refusal(400, "OPERATION DOES NOT EXIST", "operation")
        if module == _CASES:
            return refusal(400, "MODULE DOES NOT EXIST", "module")
        with self._store.records.lock:
            return self._add(module, operation, records, many=many)

    def _add(self, module: str, operation: str, records: list[Fields], *, many: bool) -> AnswerBody:
        new: list[Fields] = []
        ids: list[str] = []
        for fields in records:
            known = self._known(module, operation, fields)
            if known is not None and self._rules.repeated == "refused":
                return refusal(400, "CONTACT ALREADY EXISTS", ADDRESS)
            if known is not None and self._rules.repeated == "returned":
                ids.append(known)
            else:
                new.append(fields)
        ids += [record.wolkvox_id for record in self._store.records.add(module, operation, new)]
        made = [{"wolkvox_id": each} for each in ids]
        return success("Succesfully create record", made if many else made[0])

    def _known(self, module: str, operation: str, fields: Fields) -> str | None:
        """Return the id of the contact that has this address already."""
        address = fields.get(ADDRESS)
        if module != CONTACTS or not isinstance(address, str) or self._rules.repeated == "doubled":
            return None
        known = self._store.records.contact(operation, address, ignore_case=self._rules.ignore_case)
        return known.wolkvox_id if known else None

    def _delete_case(self, operation: str, wolkvox_id: str) -> bool:
        case = self._store.case_with_id(wolkvox_id)
        if case is None or case.body["operation"] != operation:
            return False
        self._store.delete(case.number)
        return True

    def _seconds(self, moment: str) -> float | None:
        for form in _FORMS:
            try:
                return datetime.strptime(moment, form).replace(tzinfo=zone_of(self._rules.zone)).timestamp()
            except ValueError:
                continue
        return None


def _texts(body: CallBody, *names: str) -> list[str] | AnswerBody:
    """Return the parameters of these names, or the refusal of a body that lacks some of them."""
    values = [body.values.get(name) for name in names]
    given = [value for value in values if isinstance(value, str) and value.strip()]
    if len(given) == len(names):
        return given
    return missing(*(name for name, value in zip(names, values, strict=True) if value not in given))


def _limit(value: object) -> int | None:
    """Return the most records that are asked for, None without a limit, 0 for what is no number."""
    if value is None:
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
