"""Which tenant a server is: this computer is one by any name, and a simulated CRM is never the CRM."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from promise_support import assert_promise
from run_support import Give, Office, ticket

from importer import identity
from importer.identity import Scope
from importer.system.hosts import is_loopback, is_stand_in, normal_tenant, same_tenant, tenant_of

NAMES = ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1", "127.0.1.1", "[::1]", "[::ffff:127.0.0.1]"]
REAL = "https://crm0001.wolkvox.com"


def at(office: Office, server: str, *more: str) -> list[str]:
    """Return the words of a run against a server, of which nothing may be asked."""
    words = office.arguments("run", "--yes", "--first-run", "--json", *more)
    words[words.index("--server") + 1] = server
    return words


def record_tenant(office: Office, tenant: str) -> None:
    """Make the journal one in which the tenant was recorded so."""
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        journal.execute("UPDATE imports SET tenant = ?", (tenant,))


@pytest.mark.parametrize("name", NAMES)
def test_r17_this_computer_is_one_tenant_by_any_name(office: Office, give: Give, name: str) -> None:
    """Rows that were sent to one of its names are not sent to another."""
    office.write([ticket(1), ticket(2)])
    port = office.sandbox.url.rpartition(":")[2]
    assert give(at(office, f"http://localhost:{port}")).status == 0
    again = give(at(office, f"http://{name}:{port}"))
    assert (again.status, again.json["calls"], again.json["counts"]["created"]) == (0, 0, 2)
    assert office.sandbox.posts == 2


@pytest.mark.parametrize("recorded", ["localhost", "[::1]", "127.0.1.1"])
def test_r17_an_older_journal_is_found_and_keeps_its_references(office: Office, give: Give, recorded: str) -> None:
    """Earlier versions recorded the name as it was written: its rows are known, and new ones get its references."""
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    tenant = f"{recorded}:{office.sandbox.url.rpartition(':')[2]}"
    record_tenant(office, tenant)
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes", "--json")).json["created_now"] == 1
    reference = identity.reference(Scope(tenant, "demo", "office"), identity.key_digest(["2"]))
    assert reference in {case.reference for case in office.sandbox.store.cases}
    assert assert_promise(office) == {"created": 2}


@pytest.mark.parametrize("command", ["run", "adopt"])
@pytest.mark.parametrize("rehearsed", [True, False], ids=["rehearsed first", "real first"])
def test_r17_a_stand_in_is_not_the_crm(
    office: Office,
    give: Give,
    command: str,
    rehearsed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """`--same-as` between the two is refused with a sentence, whichever was first and whichever command says it."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    here = f"http://[::1]:{office.sandbox.url.rpartition(':')[2]}"
    if not rehearsed:
        record_tenant(office, "crm0001.wolkvox.com")
    server = REAL if rehearsed else here
    if command == "run":
        refused = give(at(office, server, "--same-as", "office"))
    else:
        words = office.adopt(office.report, "--same-as", "office")
        words[words.index("--server") + 1] = server
        refused = give(words)
    assert (refused.status, office.sandbox.posts) == (2, 2)
    assert "simulated CRM" in refused.err
    assert "crm0001.wolkvox.com" in refused.err


def test_r17_an_older_journal_that_says_so_is_refused(office: Office, give: Give) -> None:
    """Where an earlier version recorded a simulated CRM's import as one of the CRM, a run does not trust that."""
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        journal.execute(
            "INSERT INTO aliases (tenant, operation, name, import_id) VALUES (?, 'demo', 'office', 1)",
            ("crm0001.wolkvox.com",),
        )
    refused = give(at(office, REAL))
    assert refused.status == 2
    assert "simulated CRM" in refused.err


def test_r17_same_as_prefers_the_import_of_its_own_kind(office: Office, give: Give) -> None:
    """Of two imports with one name, a rehearsed and a real one, the one that can be meant is meant."""
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        journal.execute(
            "INSERT INTO imports (tenant, operation, name, created_at) VALUES (?, 'demo', 'office', 1)",
            ("crm0001.wolkvox.com",),
        )
        journal.execute(
            "UPDATE imports SET tenant = '127.0.0.1:1' WHERE id = 1"
        )  # the simulated CRM had another port then
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("import: office", "import: other"), "utf-8")
    result = give(office.arguments("run", "--yes", "--json", "--same-as", "office"))
    assert (result.status, result.json["calls"], office.sandbox.posts) == (0, 0, 1)


@pytest.mark.parametrize(
    ("tenant", "other", "same"),
    [
        ("localhost:8080", "127.0.0.1:8080", True),
        ("[::1]:8080", "localhost:8080", True),
        ("127.0.0.1:8080", "127.0.0.1:8081", False),
        ("localhost", "127.0.0.1", True),
        ("localhost:443", "127.0.0.1", False),
        ("crm0001.wolkvox.com", "crm0000.wolkvox.com", False),
        ("localhost.example.com", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("[broken", "[broken", True),
        ("[broken", "127.0.0.1", False),
    ],
)
def test_recorded_tenants_that_are_one(tenant: str, other: str, same: bool) -> None:  # noqa: FBT001 - a parameter
    """Tenants are compared as they would be named today."""
    assert same_tenant(tenant, other) is same
    assert normal_tenant(normal_tenant(tenant)) == normal_tenant(tenant)


@pytest.mark.parametrize("name", [*NAMES, "::1", "0:0:0:0:0:0:0:1", "127.8.9.1"])
def test_one_definition_of_this_computer(name: str) -> None:
    """What plain http may be sent to is what a tenant on this computer is."""
    bracketed = f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name
    assert is_loopback(name)
    assert is_loopback(f"http://{bracketed}:8080")
    assert is_stand_in(tenant_of(f"http://{bracketed}:8080"))
    assert tenant_of(f"http://{bracketed}:8080") == "127.0.0.1:8080"


@pytest.mark.parametrize(
    "name", ["127.0.0.1.example.com", "localhost.example.com", "128.0.0.1", "10.0.0.1", "", "1270.1"]
)
def test_what_is_not_this_computer(name: str) -> None:
    """A name that begins like this computer's is another computer's."""
    assert not is_loopback(name)
    assert not is_stand_in(name)
