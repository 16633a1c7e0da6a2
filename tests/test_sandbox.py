"""The stand-in CRM answers as the vendor's page says."""

from __future__ import annotations

import base64

import requests

from importer.sandbox import RunningSandbox

CASE = {
    "operation": "demo",
    "case-type": "Request",
    "responsible": "ADMIN_@demo",
    "owner": "ADMIN_@demo",
    "contact": "ana@example.com",
    "description": "[WCI-0123456789ABCDEF]\nNo llegó la factura",
    "form": {"Subject": "Factura"},
    "status": "Abierto",
    "priority": "Alta",
    "attachments": [base64.b64encode(b"hola").decode()],
}


def insert(sandbox: RunningSandbox, **changes: object) -> requests.Response:
    """Send one case, with some of its values changed."""
    url = f"{sandbox.url}/server/API/v2/cases/insertAttach.php"
    return requests.post(url, json=CASE | changes, headers={"Wolkvox-Token": "demo"}, timeout=10)


def test_a_case_is_created_with_ids(sandbox: RunningSandbox) -> None:
    """A whole case is answered with the documented shape and kept with what it was sent with."""
    response = insert(sandbox)
    (case,) = sandbox.store.cases
    assert response.json() == {
        "code": 200,
        "error": "null",
        "msg": "Succesfully create record",
        "data": {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo},
    }
    assert len(case.wolkvox_id) == 24
    assert case.attachments == (b"hola",)
    assert case.reference == "WCI-0123456789ABCDEF"
    assert sandbox.posts == 1
