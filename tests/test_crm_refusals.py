"""What the CRM refuses in its own words is told in ours, the original beside it, with what helps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_support import Give, Office, ticket

from importer.crm import explained, known_refusal
from importer.sandbox import RunningSandbox, SandboxConfig


@pytest.mark.parametrize(
    ("words", "meaning", "helps"),
    [
        ("CONTACT DOES NOT EXIST: contact", "the contact does not exist there", "create the contact"),
        ("El contacto «***» no existe.", "the contact does not exist there", "create the contact"),
        ("Contact email not found", "the contact does not exist there", "create the contact"),
        ("RESPONSIBLE DOES NOT EXIST: responsible", "the responsible user does not exist there", "`responsible`"),
        ("EL PROPIETARIO NO FUE ENCONTRADO", "the owner does not exist there", "`owner`"),
        ("CASE-TYPE DOES NOT EXIST: case-type", "the case type does not exist there", "`values` of `case-type`"),
        ("El tipo de caso no existe", "the case type does not exist there", "`values` of `case-type`"),
        ("STATUS DOES NOT EXIST: status", "this status does not exist there for the case type", "`status`"),
        ("LA PRIORIDAD NO EXISTE", "this priority does not exist there for the case type", "`priority`"),
        ("OPERATION DOES NOT EXIST: operation", "the operation does not exist there", "--operation"),
        ("SOME PARAMETERS ARE REQUIRED: Ciudad", "a field that the CRM requires is missing", "`form`"),
        ("Algunos parámetros son requeridos", "a field that the CRM requires is missing", "`form`"),
        ("SOME PARAMETERS ARE REQUIRED: solution", "this status needs a solution", "`closed`"),
        ("PLEASE VALIDATE TOKEN", "the CRM does not accept the token", "token of this operation"),
        ("PLEASE ENTER THE WOLKVOX-TOKEN", "the CRM does not accept the token", "token of this operation"),
        ("TOKEN LIMIT EXCEEDED", "the token's calls for today are used up", "quota"),
        ("EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)", "at the same time", "other programs"),
        ("THE API YOU WANT TO CONSULT DOES NOT EXIST", "there is no such call at this address", "--server"),
    ],
)
def test_a_known_refusal_is_explained(words: str, meaning: str, helps: str) -> None:
    """The CRM's words stay, what they mean is beside them, and the remedy has the whole command."""
    refusal = known_refusal(words)
    assert refusal is not None
    assert refusal.explained(words).startswith(f"{words} (")
    assert meaning in refusal.explained(words)
    assert helps in refusal.remedy("case-importer run x")
    assert refusal.remedy("case-importer run x").endswith("`case-importer run x`")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "SOMETHING ELSE",
        "THE CONTACT'S STATUS DOES NOT EXIST",
        "CONTACT OR OWNER DOES NOT EXIST",
        "RECORD NOT FOUND",
        "The contact exists. The record does not exist.",
        "HTTP 413, without a readable message from the CRM",
    ],
)
def test_what_is_not_plainly_known_stays_as_it_is(words: str) -> None:
    """A wrong translation would be worse than none."""
    assert explained(words) == words


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Provide an office whose CRM knows one contact alone."""
    with RunningSandbox(config=SandboxConfig(contacts=("cliente1@example.com",))) as sandbox:
        yield Office(tmp_path, sandbox)


def test_a_rejected_row_says_what_the_answer_means(office: Office, give: Give) -> None:
    """The report explains the answer and shows the whole command; the journal keeps the CRM's own words."""
    office.write([ticket(1, Correo="nuevo@example.com")])
    (reason,) = give(office.arguments("run", "--yes", "--json")).json["reasons"]
    answer = "CONTACT DOES NOT EXIST · contact"
    assert reason["message"] == f"Rejected by the CRM: {answer} (the contact does not exist there)"
    assert re.search(r"create the contact .* `case-importer run .* --yes --retry-rejected`", reason["remedy"])
    row = office.reported().iloc[0]
    assert row["message"] == f"{reason['message']}. {reason['remedy']}."
    assert b"does not exist there" not in office.journal.read_bytes()
