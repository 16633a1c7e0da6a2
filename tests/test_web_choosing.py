"""Choosing a sheet on the page: folders, typed paths and dropped files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from start_support import PageClient, mapping, text_of, token_of, workbook
from web_support import open_in, running_page, with_clean_memory

from importer import SourceError
from importer.source import open_table
from importer.web import RunningPage, copies, folders
from importer.web.copies import keep_copy, safe_name
from importer.web.folders import content_of, is_within, path_of, typed_path
from importer.web.page import LARGEST_FORM


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a person's own folders."""
    home = tmp_path / "home"
    for name in ("Documents", "Downloads", "Desktop"):
        (home / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setattr(folders, "_MOUNTED", ())
    return home


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """Serve the page, one for all tests: each has a home of its own."""
    with running_page(tmp_path_factory.mktemp("page") / "journal.db") as running:
        yield running


@pytest.fixture
def client(home: Path, served: RunningPage) -> PageClient:  # noqa: ARG001 - the person's own
    """Come in to the page, which remembers nothing of the other tests."""
    return PageClient(with_clean_memory(served))


def test_a_folder_shows_sheets_and_folders_alone(home: Path) -> None:
    """Hidden files, lock files, corrections and anything that is no spreadsheet stay out; reports are marked."""
    for name in (".secret.xlsx", "~$open.xlsx", "open.xlsx", "week.corrections.csv", "photo.png", "week.csv",
                 "week.report.xlsx", "week (2).report.xlsx", "week.rehearsal.xlsx", "reports.XLSX"):  # fmt: skip
        (home / name).write_bytes(b"x")
    (home / ".git").mkdir()
    content = content_of(home)
    assert [place.name for place in content.folders] == ["Desktop", "Documents", "Downloads"]
    shown = {file.path.name: (file.is_report, file.is_open) for file in content.files}
    report = True, False
    assert shown == {
        "open.xlsx": (False, True), "week.csv": (False, False), "reports.XLSX": (False, False),
        "week.report.xlsx": report, "week (2).report.xlsx": report, "week.rehearsal.xlsx": report,
    }  # fmt: skip


def test_the_newest_sheet_is_first_and_a_vast_folder_is_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for programs is not read to its end."""
    for age, name in enumerate(("new.csv", "old.csv", "older.csv")):
        (home / name).touch()
        os.utime(home / name, (1e9 - age, 1e9 - age))
    assert [file.path.name for file in content_of(home).files] == ["new.csv", "old.csv", "older.csv"]
    monkeypatch.setattr(folders, "MOST_ENTRIES", 4)
    assert content_of(home).is_cut


@pytest.mark.parametrize("name", ["a b.xlsx", "ñandú 5 %.csv", 'x"><img src=x onerror=alert(1)>.csv',
                                  "\u202eslx.csv", "line\nbreak.csv"])  # fmt: skip
def test_a_sheet_is_opened_whatever_its_name(client: PageClient, home: Path, name: str) -> None:
    """No character of a file's name becomes markup, or keeps the file from being opened."""
    sheet = home / "Documents" / name
    try:
        sheet.write_text("Radicado;Correo\n1;a@b.co\n", "utf-8")
    except OSError:
        pytest.skip("this system does not allow the name")
    shown = client.get(f"/choose?at={token_of(sheet.parent)}")
    assert token_of(sheet) in shown.text
    assert "<img" not in shown.text
    answer = client.post("/choose", {"pick": token_of(sheet)}, allow_redirects=False)
    assert answer.status_code == 303
    assert "/sheets/" in answer.headers["location"]


def test_no_folder_outside_of_the_chosen_ones_is_shown(client: PageClient, home: Path, tmp_path: Path) -> None:
    """A forged address shows nothing of another folder, nor does a link; a typed path chooses it."""
    outside = tmp_path / "elsewhere"
    secret = workbook(outside / "secret.xlsx")
    (home / "link").symlink_to(outside)
    for folder in (outside, home / "link", home / ".." / "elsewhere"):
        answer = client.get(f"/choose?at={token_of(folder)}")
        assert answer.status_code == 200
        assert "secret" not in answer.text
    assert client.post("/choose", {"pick": token_of(secret)}).status_code == 404
    assert not is_within(home / "link" / "secret.xlsx", [home])
    assert "secret.xlsx" in client.post("/choose", {"path": f' "{outside}" '}).text  # as Windows copies a path


@pytest.mark.parametrize("token", ["%00", "!", "Li4=", "L3Jvb3QAL3g=", "x" * 5000])
def test_an_address_that_names_no_folder_is_not_there(client: PageClient, token: str) -> None:
    """Whatever an address names, the answer is a page."""
    assert client.get(f"/choose?at={token}").status_code in {200, 404}


def test_paths_survive_their_way_through_an_address() -> None:
    """A path comes back as it was, also one whose name is no text."""
    for path in (Path("/a b/ñ"), Path(os.fsdecode(b"/tmp/\xff.csv"))):
        assert path_of(token_of(path)) == path
    assert typed_path("  ") is None
    assert typed_path("~/x.csv") == Path.home() / "x.csv"
    assert typed_path("x.csv") == Path.home() / "x.csv"


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (None, "gone.xlsx", "There is no file"),
        (b"", "empty.xlsx", "is empty"),
        (b"%PDF-1.7", "bill.xlsx", "is not a spreadsheet that can be read"),
        (b"PK\x03\x04", "cut.xlsx", "is damaged or incomplete"),
        (b"x", "~$week.xlsx", "the lock file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "secret.xlsx",
            "is protected by a password",
        ),
        (None, "x" * 5000, "There is no file"),
    ],
)
def test_a_file_that_is_no_sheet_is_answered_with_a_remedy(
    client: PageClient, home: Path, content: bytes | None, name: str, said: str
) -> None:
    """The page says what is wrong, keeps what was typed, has the focus on it, and no sheet is opened."""
    path = home / "Documents" / name
    if content is not None:
        path.write_bytes(content)
    answer = client.post("/choose", {"path": str(path)})
    assert said in text_of(answer)
    assert "data-focus" in answer.text
    assert f'value="{path}"' in answer.text
    assert "Choose a sheet" in text_of(answer)
    assert 'class="card"' not in client.get("/").text
    assert said in text_of(client.get("/open", params={"path": str(path)}))


def test_a_file_that_is_not_listed_is_not_opened_either(client: PageClient, home: Path) -> None:
    """A path leads only to what a folder would show as a sheet, however it is given."""
    for name in ("passwd", "notes.md"):
        (home / name).write_text("root:x:0:0:root\n", "utf-8")
        for answer in (
            client.get("/open", params={"path": str(home / name)}),
            client.post("/choose", {"path": str(home / name)}),
            client.post("/choose", {"pick": token_of(home / name)}),
        ):
            assert f"{name} is not a spreadsheet" in text_of(answer)
            assert "root:x" not in answer.text


def test_a_name_that_is_no_text_is_refused(client: PageClient, home: Path) -> None:
    """Nothing could be recorded of such a file: the sentence has the remedy, and nothing is opened."""
    sheet = Path(os.fsdecode(os.fsencode(home) + b"/Documents/a\xff.csv"))
    try:
        sheet.write_text("A;B\n1;2\n", "utf-8")
    except OSError:
        pytest.skip("this system does not allow the name")
    answer = client.post("/choose", {"pick": token_of(sheet)})
    assert answer.status_code == 422
    assert "cannot be written down" in text_of(answer)
    assert client.get("/").status_code == 200
    with pytest.raises(SourceError, match="another name"):
        open_table(sheet)


# -------------------------------------------------------------------------------------------- copies


def test_a_copy_is_never_put_over_another_file(tmp_path: Path) -> None:
    """Another content gets a number, the same content is the same copy again, and nothing else is left behind."""
    one = keep_copy(BytesIO(b"1"), "week.csv", tmp_path)
    two = keep_copy(BytesIO(b"2"), "week.csv", tmp_path)
    again = keep_copy(BytesIO(b"2"), "C:\\fakepath\\week.csv", tmp_path)
    assert (one.path.name, two.path.name) == ("week.csv", "week (2).csv")
    assert again == copies.SheetCopy(two.path, is_new=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"week.csv": b"1", "week (2).csv": b"2"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/x.csv", "x.csv"), ("a:b*?.xlsx", "a-b--.xlsx"), ("CON.csv", "_CON.csv"), (" . .csv", "1.csv"),
        ("\u202ex\x07.csv", "x.csv"), ("n" * 400 + ".xlsx", "n" * 120 + ".xlsx"), ("Año.XLSX", "Año.XLSX"),
    ],
)  # fmt: skip
def test_a_copy_has_a_name_that_every_system_allows(name: str, kept: str) -> None:
    """The browser's name of a file leads nowhere, and names no device."""
    assert safe_name(name) == kept


@pytest.mark.parametrize("name", ["photo.png", "xlsx", ".csv", "week.csv/", ""])
def test_what_is_no_spreadsheet_is_not_copied(name: str) -> None:
    """The name alone tells, before anything is written."""
    with pytest.raises(SourceError, match="not a spreadsheet"):
        safe_name(name)


@pytest.mark.parametrize(
    "name", ["week.corrections.csv", "week.Corrections.CSV", "week.corrections .csv", "n" * 108 + ".corrections!.csv"]
)
def test_corrections_are_not_put_beside_a_sheet(client: PageClient, home: Path, name: str) -> None:
    """What was dropped into the browser would change what is sent of the sheet that is there already."""
    workbook(home / "Documents" / "Imports" / "week.xlsx")
    answer = client.post("/choose", files={"sheet": (name, b"sheet,key,column,from,to,who,when\n,*,A,a,b,c,d\n")})
    assert "is a file of corrections" in text_of(answer)
    assert [path.name for path in (home / "Documents" / "Imports").iterdir()] == ["week.xlsx"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("week.report.xlsx", "week report.xlsx"), ("week.rehearsal.xlsx", "week rehearsal.xlsx"),
        ("week.REPORT (2).csv", "week REPORT (2).csv"), ("week (2).report.csv", "week (2) report.csv"),
        ("my.report.of.may.xlsx", "my.report.of.may.xlsx"),
    ],
)  # fmt: skip
def test_a_copy_has_no_name_of_a_report(name: str, kept: str) -> None:
    """It is a sheet like others, and what the program writes of another sheet does not meet it."""
    assert safe_name(name) == kept


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """The copy that could not be finished is removed, and the sentence has the remedy."""

    class Full(BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(SourceError, match="Make room"):
        keep_copy(Full(), "week.csv", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_dropped_file_is_copied_and_opened(client: PageClient, home: Path) -> None:
    """The copy is in the folder among the documents; a file that is no table is not kept."""
    sheet = workbook(home / "Downloads" / "semana.xlsx").read_bytes()
    files = {"sheet": ("semana.xlsx", sheet)}
    answer = client.post("/choose", files=files, allow_redirects=False)
    assert answer.headers["location"].startswith("/sheets/")
    kept = home / "Documents" / "Imports"
    assert [path.name for path in kept.iterdir()] == ["semana.xlsx"]
    refused = client.post("/choose", files={"sheet": ("bill.xlsx", b"%PDF-1.7")})
    assert "is not a spreadsheet that can be read" in text_of(refused)
    assert [path.name for path in kept.iterdir()] == ["semana.xlsx"]


def test_a_form_without_a_file_is_answered(client: PageClient) -> None:
    """Not with the same page once more: it says that no file was chosen."""
    answer = client.post("/choose", files={"sheet": ("", b"", "application/octet-stream")})
    assert answer.status_code == 422
    assert "No file was chosen." in text_of(answer)


def test_a_form_without_end_is_refused(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than any sheet has is not taken, whether its length was announced or not."""
    monkeypatch.setattr("importer.web.page.LARGEST_FORM", 1000)
    answer = client.post("/choose", files={"sheet": ("week.csv", b"x" * 200_000)})
    assert "larger than any table" in text_of(answer)
    assert LARGEST_FORM > 1 << 29


def test_a_file_is_dropped_or_chosen_by_the_keyboard(browser: Browser, client: PageClient, home: Path) -> None:
    """In the browser, a dropped file is sent at once, and Enter opens a sheet of the list."""
    copied = home / "Documents" / "Importaciones"
    workbook(copied / "semana.xlsx", "Enero", "Febrero")
    mapping(copied / "one.yml", "one")
    mapping(copied / "two.yml", "two")
    client.page.office.memory.change(language="es")
    with open_in(browser, client.page) as tab:
        tab.goto(f"{client.page.address}/choose?at={token_of(copied)}")
        tab.get_by_role("button", name="semana.xlsx").focus()
        tab.keyboard.press("Enter")
        tab.get_by_label("one").focus()
        tab.keyboard.press("Space")
        tab.keyboard.press("Enter")
        tab.get_by_label("Febrero").check()
        tab.goto(client.page.address)
        tab.evaluate("""() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["Radicado;Correo;Asunto;Estado\\n1;a@b.co;x;Abierto\\n"], "week.csv"));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true}));
        }""")
        tab.get_by_label("two").check()
        assert "week.csv" in tab.locator(".sheet-name").inner_text()
        assert str(copied) in tab.locator(".sheet-name").inner_text()
        assert (copied / "week.csv").exists()
