"""`run`, `check`, `report` and `preview` as whole commands, against the simulated CRM over real HTTP."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest
from nursery import Nursery
from promise_support import wait_until
from run_support import MAPPING, Give, Office, Result, ticket

from importer.sandbox import Latency, RunningSandbox


def test_every_row_becomes_its_case(office: Office, give: Give) -> None:
    """Each row is one case with that row's cells, and the report's line of a row carries the id of its own case."""
    office.write(ticket(n) for n in range(1, 13))
    result = give(office.arguments("run", "--yes", "--json"))
    assert result.status == 0
    assert result.json["counts"]["created"] == 12
    cases = {case.body["form"]["Subject"]: case for case in office.sandbox.store.cases}
    assert len(cases) == 12
    report = office.reported()
    for line in report.to_dict("records"):
        case = cases[line["Asunto"]]
        assert line["wolkvox_id"] == case.wolkvox_id
        assert line["idPrefijo"] == case.id_prefijo
        assert line["status"] == "created"
        assert case.body["contact"] == line["Correo"]
        assert case.body["description"] == f"[{line['reference']}]\n{line['Detalle']}"
    assert [int(row) for row in report["row"]] == list(range(2, 14))


def test_r1_the_same_sheet_again_sends_nothing(office: Office, give: Give) -> None:
    """A second run of the same sheet makes no POST, and still reports every id."""
    office.write(ticket(n) for n in range(1, 6))
    give(office.arguments("run", "--yes"))
    again = give(office.arguments("run", "--yes", "--json"))
    assert again.status == 0
    assert again.json["created_now"] == 0
    assert again.json["calls"] == 0
    assert office.sandbox.posts == 5
    assert office.reported()["wolkvox_id"].str.len().gt(0).all()


def test_r8_a_limited_run_goes_on_with_the_rest(office: Office, give: Give) -> None:
    """The rows of a run with --limit are not sent again by the run of all of them."""
    office.write(ticket(n) for n in range(1, 9))
    first = give(office.arguments("run", "--yes", "--json", "--limit", "3"))
    assert first.status == 3
    assert first.json["counts"]["created"] == 3
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 8


def test_invalid_rows_stay_and_valid_rows_go(office: Office, give: Give) -> None:
    """A row with an issue is reported with row, column, value and remedy, and the others are created."""
    office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Estado="Cerrado"), ticket(4)])
    result = give(office.arguments("run", "--yes", "--json"))
    assert result.status == 1
    assert result.json["counts"] | {"created": 2, "invalid": 2} == result.json["counts"]
    reasons = {(reason["row"], reason["column"], reason["code"]) for reason in result.json["reasons"]}
    assert reasons == {(3, "Correo", "bad-email"), (4, "Solución", "solution-missing")}
    assert all(reason["remedy"] for reason in result.json["reasons"])


def test_one_invalid_row_holds_all_back_when_asked(office: Office, give: Give) -> None:
    """With --only-if-all-valid one invalid row means that nothing is sent, and exit status 1."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    result = give(office.arguments("run", "--yes", "--json", "--only-if-all-valid"))
    assert result.status == 1
    assert office.sandbox.posts == 0


def test_a_corrected_row_is_sent(office: Office, give: Give) -> None:
    """A row that was invalid is sent by the next run once it is corrected, and the others are not sent again."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    assert give(office.arguments("run", "--yes")).status == 1
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 2


def test_r2_sorted_and_with_a_new_row(office: Office, give: Give) -> None:
    """Rows are known by their key: after a sheet was sorted again, only the row that was added is sent."""
    office.write(ticket(n) for n in range(1, 6))
    give(office.arguments("run", "--yes"))
    ids = {case.body["form"]["Subject"]: case.wolkvox_id for case in office.sandbox.store.cases}
    office.write([*(ticket(n) for n in range(5, 0, -1)), ticket(99)])
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 6
    report = office.reported().set_index("Asunto")
    assert {subject: report.loc[subject, "wolkvox_id"] for subject in ids} == ids


def test_r4_an_edited_row_is_changed_and_not_sent(office: Office, give: Give) -> None:
    """A created row whose cell was edited is `changed`: no POST, exit status 1, and the id stays."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    office.write([ticket(1), ticket(2, Detalle="otro")])
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (1, 1, 2)


def test_r5_a_mapping_that_gains_a_field_changes_no_row(office: Office, give: Give) -> None:
    """A field that is added to the mapping neither sends nor flags rows that are already created."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(MAPPING.replace("form:\n", "form:\n  Extra: {column: Prioridad}\n"), encoding="utf-8")
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (0, 0, 2)


def test_r9_a_rehearsal_does_not_count(office: Office, give: Give) -> None:
    """Rows that were sent to one simulated CRM are all sent to another server, with the same journal."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    with RunningSandbox() as other:
        office.sandbox = other
        assert give(office.arguments("run", "--yes")).status == 0
        assert other.posts == 2


def test_r11_a_renamed_import_is_asked_about(office: Office, give: Give) -> None:
    """The same keys under another import name are refused with both ways on."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(MAPPING.replace("import: office", "import: renamed"), encoding="utf-8")
    result = give(office.arguments("run", "--yes"))
    assert result.status == 2
    assert "--same-as office" in result.err
    assert "--new-import" in result.err
    assert office.sandbox.posts == 2


def test_r12_nearly_the_same_key_is_an_issue(office: Office, give: Give) -> None:
    """`00123` in one file and `123` in the next are the same ticket until a person says otherwise."""
    office.write([ticket("00123"), ticket(7)])
    give(office.arguments("run", "--yes"))
    office.write([ticket("123"), ticket(8)])
    result = give(office.arguments("run", "--yes", "--json"))
    assert result.status == 1
    assert [reason["code"] for reason in result.json["reasons"]] == ["key-similar"]
    assert office.sandbox.posts == 3


def test_r6_a_lost_journal_is_refused(office: Office, give: Give) -> None:
    """With the journal gone, a report beside the source that contains ids stops the run before anything is sent."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    for file in office.journal.parent.iterdir():
        file.unlink()
    result = give(office.arguments("run", "--yes"))
    assert result.status == 2
    assert "adopt" in result.err
    assert "--look-first" in result.err
    assert office.sandbox.posts == 2


def test_r3_equal_rows_without_a_key(office: Office, give: Give) -> None:
    """Under `key: content` two equal rows are two cases, none on a rerun, and another file is refused."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), encoding="utf-8")
    office.write([ticket(1), ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 2
    office.write([ticket(1), ticket(1), ticket(2)])
    result = give(office.arguments("run", "--yes"))
    assert result.status == 2
    assert "key: content" in result.err
    assert office.sandbox.posts == 2


def test_o3_an_answer_that_never_comes_is_unknown(office: Office, give: Give) -> None:
    """A case whose answer was lost is unknown: one POST, exit status 4, and it is not sent again."""
    office.write([ticket(1), ticket(2), ticket(3)])
    office.sandbox.inject("closed-after-creating:nth=2")
    result = give(office.arguments("run", "--yes", "--json", "--concurrency", "1"))
    assert result.status == 4
    assert result.json["counts"]["unknown"] == 1
    again = give(office.arguments("run", "--yes", "--json"))
    assert again.status == 4
    assert office.sandbox.posts == 3
    assert "unknown" in set(office.reported()["status"])


def test_a_prompt_that_nobody_can_answer_sends_nothing(office: Office, nursery: Nursery) -> None:
    """Without --yes and without a terminal nothing is sent, exit status 2, and the remedy is named."""
    office.write([ticket(1)])
    result = nursery.carry_out(*office.arguments("run"))
    assert result.status == 2
    assert "--yes" in result.err
    assert office.sandbox.posts == 0


@pytest.mark.parametrize(
    ("missing", "words"),
    [("source", "tickets.csv"), ("mapping", "mapping.yml"), ("token", "WOLKVOX_TOKEN"), ("server", "127.0.0.1:9")],
)
def test_what_is_missing_is_one_sentence(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, missing: str, words: str
) -> None:
    """A missing source, mapping, token or server is one clear sentence without a traceback, and nothing is sent."""
    office.write([ticket(1)])
    arguments = office.arguments("run", "--yes")
    match missing:
        case "source":
            office.source.unlink()
        case "mapping":
            office.mapping.unlink()
        case "token":
            monkeypatch.delenv("WOLKVOX_TOKEN")
            monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        case "server":
            arguments[arguments.index("--server") + 1] = "http://127.0.0.1:9"
    result = give(arguments)
    assert result.status == (3 if missing == "server" else 2)
    assert words in result.err
    assert "Traceback" not in result.err
    assert office.sandbox.posts == 0


def test_o1_killed_in_flight_rows_are_named_unknown(tmp_path: Path, give: Give, nursery: Nursery) -> None:
    """After kill -9 the rows in flight become unknown once their leases have ended, and no ticket has two cases."""
    with RunningSandbox(latency=Latency(0.05, 0.05)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(ticket(n) for n in range(1, 31))
        id_file = tmp_path / "process.id"
        process = nursery.start(id_file, *office.arguments("run", "--yes"), **office.environment)
        wait_until(lambda: sandbox.posts >= 5 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        os.kill(int(id_file.read_text("ascii")), signal.SIGKILL)
        process.communicate()
        in_flight = sqlite3.connect(office.journal)
        with in_flight:
            in_flight.execute("UPDATE attempts SET lease = 0 WHERE ended_at IS NULL")
        in_flight.close()
        result = give(office.arguments("run", "--yes", "--json"))
        references = [case.reference for case in sandbox.store.cases]
    counts = result.json["counts"]
    assert len(references) == len(set(references))
    assert result.status == (4 if counts["unknown"] else 0)
    assert counts["created"] + counts["unknown"] == 30
    assert counts["unknown"] <= 2
    assert list(office.reported()["status"]).count("unknown") == counts["unknown"]


def test_check_names_and_groups_what_is_wrong(office: Office, give: Give) -> None:
    """`check` lists every issue and groups those that one line of the mapping would fix."""
    values = "{column: Estado, values: {Abierto: Abierto, Cerrado: Cerrado}, closed: [Cerrado]}"
    text = MAPPING.replace("{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}", values)
    office.mapping.write_text(text, encoding="utf-8")
    office.write([ticket(1), *(ticket(n, Estado="En curso") for n in range(2, 6))])
    result = give(office.arguments("check", "--json"))
    assert result.status == 1
    assert [group["count"] for group in result.json["groups"]] == [4]
    assert "values" in result.json["groups"][0]["remedy"]
    shown = give(office.arguments("check")).out
    assert "4 rows" in shown
    assert office.sandbox.posts == 0


def test_preview_shows_what_a_row_would_send(office: Office, give: Give) -> None:
    """`preview --row` shows the JSON body of that row and sends nothing."""
    office.write([ticket(1), ticket(2)])
    result = give(office.arguments("preview", "--row", "3", "--json"))
    assert result.status == 0
    assert result.json["body"]["contact"] == "cliente2@example.com"
    assert office.sandbox.posts == 0


def test_preview_shows_the_rows_with_issues(office: Office, give: Give) -> None:
    """`preview --issues` shows each row with issues, and says so if there is none."""
    office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Estado="Cerrado")])
    result = give(office.arguments("preview", "--issues", "--json"))
    assert (result.status, [row["row"] for row in result.json["rows"]]) == (1, [3, 4])
    shown = give(office.arguments("preview", "--issues"))
    assert "Row 3" in shown.out
    assert "Row 2" not in shown.out
    office.write([ticket(1)])
    assert give(office.arguments("preview", "--issues")).out.strip() == "No row has issues."


def test_report_is_rebuilt_from_the_journal(office: Office, give: Give) -> None:
    """`report` writes the same ids again after the report was lost, and sends nothing."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    before = office.reported()
    office.report.unlink()
    assert give(office.arguments("report")).status == 0
    after = office.reported()
    assert list(after["wolkvox_id"]) == list(before["wolkvox_id"])
    assert office.sandbox.posts == 2


def test_an_older_row_of_a_repeated_key_is_skipped_and_never_shows_the_id(office: Office, give: Give) -> None:
    """Under `keep: last` the case belongs to the last row of a key; the others are skipped, in every later run too."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: Ticket\n  keep: last"), encoding="utf-8")
    office.write([ticket(1, Detalle="viejo"), ticket(2), ticket(1, Detalle="nuevo")])
    for created_now in (2, 0):
        result = give(office.arguments("run", "--yes", "--json"))
        counts = result.json["counts"]
        assert (result.status, counts["created"], counts["skipped"], counts["changed"]) == (0, 2, 1, 0)
        assert result.json["created_now"] == created_now
        report = office.reported()
        assert list(report["status"]) == ["skipped", "created", "created"]
        assert [bool(found) for found in report["wolkvox_id"]] == [False, True, True]
    texts = {case.body["description"].splitlines()[1] for case in office.sandbox.store.cases}
    assert texts == {"nuevo", ticket(2)["Detalle"]}


def test_a_copied_row_does_not_show_the_id_of_the_first(office: Office, give: Give) -> None:
    """A created row that was copied in the sheet stays created once; its copy has a repeated key, and no id."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    office.write([ticket(1), ticket(2), ticket(1)])
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["counts"]["created"], result.json["counts"]["invalid"]) == (1, 2, 1)
    assert [reason["code"] for reason in result.json["reasons"]] == ["key-repeated"]
    assert [bool(found) for found in office.reported()["wolkvox_id"]] == [True, True, False]
    assert office.sandbox.posts == 2


def _reason(result: Result) -> tuple[int, str]:
    """Return the row and the remedy of the only repeated key."""
    (reason,) = (each for each in result.json["reasons"] if each["code"] == "key-repeated")
    return reason["row"], reason["remedy"]


OTHER = {"Asunto": "otro", "Correo": "otra@x.co", "Detalle": "otro"}
HOLDERS: tuple[tuple[dict[str, str], dict[str, str], int], ...] = (
    ({}, OTHER, 2),
    (OTHER, {}, 4),
    ({}, {}, 2),
    ({"Asunto": "corregido"}, OTHER, 2),
    (OTHER, {"Prioridad": "Baja"}, 4),
)
"""What was changed in the first and the last row of a repeated key, and the row that has its case."""


def test_the_row_that_has_the_case_of_a_repeated_key_keeps_it(office: Office, give: Give) -> None:
    """Of rows with one key, content tells which one has the case: it shows the id, and the other is told so."""
    office.write(ticket(key) for key in range(len(HOLDERS)))
    give(office.arguments("run", "--yes"))
    ids = list(office.reported()["wolkvox_id"])
    for key, (first, last, holder) in enumerate(HOLDERS):
        office.write([ticket(key, **first), ticket(100 + key), ticket(key, **last)])
        result = give(office.arguments("run", "--yes", "--json"))
        assert (result.json["counts"]["created"], result.json["counts"]["invalid"]) == (2, 1), key
        assert office.sandbox.posts == len(HOLDERS) + key + 1
        row, remedy = _reason(result)
        assert row == 6 - holder, key
        assert remedy.startswith(f"By its contents, row {holder} was imported before as ")
        assert ids[key] in remedy
        assert "leave Ticket as it is in that row" in remedy
        assert office.reported()["wolkvox_id"].iat[holder - 2] == ids[key]


def test_a_repeated_key_whose_case_no_row_resembles_names_the_case(office: Office, give: Give) -> None:
    """Where content cannot tell, every row names the case, and the Summary says that one more is in the CRM."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    (known,) = office.reported()["wolkvox_id"]
    office.write([ticket(1, Asunto="a"), ticket(1, Asunto="b"), ticket(2)])
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.json["counts"]["invalid"], office.sandbox.posts) == (2, 2)
    reasons = [each for each in result.json["reasons"] if each["code"] == "key-repeated"]
    assert len(reasons) == 2
    for reason in reasons:
        assert known in reason["remedy"]
        assert "One of these rows was imported before" in reason["remedy"]
    assert any("1 more case is in the CRM already" in note and known in note for note in result.json["notes"])


@pytest.mark.parametrize(("contact", "is_told"), [("cliente1@example.com", True), ("otra@x.co", False)])
def test_lines_of_one_case_have_one_contact(office: Office, give: Give, contact: str, is_told: bool) -> None:  # noqa: FBT001
    """That rows may be joined by `group` is said only where their contact is the same."""
    office.write([ticket(1), ticket(2), ticket(1, Correo=contact, Asunto="otro")])
    result = give(office.arguments("check", "--json"))
    remedies = [each["remedy"] for each in result.json["issues"] if each["code"] == "key-repeated"]
    assert [("group: Ticket" in remedy) for remedy in remedies] == [is_told, is_told]
