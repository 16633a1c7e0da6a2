"""A zip file as the attachments folder: names, refusals, damage, and memory."""

from __future__ import annotations

import base64
import os
import stat
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from run_support import MAPPING, Give, Office, ticket

from importer import identity
from importer.attachments import AttachmentFolder, FoundAttachments, encode
from importer.errors import AttachmentChanged
from importer.mapping.drafting.attached import named_files
from importer.mapping.drafting.profiles import Profile
from importer.model import AttachmentOptions

FILES = {"informe.pdf": b"%PDF-1.4 informe", "2024/foto.png": b"png", "2024/Petición.txt": b"texto", "vacío.txt": b""}


def pack(path: Path, files: Mapping[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip file with these files and return its path."""
    with zipfile.ZipFile(path, "w", method) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def find(beside: Path, *cells: str, folder: str = "adjuntos.zip", missing: str = "invalid") -> FoundAttachments:
    """Look up the cells of row 7, in the columns `A1`, `A2`, …."""
    columns = tuple(f"A{number}" for number, _ in enumerate(cells, 1))
    options = AttachmentOptions(Path(folder), columns, ";", 100, missing)
    return AttachmentFolder(options, beside).find(7, list(zip(columns, cells, strict=True)))


def sent(found: FoundAttachments) -> list[bytes]:
    """Return the contents of the files as they arrive."""
    return [base64.b64decode(b"".join(encode(each))) for each in found.attachments]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_are_sent_from_a_zip_file(tmp_path: Path, method: int) -> None:
    """Names are matched as in a folder: `/` and backslashes, capitals, accents in either composition."""
    pack(tmp_path / "adjuntos.zip", method=method)
    found = find(tmp_path, "informe.pdf; 2024\\FOTO.png", "2024/Peticio\N{COMBINING ACUTE ACCENT}n.txt")
    assert not found.issues
    assert sent(found) == [b"%PDF-1.4 informe", b"png", b"texto"]


def test_the_content_hash_is_that_of_the_same_files_in_a_folder(tmp_path: Path) -> None:
    """Packing the folder between two weeks changes no row."""
    (tmp_path / "adjuntos").mkdir()
    (tmp_path / "adjuntos" / "informe.pdf").write_bytes(FILES["informe.pdf"])
    pack(tmp_path / "adjuntos.zip")
    hashes = {
        identity.content_hash([("A1", "informe.pdf")], find(tmp_path, "informe.pdf", folder=folder).attachments)
        for folder in ("adjuntos", "adjuntos.zip")
    }
    assert len(hashes) == 1


def test_a_folder_that_was_packed_itself_may_be_left_out_of_the_names(tmp_path: Path) -> None:
    """`adjuntos/informe.pdf` in the zip file is `informe.pdf` in a cell, whatever the system of its maker adds."""
    system = {"__MACOSX/adjuntos/._informe.pdf": b"x", "adjuntos/.DS_Store": b"x"}
    pack(tmp_path / "adjuntos.zip", {f"adjuntos/{name}": content for name, content in FILES.items()} | system)
    assert sent(find(tmp_path, "informe.pdf", "adjuntos/2024/foto.png")) == [b"%PDF-1.4 informe", b"png"]
    assert find(tmp_path, "infrome.pdf").issues[0].remedy == "Did you mean informe.pdf?"


def test_a_zip_file_that_is_not_there_is_no_folder_to_create(tmp_path: Path) -> None:
    """The remedy is to put it there; or, where the unpacked folder is beside it, to name that."""
    (issue,) = find(tmp_path, "informe.pdf").issues
    assert issue.code == "attachment-missing"
    assert issue.message == f"the ZIP file of the attachments {tmp_path / 'adjuntos.zip'} does not exist"
    assert issue.remedy.startswith("Put the ZIP file there, or correct")
    (tmp_path / "adjuntos").mkdir()
    (issue,) = find(tmp_path, "informe.pdf").issues
    assert issue.remedy.endswith("`folder: adjuntos`")


@pytest.mark.parametrize(("there", "folder"), [("x.zip", "sub/x"), ("x", "sub/x.zip")])
def test_the_place_that_is_proposed_is_written_as_the_mapping_needs_it(tmp_path: Path, there: str, folder: str) -> None:
    """A folder inside another one keeps the path to it."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / there).mkdir() if there == "x" else pack(tmp_path / "sub" / there)
    assert find(tmp_path, "informe.pdf", folder=folder).issues[0].remedy.endswith(f"`folder: sub/{there}`")


@pytest.mark.parametrize(
    ("content", "folder", "said"),
    [
        (b"", "adjuntos.zip", "is an empty file (0 bytes)"),
        (b"", "adjuntos", "is an empty file (0 bytes)"),
        (b"<html>Sign in to download</html>", "adjuntos.zip", "is not a ZIP file, although its name ends in .zip"),
        (b"P", "Adjuntos.ZIP", "is not a ZIP file, although its name ends in .zip"),
    ],
)
def test_what_is_no_zip_file_is_not_to_be_unpacked(tmp_path: Path, content: bytes, folder: str, said: str) -> None:
    """An empty file, or a page that was saved as one, has to be downloaded or made again."""
    (tmp_path / folder).write_bytes(content)
    (issue,) = find(tmp_path, "informe.pdf", folder=folder).issues
    assert issue.message.endswith(said)
    assert issue.remedy.startswith("Download or make the ZIP file again")


def test_several_files_of_a_zip_file_are_proposed_together(tmp_path: Path) -> None:
    """A cell with another sign than the separator between names of the zip file says what to write."""
    pack(tmp_path / "adjuntos.zip")
    (issue,) = find(tmp_path, "informe.pdf, 2024/foto.png").issues
    assert issue.remedy == (
        "The attachments folder has informe.pdf, 2024/foto.png; if the cell lists several files, separate their names"
        " with `;`"
    )


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("Petición ñandú.pdf", "cp437"),
        ("PETICIÓN ÁREA Nº 1.pdf", "cp850"),
        ("solução.pdf", "cp850"),
        ("\N{GREEK SMALL LETTER ALPHA}.pdf", "cp437"),
        ("Petición.pdf", "utf-8"),
    ],
)
def test_names_are_read_as_windows_and_others_write_them(tmp_path: Path, name: str, page: str) -> None:
    """A zip file need not say how its names are written: the code pages of consoles, or UTF-8."""
    raw = name.encode(page)
    stand_in = "x" * len(raw)
    path = pack(tmp_path / "adjuntos.zip", {f"2024/{stand_in}": b"texto", "otro.txt": b"x"})
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw))
    assert sent(find(tmp_path, f"2024/{name}")) == [b"texto"]


@pytest.mark.parametrize(
    ("cell", "code", "message"),
    [
        ("no.pdf", "attachment-missing", "no.pdf is not in adjuntos.zip"),
        ("Z:\\otra\\x.pdf", "attachment-outside", "absolute path"),
        ("../secreto.txt", "attachment-outside", "leads outside"),
        ("2024", "attachment-folder", "2024 is a folder"),
        ("vacío.txt", "attachment-empty", "0 bytes"),
        ("grande.bin", "attachment-too-large", "1,000 bytes"),
        ("informe.pdf;INFORME.pdf", "attachment-repeated", "named twice"),
    ],
)
def test_what_a_cell_names_wrongly_is_said_as_for_a_folder(tmp_path: Path, cell: str, code: str, message: str) -> None:
    """The same codes and sentences, with the zip file in the place of the folder."""
    pack(tmp_path / "adjuntos.zip", {**FILES, "grande.bin": b"\0" * 1_000})
    (issue,) = find(tmp_path, cell).issues
    assert issue.code == code
    assert message in issue.message


def _absolute(packed: zipfile.ZipFile) -> None:
    packed.writestr("/x.pdf", b"x")


def _outside(packed: zipfile.ZipFile) -> None:
    packed.writestr("../../x.pdf", b"x")


def _drive(packed: zipfile.ZipFile) -> None:
    packed.writestr("C:\\x.pdf", b"x")


def _link(packed: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("x.pdf")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed.writestr(info, "/etc/passwd")


def _twice(packed: zipfile.ZipFile) -> None:
    packed.writestr("x.pdf", b"1")
    with pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("x.pdf", b"2")


def _packed_otherwise(packed: zipfile.ZipFile) -> None:
    packed.writestr("x.pdf", b"x", zipfile.ZIP_LZMA)


@pytest.mark.parametrize(
    ("add", "reason"),
    [
        (_absolute, "leads outside"),
        (_outside, "leads outside"),
        (_drive, "leads outside"),
        (_link, "is a link"),
        (_twice, "several files of this name"),
        (_packed_otherwise, "only some programs can read"),
    ],
)
def test_what_is_wrong_with_a_file_in_the_zip_file_is_that_files_issue(
    tmp_path: Path, add: object, reason: str
) -> None:
    """A path that leads out, a link, a name that stands twice: the row says it, and other files are sent."""
    with zipfile.ZipFile(tmp_path / "adjuntos.zip", "w") as packed:
        packed.writestr("bien.pdf", b"bien")
        assert callable(add)
        add(packed)
    found = find(tmp_path, "bien.pdf", "x.pdf", missing="send_without")
    assert sent(found) == [b"bien"]
    assert reason in found.issues[0].message


def test_a_file_with_a_password_is_said(tmp_path: Path) -> None:
    """The remedy is to pack the files again, or to unpack them."""
    path = pack(tmp_path / "adjuntos.zip", {"x.pdf": b"x"})
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
    (issue,) = find(tmp_path, "x.pdf").issues
    assert "protected by a password" in issue.message
    assert "Pack the files again" in issue.remedy


def test_a_damaged_file_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    """A file that does not unpack to what the list says is an issue of its row, not a row that stops each run."""
    path = pack(tmp_path / "adjuntos.zip", {"x.pdf": b"contenido", "y.pdf": b"y"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"contenido", b"contenida"))
    found = find(tmp_path, "x.pdf", "y.pdf")
    assert [issue.message for issue in found.issues] == ["x.pdf cannot be read: it is damaged in the zip file"]
    assert sent(found) == [b"y"]


@pytest.mark.parametrize("cut", [10, 60])
def test_a_cut_zip_file_is_said_with_what_to_do(tmp_path: Path, cut: int) -> None:
    """Nothing goes without its file because a download ended too early."""
    path = pack(tmp_path / "adjuntos.zip")
    path.write_bytes(path.read_bytes()[:-cut])
    (issue,) = find(tmp_path, "informe.pdf", missing="send_without").issues
    assert issue.code == "attachment-unreadable"
    assert "adjuntos.zip is a zip file that cannot be read: its list of files is damaged" in issue.message
    assert "unpack it, and name the folder" in issue.remedy


@pytest.mark.parametrize(("folder", "packed"), [("adjuntos", "adjuntos.zip"), ("adjuntos", "adjuntos/soportes.zip")])
def test_a_zip_file_where_the_files_should_be_is_named(tmp_path: Path, folder: str, packed: str) -> None:
    """A folder that was not unpacked, or that has one zip file only: the remedy names what the mapping may say."""
    (tmp_path / packed).parent.mkdir(exist_ok=True)
    pack(tmp_path / packed)
    assert packed in find(tmp_path, "informe.pdf", folder=folder).issues[0].remedy


def test_a_zip_file_that_changed_is_not_sent(tmp_path: Path) -> None:
    """What was checked is what is sent, also where another zip file of the same name takes its place."""
    path = pack(tmp_path / "adjuntos.zip")
    (attachment,) = find(tmp_path, "informe.pdf").attachments
    other = pack(tmp_path / "otro.zip", {**FILES, "informe.pdf": b"%PDF-1.4 INFORME"})
    os.replace(other, path)  # noqa: PTH105
    with pytest.raises(AttachmentChanged):
        list(encode(attachment))


def test_memory_does_not_grow_with_a_file_in_a_zip_file(tmp_path: Path) -> None:
    """A file is unpacked while it is sent, whatever its size."""
    size = 64 << 20
    path = tmp_path / "adjuntos.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed, packed.open("g.bin", "w") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    options = AttachmentOptions(Path("adjuntos.zip"), ("A1",), None, size)
    tracemalloc.start()
    (attachment,) = AttachmentFolder(options, tmp_path).find(7, [("A1", "g.bin")]).attachments
    length = sum(map(len, encode(attachment)))
    assert (length, attachment.size) == ((size + 2) // 3 * 4, size)
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()


def test_commands_read_a_zip_file_by_names_and_patterns(office: Office, give: Give) -> None:
    """`check`, `preview` and `run` find the files of cells and of patterns in it, and the case has their content."""
    office.write([ticket(1), ticket(2, Asunto="no.pdf")])
    attached = "attachments:\n  folder: a.zip\n  columns: [Asunto]\n  patterns: ['{Ticket}/*.txt']\n"
    office.mapping.write_text(MAPPING + attached, encoding="utf-8")
    pack(office.folder / "a.zip", {"a/Asunto 1": b"uno", "a/1/x.txt": b"x", "a/1/y.txt": b"y", "a/2/z.txt": b"z"})
    checked = give(office.arguments("check"))
    assert checked.status == 1
    assert "no.pdf is not in a.zip" in checked.out
    assert "1/x.txt" in give(office.arguments("preview", "--row", "2")).out
    assert give(office.arguments("run", "--yes")).status == 1
    (case,) = office.sandbox.store.cases
    stored = [b"".join(office.sandbox.store.attachment(case.number, number)) for number in range(3)]
    assert stored == [b"uno", b"x", b"y"]


def test_a_draft_finds_the_files_in_a_zip_file(tmp_path: Path) -> None:
    """A zip file beside the sheet that has the named files is proposed as the folder."""
    pack(tmp_path / "soportes.zip", {f"soportes/{name}.pdf": b"x" for name in ("uno", "dos", "tres")})
    (tmp_path / "damaged.zip").write_bytes(b"PK")
    profile = Profile("Soporte")
    profile.add(["uno.pdf", "dos.pdf", "tres.pdf"])
    assert named_files({"Soporte": profile}, tmp_path).folder == "soportes.zip"
