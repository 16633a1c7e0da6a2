"""Rows that were edited after their cases were created: which cases are updated, and what is said of the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from promise_support import select
from run_support import MAPPING, Give, Office, ticket
from updates_support import SOLVED, UPDATING, Weekly, tickets


@pytest.fixture
def weekly(office: Office, give: Give) -> Weekly:
    """Provide an office that runs its sheet every week."""
    return Weekly(office, give)


@pytest.mark.on_both
def test_c30_eight_of_38_rows_moved_on_and_are_updated(weekly: Weekly) -> None:
    """C30: 30 new rows are created, the cases of the 8 known ones that moved on are updated, and nothing is refused."""
    weekly.begin(tickets(range(11, 21)))
    weekly.edit([*tickets(range(13, 21), **SOLVED), *tickets(range(21, 51))])
    ended = weekly.run(read=False)
    assert ended.status == 0, ended.err
    assert (ended.json["created_now"], ended.json["updated_now"], weekly.updates) == (30, 8, 8)
    assert weekly.statuses() == ["Abierto"] * 2 + ["Cerrado"] * 8 + ["Abierto"] * 30
    again = weekly.run(read=False)
    assert (again.status, again.json["updated_now"], weekly.updates) == (0, 0, 8)


def test_c31_without_on_change_the_rows_are_reported(weekly: Weekly) -> None:
    """C31: by default 30 are created, and 8 are reported with the columns that were edited; exit 1."""
    weekly.begin(tickets(range(11, 21)), MAPPING)
    weekly.edit([*tickets(range(13, 21), **SOLVED), *tickets(range(21, 51))])
    ended = weekly.run()
    assert (ended.status, ended.json["created_now"], ended.json["counts"]["changed"], weekly.updates) == (1, 30, 8, 0)
    assert {(change["state"], *change["columns"]) for change in ended.json["changes"]} == {
        ("report", "Estado", "Solución")
    }
    shown = weekly.office.reported()
    assert shown["status"].tolist()[:9] == ["changed"] * 8 + ["created"]
    assert "Edited: Estado, Solución." in shown["message"][0]


def test_c32_what_an_update_cannot_change_is_said(weekly: Weekly) -> None:
    """C32: an edit that an update cannot send whole is told with column and field, and nothing of the row is sent."""
    weekly.begin(tickets(range(1, 9), Solución="Pronto"))
    weekly.edit(
        [
            ticket(1, **SOLVED),  # the only one that an update can send
            ticket(2, **SOLVED | {"Correo": "otra@example.com"}),
            ticket(3, Solución="Pronto", Detalle="Otro detalle"),
            ticket(4),  # its solution was emptied
            ticket(5, Solución="Pronto", Asunto=""),
            ticket(6, Solución="Pronto", Estado="Tal vez"),  # invalid
            ticket(7, Solución="Pronto", Estado="Cerrado", Asunto="Otro"),  # the second one
            ticket(8, Solución="Pronto"),
        ]
    )
    ended = weekly.run()
    assert (ended.status, ended.json["counts"]["changed"], weekly.updates) == (1, 5, 2)
    assert weekly.statuses() == ["Cerrado", *["Abierto"] * 5, "Cerrado", "Abierto"]
    said = {
        change["row"] - 1: (
            change["state"],
            *((one["column"], one["field"], one["kind"]) for one in change["not_updatable"]),
        )
        for change in ended.json["changes"]
    }
    assert said == {
        2: ("not-updatable", ("Correo", "contact", "field")),
        3: ("not-updatable", ("Detalle", "description", "field")),
        4: ("not-updatable", ("Solución", "solution", "emptied")),
        5: ("not-updatable", ("Asunto", "form.Subject", "emptied")),
        6: ("invalid",),
    }
    shown = weekly.office.reported()
    assert shown["status"].tolist() == ["created", *["changed"] * 5, "created", "created"]
    assert "Edited: Correo, Estado, Solución." in shown["message"][1]
    assert "Not updatable: Correo fills contact, which an update cannot change" in shown["message"][1]
    assert "Updated" not in shown["message"][7]
    assert "Its case was updated in run 2." in shown["message"][0]
    case = weekly.office.sandbox.store.cases[6]
    assert (case.body["form"], case.body["description"].endswith("{sin llaves}")) == ({"Subject": "Otro"}, True)


@pytest.mark.parametrize("fills_form", [True, False])
def test_what_finds_out_about_updates_is_named_with_what_it_needs(weekly: Weekly, *, fills_form: bool) -> None:
    """The doctor needs a field of the form, which a person has to name where the mapping fills none."""
    mapping = UPDATING if fills_form else UPDATING.replace("form:\n  Subject: {column: Asunto}\n", "")
    weekly.begin([ticket(1)], mapping, keeps_absent=None)
    weekly.edit([ticket(1) | SOLVED])
    notes = " ".join(weekly.run().json["notes"])
    assert "--ask update` finds that out" in notes
    assert ("once you name a field of the case's form there" in notes) is not fills_form


@pytest.mark.parametrize(("keeps_absent", "says"), [(None, "doctor"), (False, "empties")])
def test_c33_updates_are_off_until_the_tenant_is_known(weekly: Weekly, keeps_absent: bool | None, says: str) -> None:  # noqa: FBT001
    """C33: as long as it is not known that an update empties nothing, none is made, and the run says why."""
    weekly.begin(tickets([1]), keeps_absent=keeps_absent)
    weekly.edit(tickets([1, 2], **SOLVED))
    ended = weekly.run(read=False)
    assert (ended.status, ended.json["created_now"], weekly.updates) == (1, 1, 0)
    assert [(change["state"], says in change["reason"]) for change in ended.json["changes"]] == [("held", True)]
    assert any(says in note for note in ended.json["notes"])


def test_c34_accepted_edits_end_with_0(weekly: Weekly) -> None:
    """C34: `--accept-changes` takes edits as known and sends nothing of them; the decision is recorded, new rows go."""
    weekly.begin(tickets([1, 2, 3]))
    weekly.edit([*tickets([1, 2], Detalle="Otro", **SOLVED), ticket(3, **SOLVED), ticket(4)])
    some = weekly.run("--accept-changes", "--limit", "1", read=False)
    assert (some.status, some.json["created_now"], weekly.updates, weekly.states()) == (0, 1, 0, ["accepted"] * 3)
    assert (some.json["counts"]["changed"], weekly.run(read=False).status, weekly.updates) == (0, 0, 0)
    decided = select(
        weekly.office.journal, "SELECT about, answer, user <> '' FROM decisions WHERE question = 'accept-changes'"
    )
    assert [(str(about).endswith("office run 2"), answer, user) for about, answer, user in decided] == [(True, "3", 1)]


def test_c34_a_lost_update_that_was_edited_back_is_accepted_once_it_can_no_longer_arrive(weekly: Weekly) -> None:
    """Until then the row says that it is awaited, and is not said to be taken as known; then it is, by its number."""
    weekly.begin(tickets([1, 2]))
    weekly.edit([ticket(1, **SOLVED), ticket(2)])
    weekly.office.sandbox.inject("closed-without-creating:call=update,nth=1")
    weekly.run(read=False)
    weekly.edit(tickets([1, 2]))
    early = weekly.run("--accept-changes", read=False)
    assert (early.status, weekly.edits(early), weekly.states()) == (3, {1: "unknown"}, ["unknown"])
    assert not any("count as known" in note or "counts as known" in note for note in early.json["notes"])
    weekly.end_leases()
    assert weekly.edits(weekly.run(read=False)) == {1: "not-updatable"}  # an update cannot empty the solution again
    accepted = weekly.run("--accept-changes", read=False)
    assert (accepted.status, weekly.edits(accepted), weekly.states()) == (0, {}, ["unknown", "accepted"])
    assert "The edit of 1 row counts as known from now on: row 2." in accepted.json["notes"]


def test_c48_an_update_under_another_mapping_says_that_it_sends_every_field(weekly: Weekly) -> None:
    """The field of a cell that was not edited goes as it is mapped now; a changed mapping alone updates nothing."""
    weekly.begin(tickets([1, 2]))
    mapped = UPDATING.replace("allowed: [Alta, Media, Baja]", "values: {Alta: Urgente, Media: Media, Baja: Baja}")
    weekly.office.mapping.write_text(mapped, "utf-8")
    assert (weekly.run(read=False).status, weekly.updates) == (0, 0)
    weekly.edit([ticket(1, **SOLVED), ticket(2)])
    ended = weekly.run(read=False)
    assert [str(case.body["priority"]) for case in weekly.office.sandbox.store.cases] == ["Urgente", "Alta"]
    assert any(note.startswith("1 case to update was last sent with another mapping.") for note in ended.json["notes"])
    weekly.edit([ticket(1, **SOLVED | {"Solución": "Otra"}), ticket(2)])
    assert not any("another mapping" in note for note in weekly.run(read=False).json["notes"])


@pytest.mark.on_both
def test_c35_every_fault_of_an_update(weekly: Weekly) -> None:
    """C35: what is lost may go again after its deadline, what is refused stays refused, a 429 is tried again."""
    weekly.begin(tickets(range(1, 7)))
    weekly.edit(tickets(range(1, 7), **SOLVED))
    weekly.delete(4)
    weekly.office.sandbox.inject(
        "closed-after-creating:call=update,nth=1",
        "too-many-requests:call=update,nth=2,wait=0",
        "server-error:call=update,nth=4",
        "quota-exceeded:call=update,nth=7",
    )
    ended = weekly.run("--quiet-period", "0")
    assert (ended.status, ended.json["updated_now"], weekly.edits(ended)) == (
        *(3, 2),
        {1: "unknown", 3: "unknown", 4: "refused", 6: "update"},
    )
    assert weekly.states() == ["unknown", "unsent", "updated", "unknown", "refused", "updated", "unsent"]
    shown = weekly.office.reported()
    assert shown["status"].tolist() == ["changed", "created", "changed", "changed", "created", "changed"]
    assert "The CRM refused the update: WOLKVOX-ID DOES NOT EXIST" in shown["message"][3]
    assert "--deleted" in shown["message"][3]
    assert "a later run sends it again" in shown["message"][0]

    weekly.office.sandbox.inject()
    soon = weekly.run("--quiet-period", "0")
    assert (soon.status, weekly.updates, weekly.edits(soon)) == (3, 8, {1: "unknown", 3: "unknown", 4: "refused"})
    waiting = [change["not_before"] for change in soon.json["changes"] if change["state"] == "unknown"]
    assert all(datetime.fromisoformat(when) > datetime.now(UTC) for when in waiting)
    latest = f"{max(map(datetime.fromisoformat, waiting)):%Y-%m-%d %H:%M}"
    assert (len(waiting), latest in soon.json["next"]) == (2, True)
    assert latest[:10] in weekly.office.reported()["message"][0]
    weekly.end_leases()
    later = weekly.run(read=False)
    assert (later.status, weekly.updates, weekly.edits(later)) == (1, 10, {4: "refused"})
    assert weekly.statuses() == ["Cerrado"] * 5
    weekly.run("--retry-rejected", read=False)
    assert (weekly.updates, weekly.states()[-1]) == (11, "refused")
    weekly.edit([*tickets([1, 2, 3], **SOLVED), ticket(4, **SOLVED | {"Solución": "Otra"}), *tickets([5, 6], **SOLVED)])
    assert (weekly.run(read=False).status, weekly.updates) == (1, 12)
