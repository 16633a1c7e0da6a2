"""A whole case, and how the sandbox's own tests send it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import requests

from importer.sandbox import RunningSandbox

TOKEN = {"Wolkvox-Token": "demo"}
CASE: Mapping[str, object] = {
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
INSERT = "/server/API/v2/cases/insertAttach.php"
QUERY = "/server/API/v2/cases/queryCases.php"
INFORMATION = "/server/API/v2/token/tokenInformation.php"


def insert(sandbox: RunningSandbox, **changes: object) -> requests.Response:
    """Send the case, some of its values changed; a value of None leaves the key out."""
    body = {key: value for key, value in {**CASE, **changes}.items() if value is not None}
    return requests.post(sandbox.url + INSERT, json=body, headers=TOKEN, timeout=10, allow_redirects=False)


def query(sandbox: RunningSandbox, field: str, value: str) -> requests.Response:
    """Search the cases of the demo's operation."""
    body = {"operation": "demo", "field": field, "value": value}
    return requests.post(sandbox.url + QUERY, json=body, headers=TOKEN, timeout=10)
