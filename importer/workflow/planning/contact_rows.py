"""The contact of each row: who it is, and what the journal knows of it when the source is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from importer.identity import Scope, address_digest, contact_digest
from importer.journal import ContactState
from importer.journal_place import folder_of
from importer.mapping import CaseMapping, Mapper
from importer.messages import _, shorten
from importer.model import Issue
from importer.text import folded_address, is_address
from importer.workflow.keys.history import ImportHistory
from importer.workflow.tenant_facts import Findings

if TYPE_CHECKING:
    import pandas as pd

ADDRESS = "emailcontact"
"""The field of a contact by which it is searched, and which tells it from others (public code)."""

_MOST_SPELLINGS = 5
"""Spellings of one address for which the CRM is asked, beside that in small letters."""

_OWN = "contacts."
"""What the path of a contact's own field begins with."""

_OWN_ADDRESS = f"{_OWN}{ADDRESS}"


class PlannedContact(NamedTuple):
    """The contact of a row: digests of its address and of its fields, and what the journal knew when it was planned.

    `state` is None where nobody asked about it; `rejected` is the digest of the fields that the CRM rejected.
    """

    digest: str
    fields: str
    state: ContactState | None = None
    rejected: str | None = None


def contact_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Return a contact's own fields by their names, from the fields of a row; its address is that of the case."""
    own = {path.removeprefix(_OWN): value for path, value in fields.items() if path.startswith(_OWN)}
    return {ADDRESS: fields.get("contact"), **own}


def is_own(path: str) -> bool:
    """Tell whether a field, by its path, is one of a contact: its address, or another one of its own."""
    return path == "contact" or path.startswith(_OWN)


def case_fields(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the fields of a row that are its case's, by path."""
    return ((path, value) for path, value in fields.items() if not path.startswith(_OWN))


class ContactsOfRows:
    """Finds the contact of each row of a source, and what is wrong with it.

    Without `contacts` in the mapping this is done only where the journal knows contacts of the operation. `spellings`
    are those of each address that has others than the folded one, by its digest; the folded one is the last of them.
    There are none where the doctor learnt that the CRM's search does not tell them apart.
    """

    def __init__(self, mapping: CaseMapping, mapper: Mapper, scope: Scope, history: ImportHistory) -> None:
        self._operation, self._history = (scope.tenant, scope.operation), history
        self._listed, self._secret = mapper.listed_contacts, history.column_secret
        self._columns = {rule.path: rule.column for rule in mapper.rules}
        self.spellings: dict[str, tuple[str, ...]] = {}
        learnt = Findings.load(folder_of(history.journal.path), scope) if history.journal else None
        self._tells_spellings = learnt is None or learnt.contacts_ignore_case is not True
        self._is_used = mapping.contacts is not None or history.knows_contacts(self._operation)

    def of(self, fields: pd.DataFrame) -> list[PlannedContact | None]:
        """Return the contact of each row, None for a row without an address."""
        if not self._is_used or "contact" not in fields.columns:
            return [None] * len(fields)
        paths = [path for path in fields.columns if path == "contact" or path.startswith(_OWN)]
        rows = fields[paths].to_numpy(dtype=object).tolist()
        of_rows = [contact_fields({p: v for p, v in zip(paths, row, strict=True) if v is not None}) for row in rows]
        folded = {
            address: folded_address(str(address))
            for address in dict.fromkeys(each[ADDRESS] for each in of_rows)
            if address
        }
        digests = {address: address_digest(text, self._secret) for address, text in folded.items()}
        self._note_spellings(folded, digests)
        known = self._history.contacts(self._operation, list(dict.fromkeys(digests.values())))
        planned: dict[str, PlannedContact] = {}

        def contact(each: dict[str, object]) -> PlannedContact | None:
            address = each[ADDRESS]
            if not address:
                return None
            text = str(each)
            if text not in planned:
                own = contact_digest({**each, ADDRESS: folded[address]}, self._secret)
                found = known.get(digests[address])
                facts = (found.state, found.rejected) if found else ()
                if folded[address] in self._listed:
                    facts = (ContactState.KNOWN, None)
                planned[text] = PlannedContact(digests[address], own, *facts)
            return planned[text]

        return list(map(contact, of_rows))

    def _note_spellings(self, folded: Mapping[object, str], digests: Mapping[object, str]) -> None:
        """Note how addresses are spelled: a CRM that tells spellings apart may have a contact under any of them."""
        for address, plain in folded.items() if self._tells_spellings else ():
            others = self.spellings.get(digests[address], ())[:-1]
            text = str(address)
            if text != plain and is_address(text) and text not in others and len(others) < _MOST_SPELLINGS:
                self.spellings[digests[address]] = (*others, text, plain)

    def issues(self, fields: pd.DataFrame, own: Sequence[int]) -> Iterator[Issue]:
        """Yield an issue for each row whose contact has another address than its case names."""
        if _OWN_ADDRESS not in fields.columns:
            return
        rows = fields.loc[list(own), ["contact", _OWN_ADDRESS]]
        for number, named, address in zip(rows.index.tolist(), rows["contact"], rows[_OWN_ADDRESS], strict=True):
            if named and address and folded_address(str(named)) != folded_address(str(address)):
                column = self._columns.get(_OWN_ADDRESS) or self._columns.get("contact")
                yield Issue(
                    number,
                    column,
                    str(address),
                    "contact-differs",
                    _(
                        "the contact's own address '{address}' is not the one that the case names: '{named}'",
                        address=shorten(str(address)),
                        named=shorten(str(named)),
                    ),
                    _("Write one address, or remove `emailcontact` from `contacts` in the mapping"),
                )
