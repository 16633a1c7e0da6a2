"""What the doctor learnt of contacts counts where they are searched for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from importer.crm import Found
from importer.journal import ContactState
from importer.workflow.contacts.searching import ContactAnswer, in_each_spelling, judge
from importer.workflow.tenant_facts import Findings

KNOWN = Findings(
    "crm0001.wolkvox.com", "demo", dt.datetime(2026, 11, 23, tzinfo=dt.UTC), "case-importer 0", "email contact"
)


@pytest.mark.parametrize(
    ("readable", "state"), [(None, ContactState.MISSING), (True, ContactState.MISSING), (False, None)]
)
def test_c79_an_empty_list_is_no_none_where_the_crm_says_so_in_another_way(
    readable: bool | None,  # noqa: FBT001 - a value of the table
    state: ContactState | None,
) -> None:
    """A contact counts as missing only by the answer that this CRM gives when there is none."""
    findings = replace(KNOWN, contacts_none_readable=readable)
    assert judge(Found((), believed=True), "ana@x.co", findings).state is state


def test_c79_where_capitals_matter_an_address_is_searched_twice() -> None:
    """The second search is made only if the first finds nothing; without findings there is one."""
    asked: list[str] = []

    def search(text: str) -> ContactAnswer:
        asked.append(text)
        return ContactAnswer(ContactState.KNOWN if text == "ana@x.co" else ContactState.MISSING)

    told_apart = replace(KNOWN, contacts_ignore_case=False)
    assert in_each_spelling(search, "Ana@X.co", told_apart).state is ContactState.KNOWN
    assert in_each_spelling(search, "ana@x.co", told_apart).state is ContactState.KNOWN
    assert in_each_spelling(search, "Ana@X.co", None).state is ContactState.MISSING
    assert asked == ["Ana@X.co", "ana@x.co", "ana@x.co", "Ana@X.co"]
