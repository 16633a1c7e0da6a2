"""A plan is stored by column and gives back the rows that it was made of."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_support import Give, Office, ticket

from importer import identity
from importer.identity import Scope
from importer.journal import Journal
from importer.model import Attachment, Issue, JournalRow, Status
from importer.pipeline import check
from importer.settings import Connection
from importer.workflow.job import Job, load_job
from importer.workflow.planning.plan import Batch, state_of

SCOPE = Scope("crm0001.wolkvox.com", "demo", "test")
KNOWN = st.none() | st.sampled_from(Status).map(lambda status: JournalRow("WCI-X", status, "1:a:-"))
ROWS = st.lists(
    st.tuples(
        st.booleans(), st.booleans(), st.none() | st.just("hidden row"), KNOWN, st.booleans(), st.none() | st.text()
    ),
    max_size=8,
)


def batch_of(rows: list[tuple[bool, bool, str | None, JournalRow | None, bool, str | None]]) -> Batch:
    """Return a batch of rows: without identity, faulty, skipped, known, differing, with a field's text."""
    lines = []
    for place, (is_nobody, is_faulty, skipped, known, differs, _text) in enumerate(rows):
        digest = "" if is_nobody else identity.key_digest([str(place)])
        reference = identity.reference(SCOPE, digest) if digest else ""
        issues = (Issue(place + 2, "A", "", "bad", "m", "r"),) if is_faulty else ()
        state = state_of(known, skipped, is_valid=bool(digest) and not issues, differs=differs)
        files = ((Attachment(Path("a"), "a", 1, 1),), ("b",)) if differs else ((), ())
        identified = digest, "", reference, "", "", (), "", (), state, known, differs, None
        lines.append((*identified, skipped, None, issues, *files, None, (), None, None, None))
    numbers = [place + 2 for place in range(len(rows))]
    return Batch.of(lines, pd.DataFrame({"contact": pd.Series([row[5] for row in rows], numbers, dtype=object)}))


@given(ROWS, st.data())
def test_some_rows_of_a_batch_are_those_rows(rows: list, data: st.DataObject) -> None:
    """A selection from a batch has the selected rows in sheet order, whatever is known about them."""
    batch = batch_of(rows)
    chosen = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    assert list(batch.where(chosen).rows()) == [
        row for row, is_chosen in zip(batch.rows(), chosen, strict=True) if is_chosen
    ]


@given(ROWS)
def test_a_row_is_whole(rows: list) -> None:
    """A row has the facts from which its batch was made, its own number, and the fields that are not left out."""
    for place, row in enumerate(batch_of(rows).rows()):
        is_nobody, is_faulty, skipped, known, differs, text = rows[place]
        assert row.number == place + 2
        assert (row.identity is None, bool(row.issues)) == (is_nobody, is_faulty)
        assert (row.skipped, row.known, row.differs) == (skipped, known, differs)
        assert row.fields == ({} if text is None else {"contact": text})


def test_who_a_row_is_does_not_depend_on_a_journal(office: Office, give: Give) -> None:
    """A row has the same key and the same reference with and without a journal."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    job = Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)
    unplanned = list(check(load_job(job)))
    with Journal(office.journal) as journal:
        record = journal.imports.all()[0]
        known = journal.rows.known(record.id, [row.key_digest for row in unplanned])
    assert {digest: row.row.reference for digest, row in known.items()} == {
        row.key_digest: row.reference for row in unplanned
    }


@given(ROWS)
def test_a_row_is_in_the_state_that_outranks_the_others(rows: list) -> None:
    """The CRM's answer comes first, then the reason to skip a row, then its faults, then a rejection."""
    for planned in batch_of(rows).rows():
        known = planned.known.status if planned.known else None
        if known in {Status.CREATED, Status.SENDING, Status.UNKNOWN, Status.CONFLICT}:
            assert planned.status is known
        elif planned.skipped:
            assert planned.status is Status.SKIPPED
        elif not planned.is_valid:
            assert planned.status is Status.INVALID
        else:
            rejected = known is Status.REJECTED and not planned.differs
            assert planned.status is (Status.REJECTED if rejected else Status.PLANNED)


def test_a_row_that_is_passed_over_has_no_issue_of_its_files(office: Office, give: Give) -> None:
    """A missing file is not an issue of a row that is skipped."""
    office.write([ticket(1), ticket(2, Asunto="Borrador", Detalle="no.txt")])
    mapping = office.mapping.read_text("utf-8").replace("key: Ticket", "key: Ticket\n  skip_if: {Asunto: Borrador}")
    office.mapping.write_text(f"{mapping}attachments: {{folder: '.', columns: [Detalle]}}\n", "utf-8")
    result = give([*office.arguments("check"), "--json"])
    assert Counter(issue["row"] for issue in result.json["issues"]) == {2: 1}
    assert (result.json["counts"]["invalid"], result.json["counts"]["skipped"]) == (1, 1)


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_batch_and_one_of_one_row(rows: int) -> None:
    """A batch has as many rows as it has numbers."""
    assert len(list(batch_of([(False, False, None, None, False, None)] * rows).rows())) == rows


def test_r4_a_created_row_that_is_wrong_now_is_changed_and_nothing_else(office: Office, give: Give) -> None:
    """A fault in a row that is already a case is not an issue."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1, Correo="nobody", Estado="Raro"), ticket(2)])
    result = give([*office.arguments("run", "--yes"), "--json"])
    counts = result.json["counts"]
    assert (result.status, counts["created"], counts["changed"], counts["invalid"]) == (1, 2, 1, 0)
    assert {reason["code"] for reason in result.json["reasons"]} == {"created"}
