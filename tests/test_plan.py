"""A plan that is kept by column gives the rows that it is made of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_support import Give, Office, ticket

from importer import identity
from importer.identity import Scope
from importer.model import Attachment, Issue, JournalRow, Status
from importer.workflow.plan import Batch

SCOPE = Scope("crm0001.wolkvox.com", "demo", "test")
KNOWN = st.none() | st.sampled_from(Status).map(lambda status: JournalRow("WCI-X", status, "1:a:-"))
ROWS = st.lists(
    st.tuples(
        st.booleans(), st.booleans(), st.none() | st.just("hidden row"), KNOWN, st.booleans(), st.none() | st.text()
    ),
    max_size=8,
)


def batch_of(rows: list[tuple[bool, bool, str | None, JournalRow | None, bool, str | None]], *, kept: bool) -> Batch:
    """Return a batch of rows: nobody's, faulty, passed over, known, differing, with a field's text."""
    at = range(len(rows))
    digests = ["" if row[0] else identity.key_digest([str(place)]) for place, row in enumerate(rows)]
    return Batch(
        scope=SCOPE,
        numbers=[place + 2 for place in at],
        digests=digests,
        loose=[""] * len(rows) if kept else [],
        references=[identity.reference(SCOPE, digest) if digest else "" for digest in digests] if kept else [],
        hashes=[""] * len(rows) if kept else [],
        fields={"contact": [row[5] for row in rows]},
        issues={place: (Issue(place + 2, "A", "", "bad", "m", "r"),) for place in at if rows[place][1]},
        skipped={place: skipped for place in at if (skipped := rows[place][2])},
        attachments={place: (Attachment(Path("a"), "a", 1, 1),) for place in at if rows[place][4]},
        missing={place: ("b",) for place in at if rows[place][4]},
        known={place: known for place in at if (known := rows[place][3])},
        differs=frozenset(place for place in at if rows[place][4]),
    )


@given(ROWS, st.data())
def test_some_rows_of_a_batch_are_those_rows(rows: list, data: st.DataObject) -> None:
    """A batch of some places has the rows at these places, whatever is known of them, and in their states."""
    batch = batch_of(rows, kept=True)
    places = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)) if rows else []
    some = batch.some(places)
    assert list(some) == [batch.row(at) for at in places]
    assert some.statuses == [planned.status for planned in some]


@given(ROWS)
def test_who_a_row_is_does_not_depend_on_a_journal(rows: list) -> None:
    """A row has the same key and the same reference where a journal remembers it and where none does."""
    assert list(batch_of(rows, kept=False)) == list(batch_of(rows, kept=True))


@given(ROWS)
def test_a_row_is_in_the_state_that_outranks_the_others(rows: list) -> None:
    """What the CRM said comes first, then what passes a row over, then what is wrong with it, then a rejection."""
    for planned in batch_of(rows, kept=True):
        known = planned.known.status if planned.known else None
        if known in {Status.CREATED, Status.SENDING, Status.UNKNOWN, Status.CONFLICT}:
            assert planned.status is known
        elif planned.row.skipped:
            assert planned.status is Status.SKIPPED
        elif not planned.row.sendable:
            assert planned.status is Status.INVALID
        else:
            rejected = known is Status.REJECTED and not planned.differs
            assert planned.status is (Status.REJECTED if rejected else Status.PLANNED)


def test_a_row_that_is_passed_over_has_no_issue_of_its_files(office: Office, give: Give) -> None:
    """A file that is missing is nobody's fault in a row that is not sent anyway."""
    office.write([ticket(1), ticket(2, Asunto="Borrador", Detalle="no.txt")])
    mapping = office.mapping.read_text("utf-8").replace("key: Ticket", "key: Ticket\n  skip_if: {Asunto: Borrador}")
    office.mapping.write_text(f"{mapping}attachments: {{folder: '.', columns: [Detalle]}}\n", "utf-8")
    result = give([*office.arguments("check"), "--json"])
    assert Counter(issue["row"] for issue in result.json["issues"]) == {2: 1}
    assert (result.json["counts"]["invalid"], result.json["counts"]["skipped"]) == (1, 1)


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_batch_and_one_of_one_row(rows: int) -> None:
    """A batch has as many rows as it has numbers."""
    assert len(list(batch_of([(False, False, None, None, False, None)] * rows, kept=True))) == rows


def test_r4_a_created_row_that_is_wrong_now_is_changed_and_nothing_else(office: Office, give: Give) -> None:
    """What would be wrong with a row if it were sent is no issue of a row that is a case already."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1, Correo="nobody", Estado="Raro"), ticket(2)])
    result = give([*office.arguments("run", "--yes"), "--json"])
    counts = result.json["counts"]
    assert (result.status, counts["created"], counts["changed"], counts["invalid"]) == (1, 2, 1, 0)
    assert {reason["code"] for reason in result.json["reasons"]} == {"created"}
