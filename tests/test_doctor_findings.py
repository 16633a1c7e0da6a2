"""What the doctor learnt: read on from earlier versions, and shown as a page with nothing private in it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from run_support import Office, ticket
from scripted_crm import ScriptedCrm, answering, http
from test_doctor_asking import CONTACT, TOKEN, Person

import importer.cli.doctor
from importer import doctor
from importer.cli.main import case_importer
from importer.crm import Crm
from importer.doctor import CaseOptions
from importer.errors import ImporterError
from importer.identity import Scope, tenant_of
from importer.messages import in_all_languages, speaking
from importer.model import Target
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.workflow.tenant_facts import AnswerExample, Findings, Observation

KNOWN = Findings(
    tenant="crm0001.wolkvox.com",
    operation="demo",
    when=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
    program="case-importer 0",
    search_field="email contact",
)

CANARIES = (
    *("ana.otra@cliente.com.co", "/var/www/html/crm/api.php", "crm0007.wolkvox.com", "10.20.30.40", "Ana Pérez"),
    *("64cbf0a1b2c3d4e5f6a7b8c9", "CAS-20241", "3001234567", "WCI-0123456789ABCDEF", TOKEN, "C:\\CRM\\api.php"),
)
SAID = 'NO RECORD FOR "Ana Pérez": ' + " ".join(each for each in CANARIES if each != "Ana Pérez")


def test_c78_findings_and_page_hold_nothing_private(tmp_path: Path) -> None:
    """Whatever the CRM says, and whoever asks: no address, id, server, path or token is in the file or on the page."""
    refusal = http(200, {"code": "412", "error": SAID, "msg": "SORRY", "data": []})
    with ScriptedCrm(answering(refusal)) as crm:
        where = Target(f"http://127.0.0.1:{crm.port}", "operacion_secreta", TOKEN)
        replace(KNOWN, tenant=tenant_of(where.server), operation=where.operation).save(tmp_path)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Crm, "token_information", lambda _self: SimpleNamespace(left=None))
            findings, path = doctor.ask_crm(
                where, CaseOptions({}), Person(), tmp_path, ("none", "no-contact", "paging")
            )
    assert "SORRY" in str(findings.nothing_found)
    page = doctor.write_findings(findings, tmp_path)
    for text in (path.read_text("utf-8"), page.read_text("utf-8")):
        assert "NO RECORD FOR" in text
        assert [canary for canary in CANARIES if canary in text] == []
    assert [each for each in ("secreta", "127.0.0.1") if each in page.read_text("utf-8") + page.name] == []


def test_c78_the_page_escapes_and_masks_what_an_older_file_holds(tmp_path: Path) -> None:
    """A file that an older version wrote, or somebody edited, is shown as text, in the user's language."""
    shape = f'HTTP 200 {{msg: "{SAID} <script>alert(1)</script>", data: list of 12345 {{a: true/false}}}}'
    findings = replace(
        KNOWN, nothing_found=shape, errors=(AnswerExample("no-value", shape), AnswerExample(SAID, shape))
    )
    with speaking("es"):
        page = doctor.write_findings(findings, tmp_path).read_text("utf-8")
    assert "<script" not in page
    assert [canary for canary in CANARIES if canary in page and canary != "Ana Pérez"] == []
    assert "list of 12345" in page
    assert '<html lang="es">' in page


def test_c79_findings_of_version_1_are_read_on(tmp_path: Path) -> None:
    """What they prove stays; what a person told is kept whatever language it was asked in."""
    known = replace(KNOWN, body_length=1000, found_after=2.5, page_size=20, nothing_readable=True)
    path = known.save(tmp_path)
    older = json.loads(path.read_text("utf-8"))
    for name in ("asked", "update_keeps_absent", "dates_zone", "page_says_more"):
        del older[name]
    asked = in_all_languages("Did the contact receive an e-mail about the test case?")[-1]
    told = [{"question": asked, "answer": "yes"}, {"question": "Otra cosa", "answer": "no"}]
    path.write_text(json.dumps({**older, "version": 1, "told": told, "unknown": ["x"], "errors": []}), encoding="utf-8")
    read = Findings.load(tmp_path, Scope("crm0001.wolkvox.com", "demo", "x"))
    assert read is not None
    assert read.covers("email contact", 1000)
    assert replace(read, told=()) == known
    assert (read.observed("mail"), read.observed("clock")) == ("yes", None)
    for damaged in ({"told": ["x"]}, {"told": None}, {"version": 3}):
        path.write_text(json.dumps({**older, "version": 1, **damaged}), encoding="utf-8")
        assert Findings.load(tmp_path, Scope("crm0001.wolkvox.com", "demo", "x")) is None


def test_c79_the_forecast_says_what_is_known_of_new_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what somebody saw, and only of this tenant and operation."""
    monkeypatch.setenv("WOLKVOX_TOKEN", TOKEN)
    told = (Observation("mail", "yes"), Observation("clock", "unknown"))
    assert KNOWN.effects() == ()
    with RunningSandbox() as crm:
        office = Office(tmp_path, crm)
        office.write([ticket(1)])
        replace(KNOWN, tenant=tenant_of(crm.url), told=told).save(office.journal.parent)
        other = (Observation("mail", "no"),)
        replace(KNOWN, tenant=tenant_of(crm.url), operation="other", told=other).save(office.journal.parent)
        shown = CliRunner().invoke(case_importer, office.arguments("run", "--yes"), standalone_mode=False).stderr
        assert "learnt    a test case sent its contact an e-mail" in shown
        assert "SLA" not in shown.partition("learnt")[2]


# ------------------------------------------------------------------------------------------------ the command


def give(monkeypatch: pytest.MonkeyPatch, *words: object, typed: str | None = None) -> tuple[int, str, str]:
    """Run `doctor` with what a person types at a terminal, or without a terminal."""
    monkeypatch.setattr(importer.cli.doctor, "is_interactive", lambda: typed is not None)
    monkeypatch.setenv("WOLKVOX_TOKEN", TOKEN)
    result = CliRunner().invoke(case_importer, ["doctor", *map(str, words)], input=typed, standalone_mode=False)
    if isinstance(result.exception, ImporterError):
        return result.exception.exit_status, result.stdout, str(result.exception)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result.stdout, result.stderr


def options_for(crm: RunningSandbox, folder: Path) -> Sequence[str]:
    """Return the options for a sandbox and a journal."""
    return ("--server", crm.url, "--operation", "demo", "--journal", str(folder / "journal.db"))


def test_c77_a_person_sees_price_and_traces_and_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The questions of the option are listed; those that a person names are asked, and nothing if they say no."""
    with RunningSandbox(SandboxConfig(contacts=(CONTACT,))) as crm:
        where = options_for(crm, tmp_path)
        status, _out, err = give(monkeypatch, *where, "--create-test-case", typed="n\n")
        assert (status, crm.posts, crm.calls("query")) == (2, 0, 0)
        status, out, err = give(monkeypatch, *where, "--ask", "all", "--report", "--json", typed="none, no-contact\n")
        assert (status, crm.posts, crm.calls("query"), crm.calls("custom-query")) == (0, 0, 3, 1)
        assert all(probe.question in err and probe.traces in err for probe in doctor.PROBES)
        assert f"{doctor.price(doctor.PROBES)} calls" in err
        found = json.loads(out)
        assert found["findings"]["contacts_none_readable"] is True
        assert Path(found["report"]).exists()


def test_c77_a_yes_asks_what_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers yes in place of Enter means the questions that are listed."""
    with RunningSandbox() as crm:
        for times, typed in enumerate(("y\n", "Sí\n"), 1):
            status, _out, err = give(monkeypatch, *options_for(crm, tmp_path), "--ask", "no-contact", typed=typed)
            assert (status, crm.calls("custom-query")) == (0, times), err


def test_c78_the_report_is_shown_without_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--report` alone asks nothing and needs no token; without findings it says what would ask."""
    with RunningSandbox() as crm:
        where = options_for(crm, tmp_path)
        status, _out, err = give(monkeypatch, *where, "--report")
        assert status == 2
        assert "--ask all" in err
        replace(KNOWN, tenant=tenant_of(crm.url), update_keeps_absent=False).save(tmp_path)
        status, out, err = give(monkeypatch, *where, "--report")
        assert status == 0
        page = next(tmp_path.glob("findings/*.html"))
        assert str(page) in out
        assert "fields that are not sent are emptied" in page.read_text("utf-8")
        assert crm.calls("token") == 0
