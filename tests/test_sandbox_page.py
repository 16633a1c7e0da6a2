"""The sandbox's pages show the cases to people, and content of a case can do no harm there."""

from __future__ import annotations

import base64
import re

import pytest
import requests
from sandbox_support import insert

from importer.sandbox import RunningSandbox, SandboxConfig
from importer.sandbox.store import StoredFile

EVIL = "<script>alert('x')</script>\"&"
PNG = b"\x89PNG\r\n\x1a\nrest"


def page(sandbox: RunningSandbox, path: str = "/") -> str:
    """Return a page's HTML."""
    response = requests.get(sandbox.url + path, timeout=10)
    assert response.status_code == 200
    return response.text


def test_an_empty_sandbox_says_what_to_do(sandbox: RunningSandbox) -> None:
    """Without cases the page says how to create some, and what the sandbox is."""
    text = page(sandbox)
    assert "No cases yet" in text
    assert "This is not the wolkvox CRM" in text


def test_cases_are_listed_newest_first_in_pages(sandbox: RunningSandbox) -> None:
    """A page has fifty cases, and links to the older ones and back."""
    for _ in range(51):
        insert(sandbox)
    first = page(sandbox)
    numbers = re.findall(r'href="/cases/(\d+)"', first)
    assert numbers == [str(number) for number in range(51, 1, -1)]
    (older,) = re.findall(r'href="(/\?[^"]+)"', first)
    second = page(sandbox, older.replace("&amp;", "&"))
    assert re.findall(r'href="/cases/(\d+)"', second) == ["1"]
    assert "51 to 51 of 51" in second


def test_cases_are_searched(sandbox: RunningSandbox) -> None:
    """The search covers ids and every field, and keeps what was typed."""
    insert(sandbox, description="Uno")
    insert(sandbox, description="Dos ñandúes")
    assert re.findall(r'href="/cases/(\d+)"', page(sandbox, "/?q=ñandú")) == ["2"]
    assert re.findall(r'href="/cases/(\d+)"', page(sandbox, "/?q=sandbox-1")) == ["1"]
    assert "No case contains" in page(sandbox, "/?q=Tres")


def test_a_case_shows_all_that_it_holds(sandbox: RunningSandbox) -> None:
    """A case's page shows its ids, fields, form, solution and a card for each attachment."""
    files = [base64.b64encode(content).decode() for content in (PNG, b"hola", b"%PDF-1.7", b"PK\x03\x04", b"\0\xff")]
    ids = insert(sandbox, attachments=files, solution="Listo", form={"Fecha": "2024-01-31", "Sí": True}).json()["data"]
    text = page(sandbox, "/cases/1")
    for shown in (*ids.values(), "Listo", "2024-01-31", "true", "WCI-0123456789ABCDEF", "No llegó la factura"):
        assert shown in text
    assert re.findall(r"Attachment \d, (\w+)", text) == ["png", "txt", "pdf", "zip", "bin"]


@pytest.mark.parametrize("path", ["/", "/cases/1", "/?q=%3Cscript%3E"])
def test_everything_is_escaped(sandbox: RunningSandbox, path: str) -> None:
    """Markup inside any field of a case is shown as text, never interpreted."""
    fields = dict.fromkeys(("case-type", "description", "status", "priority", "solution", "operation"), EVIL)
    insert(sandbox, **fields, contact='"><script>@example.com', form={EVIL: EVIL})
    text = page(sandbox, path)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_page_loads_nothing_external(sandbox: RunningSandbox) -> None:
    """The page names no other address and forbids the browser to load from one."""
    insert(sandbox)
    response = requests.get(sandbox.url + "/cases/1", timeout=10)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert not re.search(r"(src|href)=\"(?!/)", response.text)
    assert "://" not in response.text


def test_the_stylesheet_comes_with_the_page(sandbox: RunningSandbox) -> None:
    """The sandbox itself serves the stylesheet, which names no other address."""
    assert '<link rel="stylesheet" href="/style.css">' in page(sandbox)
    response = requests.get(sandbox.url + "/style.css", timeout=10)
    assert response.headers["Content-Type"].startswith("text/css")
    assert ".pill" in response.text
    assert not re.search(r"url\(|@import|://", response.text)


@pytest.mark.parametrize(
    ("content", "media_type", "shown"),
    [
        (PNG, "image/png", "inline"),
        (b"hola, se\xc3\xb1or", "text/plain; charset=utf-8", "inline"),
        (b"<html><script>alert(1)</script>", "text/plain; charset=utf-8", "inline"),
        (b"\0\1\2", "application/octet-stream", "attachment"),
        (b"", "text/plain; charset=utf-8", "inline"),
        (b"a\xc3\xb1" * 700_000, "text/plain; charset=utf-8", "inline"),
    ],
)
def test_an_attachment_opens_as_it_was_sent(
    sandbox: RunningSandbox, content: bytes, media_type: str, shown: str
) -> None:
    """An attachment has the bytes that were sent, and is never served as a page that could run scripts."""
    insert(sandbox, attachments=[base64.b64encode(content).decode()])
    response = requests.get(sandbox.url + "/cases/1/attachments/0", timeout=10)
    assert response.content == content
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Disposition"].startswith(shown)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/cases/2", "/cases/1/attachments/9", "/cases/99999999999999999999", "/nowhere", "/?from=50"]
)
def test_what_is_not_there_is_a_404(sandbox: RunningSandbox, path: str) -> None:
    """Unknown addresses get a 404 that says so."""
    insert(sandbox)
    assert requests.get(sandbox.url + path, timeout=10).status_code == 404


def test_a_foreign_name_for_this_machine_is_refused(sandbox: RunningSandbox) -> None:
    """A web page whose own name resolves to loopback cannot read the cases."""
    assert requests.get(sandbox.url, headers={"Host": "evil.example"}, timeout=10).status_code == 400


def test_contacts_are_listed_searched_and_escaped() -> None:
    """A page of its own shows those that calls have created and those that the configuration lists, in pages."""
    with RunningSandbox(SandboxConfig(contacts=("listed@example.com",))) as sandbox:
        fields = [{"emailcontact": f"{number}@example.com", "namecontact": EVIL} for number in range(50)]
        sandbox.store.records.add("contacts", "demo", fields)
        sandbox.store.records.add("assets", "demo", [{"serial": 7}])
        first = page(sandbox, "/contacts")
        assert "52 contacts" in first
        assert "<script" not in first
        assert "&lt;script&gt;" in first
        (older,) = re.findall(r'href="(/contacts\?[^"]+)"', first)
        assert "listed in the configuration" in page(sandbox, older.replace("&amp;", "&"))
        found = page(sandbox, "/contacts?q=49@")
        assert ("49@example.com" in found, "48@example.com" in found) == (True, False)
        assert "No contact contains" in page(sandbox, "/contacts?q=nobody")
        assert 'href="/contacts"' in page(sandbox)


def test_a_case_shows_its_updates_and_the_names_of_its_files() -> None:
    """Each update shows what was sent; the case shows what it is now."""
    with RunningSandbox(SandboxConfig(file_names="kept")) as sandbox:
        insert(sandbox)
        changes = [StoredFile([b"x"], EVIL)]
        sandbox.store.update(
            1, lambda body: {**body, "status": "Cerrado"}, {"Nota": EVIL}, changes, replaces_files=False
        )
        text = page(sandbox, "/cases/1")
    assert "<script" not in text
    for shown in ("Updates", "1 file", "Nota", "Cerrado", "All fields, without attachments"):
        assert shown in text
    assert text.count("&lt;script&gt;") == 2


def test_a_case_without_a_description_is_listed(sandbox: RunningSandbox) -> None:
    """An update may have emptied it."""
    insert(sandbox)
    sandbox.store.update(1, lambda body: {**body, "description": " "}, {}, [], replaces_files=False)
    assert 'href="/cases/1"' in page(sandbox)


def test_without_contacts_the_page_says_so(sandbox: RunningSandbox) -> None:
    """It says too whether cases of any address are accepted."""
    assert "Cases of any e-mail address are accepted" in page(sandbox, "/contacts")
    with RunningSandbox(SandboxConfig(contacts=())) as strict:
        assert "No contacts yet." in page(strict, "/contacts")
        assert requests.get(strict.url + "/contacts?from=50", timeout=10).status_code == 404
