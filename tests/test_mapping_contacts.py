"""`contacts` in a mapping: the contact's own fields, written like those of `form`, and who is created."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import HEAD, converted, faults, frame, loaded

from importer.mapping import json_schema

WHOLE = """\
contacts:
  create: missing
  namecontact: {column: Nombre}
  telephonecontact: {object: {type: telephone, value: {column: Celular}}}
  idcontact: "1020"
"""


def test_the_fields_of_a_contact_are_converted_like_those_of_form(tmp_path: Path) -> None:
    """Columns, objects and constants give the contact's fields under paths of their own; the case has none of them."""
    case = loaded(tmp_path, HEAD + WHOLE)
    assert case.contacts is not None
    assert case.contacts.creates
    assert case.contacts.fields == ("namecontact", "telephonecontact", "idcontact")
    fields = converted(case, frame({"Id": ["1"], "Nombre": [" Ana "], "Celular": ["300"]})).fields
    assert fields["contacts.namecontact"].tolist() == ["Ana"]
    assert fields["contacts.telephonecontact"].tolist() == [{"type": "telephone", "value": "300"}]
    assert fields["contacts.idcontact"].tolist() == ["1020"]


def test_never_is_the_default(tmp_path: Path) -> None:
    """Fields alone create nobody, and a mapping without the section says nothing of contacts."""
    fields = loaded(tmp_path, HEAD + "contacts: {namecontact: {column: Nombre}}\n").contacts
    assert fields is not None
    assert not fields.creates
    assert loaded(tmp_path, HEAD).contacts is None


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("contacts: {create: always}\n", "contacts.create: 'always' is not a valid value"),
        ("contacts: {namecontact: {colum: N}}\n", "contacts.namecontact.colum: unknown key; did you mean column"),
        ("contacts: {namecontact: {closed: [N], column: N}}\n", "closed is only for fields.status"),
        ("contacts: {namecontact: [N]}\n", "expected a constant, or keys such as column, not a list"),
        ("contacts: {namecontact: {column: N}}\nreference: contacts.namecontact\n", "is not a text field"),
        ("contacts: [N]\n", "contacts: expected keys and values"),
    ],
)
def test_a_fault_is_told_at_its_place(tmp_path: Path, section: str, fault: str) -> None:
    """A wrong value, an unknown key or a wrong shape is a fault at its line."""
    found = faults(tmp_path, HEAD + section)
    assert any(fault in one for one in found), found


def test_columns_of_contacts_are_no_content_of_the_case(tmp_path: Path) -> None:
    """The mapper reads them, and does not count them for the content hash."""
    case = loaded(tmp_path, HEAD.replace("words", "{column: Texto}") + "contacts: {namecontact: {column: Nombre}}\n")
    mapper = case.bind(("Id", "Texto", "Nombre"), {})
    assert mapper.columns == ("Id", "Texto", "Nombre")
    assert mapper.case_columns == ("Id", "Texto")


def test_the_schema_describes_fields_of_any_name() -> None:
    """An editor completes `create`, and takes any other key for a field."""
    part = json_schema()["$defs"]["ContactsSpec"]
    assert set(part["properties"]) == {"create"}
    assert part["additionalProperties"] == {"$ref": "#/$defs/FieldSpec"}
