"""What no log, journal, traceback or report may contain: the token and the contents of cells."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from nursery import Nursery
from promise_support import CONTACT, end_leases, states, tickets
from run_support import Give, Office, ticket
from scripted_crm import ScriptedCrm, Talk, http

TOKEN = "canary-0a9b8c7d6e5f"
KEY = "1020304050"
NUMBER = "5060708090"
VALUES = (KEY, NUMBER)


def echoing(talk: Talk) -> None:
    """Answer with the quota, and to every case with a refusal that quotes the whole request, token included."""
    while True:
        asked = talk.request()
        if "insertAttach" not in asked.head:
            talk.send(http(200, {"code": 200, "error": "null", "data": {"available_consumition_options": 100}}))
        elif len(talk.server.requests) % 2:
            said = json.loads(asked.body)
            quoted = f"{asked.header('Wolkvox-Token')}: {said['form']['Subject']} AND {said['contact']} DO NOT EXIST"
            talk.send(http(200, {"code": "400", "error": quoted, "msg": said["description"]}))
        else:
            talk.send(http(500, asked.head.encode() + bytes(asked.body)))


def found_in(folder: Path, *secrets: str) -> list[tuple[str, str]]:
    """Return which of the secrets are in the raw bytes of which files below a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [(file.name, secret) for file in files for secret in secrets if secret.encode() in file.read_bytes()]


def test_x3_a_failing_run_at_its_most_talkative(
    office: Office, give: Give, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Token and id numbers are in no log, no output and no byte of the journal, though the CRM quotes them."""
    office.environment["WOLKVOX_TOKEN"] = TOKEN
    monkeypatch.setenv("WOLKVOX_TOKEN", TOKEN)
    office.write(ticket(f"{KEY}{n}", Asunto=NUMBER, Detalle=f"CC {NUMBER}", Correo=CONTACT) for n in range(3))
    log = office.folder / "log.jsonl"
    words = office.arguments("run", "--yes", "--concurrency", "1", "-vv", "--log-file", str(log), "--json")
    with ScriptedCrm(echoing) as crm:
        server = ("--server", f"http://127.0.0.1:{crm.port}")
        assert give(office.arguments("run", "--yes", "--limit", "1", *server)).status in {3, 4}
        with closing(sqlite3.connect(office.journal)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM rows").fetchall()  # keeps the write-ahead log from being tidied up
            result = nursery.carry_out(*words, *server)
            assert (office.journal.parent / "journal.db-wal").stat().st_size
            assert found_in(office.journal.parent, TOKEN, *VALUES) == []
    assert result.status == 4, result
    assert {reason["status"] for reason in json.loads(result.out)["reasons"]} == {"rejected", "unknown"}
    assert len(log.read_text().splitlines()) == 2
    for text in (result.out, result.err, log.read_text()):
        assert not [secret for secret in (TOKEN, *VALUES) if secret in text]
    with zipfile.ZipFile(office.report) as report:
        assert not [name for name in report.namelist() if TOKEN.encode() in report.read(name)]


def test_x3_a_fault_of_ours_shows_places_and_no_values(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that quotes a cell and the token is shown only by its type and its lines, exit status 70."""

    def faulty(*_arguments: object) -> None:
        raise ValueError(TOKEN, *VALUES)

    monkeypatch.setattr("importer.workflow.sending.sending.build_payload", faulty)
    office.write([ticket(KEY, Asunto=NUMBER)])
    result = give(office.arguments("run", "--yes"))
    assert result.status == 70
    assert "ValueError" in result.err
    assert not [secret for secret in (TOKEN, *VALUES) if secret in result.err + result.out]


def test_the_value_that_was_searched_by_is_erased_from_the_file(office: Office, give: Give) -> None:
    """While a row is in doubt its contact is kept with the intent; once it is settled no byte of it is left."""
    office.write(tickets(range(1, 40)))
    office.sandbox.inject("html-answer:every=4")
    give(office.arguments("run", "--yes", "--concurrency", "1"))
    assert found_in(office.journal.parent, CONTACT)
    end_leases(office.journal)
    assert give(office.settle("--quiet-period", "0")).status == 0
    assert states(office.journal) == {"created": 39}
    assert found_in(office.journal.parent, CONTACT) == []
