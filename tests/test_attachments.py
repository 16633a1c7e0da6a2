"""Attachments: what a cell may name, what is found under the folder, and base64 that is streamed."""

from __future__ import annotations

import base64
import binascii
import os
import stat
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from importer.attachments import AttachmentFolder, FoundAttachments, encode, encoded_length
from importer.errors import AttachmentChanged
from importer.model import Attachment, AttachmentOptions
from importer.system import files
from importer.text import as_sent


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """Create the folder of a source with `adjuntos` in it, and a file outside `adjuntos`."""
    folder = tmp_path / "source"
    (folder / "adjuntos" / "2024").mkdir(parents=True)
    (folder / "adjuntos" / "informe.pdf").write_bytes(b"%PDF-1.4 informe")
    (folder / "adjuntos" / "2024" / "foto.png").write_bytes(b"png")
    (folder / "adjuntos" / "Petición.txt").write_bytes(b"texto")
    (folder / "adjuntos" / "vacío.txt").touch()
    (folder / "secreto.txt").write_bytes(b"secreto")
    return folder


def find(
    beside: Path, *cells: str, separator: str | None = ";", max_size: int = 100, missing: str = "invalid"
) -> FoundAttachments:
    """Look up the cells of row 7, in the columns `A1`, `A2`, …."""
    columns = tuple(f"A{number}" for number, _ in enumerate(cells, 1))
    options = AttachmentOptions(Path("adjuntos"), columns, separator, max_size, missing)
    return AttachmentFolder(options, beside).find(7, list(zip(columns, cells, strict=True)))


def codes(found: FoundAttachments) -> list[str]:
    """Return the codes of the issues."""
    return [issue.code for issue in found.issues]


def test_files_are_found_in_the_order_of_the_cells(beside: Path) -> None:
    """Several columns, several names in a cell, spaces around them, folders in between: each file once, in order."""
    found = find(beside, " 2024/foto.png ; informe.pdf;", "", "./Petición.txt")
    assert [item.name for item in found.attachments] == ["2024/foto.png", "informe.pdf", "./Petición.txt"]
    assert [item.size for item in found.attachments] == [3, 16, 6 - 1]
    assert found.attachments[1].path == beside / "adjuntos" / "informe.pdf"
    assert not found.issues


def test_backslashes_separate_folders(beside: Path) -> None:
    r"""`2024\foto.png`, as a Windows export writes it, is the file in that folder."""
    assert find(beside, "2024\\foto.png").attachments[0].path == beside / "adjuntos" / "2024" / "foto.png"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("adjuntos\\informe.pdf", "informe.pdf"),
        ("./adjuntos/2024/foto.png", "2024/foto.png"),
        ("otra/2024/foto.png", "2024/foto.png"),
        ("2024/fotos.png", "2024/foto.png"),
        ("2025/foto.png", None),
        ("recibos/recibo_0459.pdf", None),
        ("recibos/recivo_0454.pdf", "recibos/recibo_0454.pdf"),
        ("recibo/recibo_0454.pdf", "recibos/recibo_0454.pdf"),
        ("recibo/recibo_0459.pdf", None),
        ("recibo", None),
        ("zzz.xml", None),
        ("informe", "informe.pdf"),
    ],
)
def test_a_missing_file_is_named_by_its_whole_path(beside: Path, name: str, near: str | None) -> None:
    """The message has the path as it is written, and the remedy the file that was meant, by its path in the folder."""
    (beside / "adjuntos" / "recibos").mkdir()
    (beside / "adjuntos" / "recibos" / "recibo_0454.pdf").write_bytes(b"x")
    (issue,) = find(beside, name).issues
    assert issue.message == f"{name} is not in adjuntos"
    assert issue.remedy == (f"Did you mean {near}?" if near else "Put the file there, or correct its name")


@pytest.mark.parametrize("name", [r"C:\Users\ana\Mis archivos\x.pdf", r"\\SRV\share\x.pdf", "/home/ana/x.pdf"])
def test_the_path_of_another_machine_says_what_the_mapping_can_take_off(beside: Path, name: str) -> None:
    """The remedy has the line of the mapping, with the folder that is in the cell."""
    (issue,) = find(beside, name).issues
    assert issue.remedy.endswith(f"strip_prefix: '{name.removesuffix('x.pdf')}'")


@pytest.mark.parametrize("sign", [";", "; ", "|", " | ", ",", ", "])
@pytest.mark.parametrize("folder", ["C:\\Ana\\adj\\", "\\\\SRV\\adj\\", "/srv/adj/"])
def test_several_absolute_paths_in_a_name_are_no_beginning_to_take_off(beside: Path, sign: str, folder: str) -> None:
    """The remedy asks for the separator, and takes off the folder alone, never a folder with a file before it."""
    (issue,) = find(beside, f"{folder}a.pdf{sign}{folder}b.pdf", separator=None).issues
    assert issue.code == "attachment-outside"
    assert f'separator: "{sign.strip()}"`. ' in issue.remedy
    assert issue.remedy.endswith(f"strip_prefix: '{folder}'")
    (issue,) = find(beside, f"{folder}a.pdf{sign}{folder}b.pdf", separator="+").issues
    assert "separate their names with `+`. " in issue.remedy


def test_a_path_behind_a_name_whose_beginning_was_taken_off_asks_for_the_separator(beside: Path) -> None:
    """What is left of two paths after the first lost its beginning is no file with a colon to rename."""
    (issue,) = find(beside, r"informe.pdf;C:\Ana\adj\b.pdf", separator=None).issues
    assert (issue.code, issue.remedy.endswith('`separator: ";"`')) == ("attachment-name", True)


def test_a_folder_with_a_comma_at_its_end_is_a_folder(beside: Path) -> None:
    """Only names that are refused in any case are taken for several paths."""
    (beside / "adjuntos" / "Casos,").mkdir()
    (beside / "adjuntos" / "Casos," / "a.pdf").write_bytes(b"x")
    assert not find(beside, "Casos,/a.pdf", separator=None).issues


@pytest.mark.parametrize(
    ("cell", "separator", "remedy"),
    [
        ("a.pdf\nb.pdf", ";", "separate their names with `;`"),
        ("a\tb.pdf", ";", "separate their names with `;`"),
        ("a\tb.pdf", "\n", "separate their names with a line break"),
        ("a.pdf\nb.pdf", " | ", 'separate their names with `" | "`'),
        ("a.pdf\tb.pdf", None, r'`separator: "\t"`'),
        ("a\x0bb.pdf", None, '`separator: ";"`'),
    ],
)
def test_a_separator_that_is_set_is_not_asked_for_again(
    beside: Path, cell: str, separator: str | None, remedy: str
) -> None:
    """Where the mapping has a separator, a cell with another sign between its names is what has to change."""
    (issue,) = find(beside, cell, separator=separator).issues
    assert issue.remedy.endswith(remedy)


@pytest.mark.parametrize("missing", ["invalid", "send_without"])
@pytest.mark.parametrize(
    ("cell", "separator", "remedy"),
    [
        ("informe.pdf;100%.txt", None, 'informe.pdf, 100%.txt~add to `attachments`: `separator: ";"`'),
        (
            "2024/foto.png , 100%.txt,",
            None,
            '2024/foto.png, 100%.txt~add to `attachments`: `separator: ","`',
        ),
        ("informe.pdf, 100%.txt", ";", "informe.pdf, 100%.txt~separate their names with `;`"),
        ("informe.pdf | 100%.txt", ";", "informe.pdf, 100%.txt~separate their names with `;`"),
        ("informe.pdf,100%.txt", "\n", "informe.pdf, 100%.txt~separate their names with a line break"),
        ("100%.txt;" * 40, None, '100%.txt, 100%.txt, 100%.txt, 100%.txt, 100%.txt, …~`separator: ";"`'),
    ],
)
def test_several_files_that_are_there_are_proposed_together(
    beside: Path, cell: str, separator: str | None, remedy: str, missing: str
) -> None:
    """A cell that another sign splits into files says so; it is wrong itself, and goes without none of them."""
    (beside / "adjuntos" / "100%.txt").write_bytes(b"x")
    found = find(beside, cell, separator=separator, missing=missing)
    (issue,) = found.issues
    assert (issue.code, found.missing) == ("attachment-name", ())
    first, last = remedy.split("~")
    assert issue.remedy.startswith(f"The attachments folder has {first}; if the cell lists several files, ")
    assert issue.remedy.endswith(last)


@pytest.mark.parametrize(
    ("cell", "remedy"),
    [
        ("informe.pdf;falta.pdf", "The attachments folder has informe.pdf; if the cell lists several files, add"),
        ("informe.pdf;/srv/adj/foto.png", "The attachments folder has informe.pdf; if the cell"),
        ("adjuntos/informe.pdf;adjuntos/2024/foto.png", "Write one file name; if a cell lists several, add"),
        ("infrome.pdf,infrme.pdf", "Write one file name; if a cell lists several, add"),
    ],
)
def test_no_single_file_is_proposed_for_several_names(beside: Path, cell: str, remedy: str) -> None:
    """Where only some of the files are there, or none, the cell still asks for a separator."""
    (issue,) = find(beside, cell, separator=None).issues
    assert issue.code == "attachment-missing"
    assert issue.remedy.startswith(remedy)


def test_several_names_that_are_too_long_for_one_are_told_as_several(beside: Path) -> None:
    """The disk refuses a name of 300 characters, which says nothing about the file that it is taken for."""
    (beside / "adjuntos" / f"{'n' * 200}.pdf").write_bytes(b"x")
    (issue,) = find(beside, f"{'n' * 200}.pdf,{'n' * 200}.pdf", separator=None).issues
    assert issue.code == "attachment-name"
    (issue,) = find(beside, f"{'n' * 300}, Ana.pdf", separator=None).issues
    assert issue.code == "attachment-unreadable"


def test_a_name_with_a_comma_is_proposed_as_one(beside: Path) -> None:
    """A comma in a name that no file's name is beside is part of it."""
    (beside / "adjuntos" / "Pérez, Ana.pdf").write_bytes(b"x")
    assert find(beside, "Peres, Ana.pdf").issues[0].remedy == "Did you mean Pérez, Ana.pdf?"
    assert not find(beside, "pérez, ana.PDF").issues


def test_names_with_different_remedies_in_a_cell_are_told_apart(beside: Path) -> None:
    """Remedies follow each other as sentences, and a name that is proposed says which one it is for."""
    (issue,) = find(beside, "zzz.xml;yyy.xml;infrome.pdf").issues
    assert issue.remedy == ("Put the file there, or correct its name. Did you mean informe.pdf instead of infrome.pdf?")
    (beside / "adjuntos" / "informes.pdf").write_bytes(b"x")
    (issue,) = find(beside, "infrome.pdf;zzz.xml").issues
    assert issue.remedy.endswith(". Instead of infrome.pdf, did you mean one of these: informe.pdf, informes.pdf?")


def test_the_absolute_paths_of_a_cell_are_said_once_with_their_beginnings_as_one_list(beside: Path) -> None:
    """One sentence names them all, and the line of the mapping lists the outermost folders, as YAML reads them."""
    cell = r"C:\Ana\a.pdf;D:\d'or\b.pdf;c:\ana\2024\c.pdf;C:\Ana\a.pdf"
    (issue,) = find(beside, cell).issues
    assert issue.message == (
        r"C:\Ana\a.pdf, D:\d'or\b.pdf, c:\ana\2024\c.pdf are absolute paths; only files in the attachments"
        " folder can be attached"
    )
    line = issue.remedy[issue.remedy.index("strip_prefix") :]
    assert yaml.safe_load(line) == {"strip_prefix": ["C:\\Ana\\", "D:\\d'or\\"]}


def test_a_missing_folder_is_said_once_for_all_names_of_a_cell(tmp_path: Path) -> None:
    """What is not about a single name is not repeated for each."""
    (issue,) = find(tmp_path, "uno.pdf;dos.pdf").issues
    assert issue.message.count("does not exist") == 1


def test_an_archive_of_another_kind_is_no_folder(tmp_path: Path) -> None:
    """Where the mapping names a file as the folder that is no ZIP file, each row says that it has to be unpacked."""
    (tmp_path / "adjuntos").write_bytes(b"PK")
    (issue,) = find(tmp_path, "informe.pdf").issues
    assert issue.message.endswith("adjuntos is a file")
    assert issue.remedy.startswith("Unpack it")


def test_without_a_separator_a_cell_is_one_name(beside: Path) -> None:
    """A semicolon belongs to a file's name if the mapping sets no separator."""
    (beside / "adjuntos" / "a;b.txt").write_bytes(b"x")
    assert [item.name for item in find(beside, "a;b.txt", separator=None).attachments] == ["a;b.txt"]


@pytest.mark.parametrize("written", ["INFORME.PDF", "informe.PDF", unicodedata.normalize("NFD", "Petición.txt")])
def test_case_and_unicode_composition_do_not_matter(beside: Path, written: str) -> None:
    """A name that differs only in case or composition means the file, as on Windows and on a Mac."""
    found = find(beside, written)
    assert not found.issues
    assert found.attachments[0].name == written
    assert found.attachments[0].path.name in {"informe.pdf", "Petición.txt"}


def test_an_ambiguous_case_is_asked_and_not_guessed(beside: Path) -> None:
    """Two files that differ from the name only in case are both suggested, and neither is sent."""
    for name in ("Carta.txt", "CARTA.txt"):
        (beside / "adjuntos" / name).write_bytes(name.encode())
    if len(list((beside / "adjuntos").glob("[Cc]*.txt"))) < 2:
        pytest.skip("this file system does not tell case apart")
    (issue,) = find(beside, "carta.TXT").issues
    assert issue.code == "attachment-missing"
    assert "CARTA.txt, Carta.txt" in issue.remedy


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("falta.pdf", "attachment-missing"),
        ("informe.pdf/x.txt", "attachment-missing"),
        ("2024", "attachment-folder"),
        (".", "attachment-folder"),
        ("vacío.txt", "attachment-empty"),
        ("grande.bin", "attachment-too-large"),
        ("tubo", "attachment-unreadable"),
        ("bucle", "attachment-unreadable"),
        ("n" * 300, "attachment-unreadable"),
    ],
)
def test_a1_what_cannot_be_sent_is_an_issue(beside: Path, name: str, code: str) -> None:
    """Missing, a folder, empty, over the limit, unreadable: one issue with row, column, value and remedy."""
    (beside / "adjuntos" / "grande.bin").write_bytes(bytes(101))
    os.mkfifo(beside / "adjuntos" / "tubo")
    (beside / "adjuntos" / "bucle").symlink_to("bucle")
    found = find(beside, "informe.pdf", name)
    (issue,) = found.issues
    assert (issue.row, issue.column, issue.value, issue.code) == (7, "A2", name, code)
    assert issue.message
    assert issue.remedy


def test_a1_a_file_that_may_not_be_read_is_an_issue(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only opening a file shows whether it is readable (the superuser of a test machine can read everything)."""
    real = os.open

    def refuse(path: str, *arguments: Any, **named: Any) -> int:  # noqa: ANN401 - as `os.open` takes them
        if path == "informe.pdf":
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuse)
    (issue,) = find(beside, "informe.pdf").issues
    assert issue.code == "attachment-unreadable"
    assert "Permission denied" in issue.message


def test_a1_the_limit_itself_is_allowed(beside: Path) -> None:
    """A file of exactly `max_size` bytes is sent."""
    (beside / "adjuntos" / "justo.bin").write_bytes(bytes(100))
    assert not find(beside, "justo.bin").issues


@pytest.mark.parametrize(
    ("name", "code"),
    [(name, "attachment-outside") for name in ("../secreto.txt", "2024/../../secreto.txt", "..\\secreto.txt", "a/..")]
    + [(name, "attachment-outside") for name in ("/etc/passwd", "C:\\x.pdf", "c:x.pdf", "\\\\host\\share\\x.pdf")]
    + [(name, "attachment-outside") for name in ("\\\\?\\C:\\x.pdf", "\\\\.\\COM1", "//host/share/x.pdf", "\\x.pdf")]
    + [(name, "attachment-name") for name in ("informe.pdf:oculto", "2024:x/foto.png", "informe.pdf::$DATA")]
    + [
        (name, "attachment-name")
        for name in ("CON", "nul.txt", "Com1.tar.gz", "2024/aux", "LPT¹.txt", "CONIN$", "con .txt")
    ]
    + [
        (name, "attachment-name")
        for name in ("informe.pdf.", "2024 /foto.png", "a\tb.txt", "a\x00b", "a\nb", "\ud800.txt")
    ]
    + [
        (name, "attachment-url") for name in ("https://x.co/a.pdf", "FTP://x/a", "file:///etc/passwd", "www.x.co/a.pdf")
    ],
)
def test_a2_names_that_point_elsewhere_are_refused_untouched(
    beside: Path, name: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`..`, absolute, UNC, streams, devices, URLs: refused by their name alone, without access to the disk."""

    def touched(*_: object, **__: object) -> None:
        raise AssertionError(name)

    folder = AttachmentFolder(AttachmentOptions(Path("adjuntos"), ("A1",)), beside)
    for function in ("lstat", "stat", "open", "exists", "is_dir"):
        monkeypatch.setattr(Path, function, touched)
    for function in ("lstat", "stat", "open", "scandir", "readlink"):
        monkeypatch.setattr(os, function, touched)
    (issue,) = folder.find(7, [("A1", name)]).issues
    assert (issue.code, issue.value) == (code, name)
    assert issue.remedy


@pytest.mark.parametrize("link", ["secreto.txt", "carpeta/secreto.txt", "salto/carpeta/secreto.txt"])
def test_a2_links_out_of_the_folder_are_refused(beside: Path, link: str) -> None:
    """A link, a linked folder and a link to a link that lead outside the folder are refused."""
    inside = beside / "adjuntos"
    (inside / "secreto.txt").symlink_to("../secreto.txt")
    (inside / "carpeta").symlink_to(beside)
    (inside / "salto").symlink_to(".")
    (issue,) = find(beside, link).issues
    assert issue.code == "attachment-outside"


def test_a2_a_linked_folder_outside_is_not_listed(beside: Path) -> None:
    """Names behind a link to the outside are not even suggested."""
    (beside / "adjuntos" / "carpeta").symlink_to(beside)
    (issue,) = find(beside, "carpeta/secretos.txt").issues
    assert "secreto.txt" not in issue.remedy


def test_links_that_stay_inside_are_followed(beside: Path) -> None:
    """A link to another file under the folder is that file; the folder itself may be a link."""
    (beside / "adjuntos" / "último.pdf").symlink_to("informe.pdf")
    (beside.parent / "alias").symlink_to(beside)
    found = find(beside.parent / "alias", "último.pdf")
    assert found.attachments[0].path == beside / "adjuntos" / "informe.pdf"


def test_a_missing_file_names_what_is_there(beside: Path) -> None:
    """The remedy suggests similar names in that folder, whatever their accents and spelling."""
    (beside / "adjuntos" / "2024" / "foto grande.jpg").write_bytes(b"x")
    assert "informe.pdf" in find(beside, "informes.pdf").issues[0].remedy
    assert "Petición.txt" in find(beside, "peticion.txt").issues[0].remedy
    assert "foto.png" in find(beside, "2024/foto.jpg").issues[0].remedy
    assert find(beside, "zzz.pdf").issues[0].remedy == "Put the file there, or correct its name"


def test_faults_of_one_kind_in_a_cell_are_one_issue(beside: Path) -> None:
    """Two missing files in a cell are one issue that names both; another code is another issue."""
    found = find(beside, "uno.pdf;dos.pdf;vacío.txt")
    assert codes(found) == ["attachment-missing", "attachment-empty"]
    assert "uno.pdf" in found.issues[0].message
    assert "dos.pdf" in found.issues[0].message
    assert found.issues[0].value == "uno.pdf;dos.pdf;vacío.txt"


@pytest.mark.parametrize("again", ["informe.pdf", "INFORME.pdf", "./informe.pdf", "último.pdf"])
def test_a_file_named_twice_in_a_row_is_an_issue(beside: Path, again: str) -> None:
    """The same file twice, however it is written, is an issue: one of the names was probably meant for another file."""
    (beside / "adjuntos" / "último.pdf").symlink_to("informe.pdf")
    found = find(beside, "informe.pdf", again)
    assert codes(found) == ["attachment-repeated"]
    assert found.issues[0].column == "A2"


def test_send_without_leaves_missing_files_out(beside: Path) -> None:
    """Under `missing: send_without` a missing file is listed and not an issue; all other faults are issues."""
    found = find(beside, "falta.pdf;informe.pdf;vacío.txt", missing="send_without")
    assert found.missing == ("falta.pdf",)
    assert [item.name for item in found.attachments] == ["informe.pdf"]
    assert codes(found) == ["attachment-empty"]


def test_send_without_does_not_cover_a_missing_folder(tmp_path: Path) -> None:
    """If the whole folder is missing, no row is sent without its files."""
    (issue,) = find(tmp_path, "informe.pdf", missing="send_without").issues
    assert issue.code == "attachment-missing"
    assert str(tmp_path / "adjuntos") in issue.message


def test_rows_that_share_a_file_look_at_it_once(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand rows with the same name cost one access to the disk."""
    looks: list[str] = []
    look = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: looks.append(path.name) or look(path))
    folder = AttachmentFolder(AttachmentOptions(Path("adjuntos"), ("A1",)), beside)
    for row in range(1000):
        assert folder.find(row, [("A1", "informe.pdf"), ("A2", "falta.pdf")]).issues[0].row == row
    assert looks.count("informe.pdf") == 1


def test_names_in_lines_are_answered_with_the_separator_that_they_have(beside: Path) -> None:
    """Where a cell lists its files in lines, the remedy names the line break."""
    (issue,) = find(beside, "uno.pdf\ndos.pdf", separator=None).issues
    assert r'separator: "\n"' in issue.remedy


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text("./\\:~a ", max_size=12))
@example("\u00ad")
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Any cell gives a file in the folder, an issue, or nothing; never an exception."""
    beside = tmp_path_factory.getbasetemp() / "any"
    (beside / "adjuntos" / "a").mkdir(parents=True, exist_ok=True)
    (beside / "adjuntos" / "a" / "a").write_bytes(b"a")
    found = find(beside, name, separator=None)
    assert len(found.attachments) + len(found.issues) == (1 if as_sent(name) else 0)
    assert all(item.path.is_relative_to(beside / "adjuntos") for item in found.attachments)


def checked(path: Path) -> Attachment:
    """Return the file as a check sees it now."""
    status = path.stat()
    return Attachment(
        path, path.name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, root=path.parent
    )


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=200), block=st.integers(1, 64))
def test_base64_is_that_of_the_whole_file(tmp_path_factory: pytest.TempPathFactory, data: bytes, block: int) -> None:
    """Block by block or at once: the characters of `binascii`, in the announced number."""
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(data)
    encoded = b"".join(encode(checked(path), block))
    assert encoded == binascii.b2a_base64(data, newline=False)
    assert len(encoded) == encoded_length(len(data))


def rewrite(path: Path) -> None:
    """Write as many other bytes, some time later."""
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def replace_file(path: Path) -> None:
    """Put another file with the same size and times in its place."""
    status = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(bytes(status.st_size))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def become_a_pipe(path: Path) -> None:
    """Replace it with a pipe, which would block for ever if it were read."""
    path.unlink()
    os.mkfifo(path)


CHANGES = {
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "rewritten": rewrite,
    "replaced": replace_file,
    "deleted": Path.unlink,
    "a pipe": become_a_pipe,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a3_a_change_between_check_and_send_is_noticed(tmp_path: Path, change: str) -> None:
    """Whatever has changed since the check, not one byte of the file is yielded."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 10)
    attachment = checked(path)
    CHANGES[change](path)
    chunks = encode(attachment)
    with pytest.raises(AttachmentChanged, match=r"a\.bin"):
        next(chunks)


@pytest.mark.parametrize("change", ["grown", "cut", "rewritten"])
def test_a3_a_change_while_sending_is_noticed_before_the_last_chunk(tmp_path: Path, change: str) -> None:
    """A body whose file changes while it is sent stays shorter than announced, so that it is not delivered."""
    path = tmp_path / "a.bin"
    path.write_bytes(os.urandom(300_000))
    attachment = checked(path)
    chunks = encode(attachment, 3_000)
    got = [next(chunks)]
    CHANGES[change](path)
    with pytest.raises(AttachmentChanged):
        got.extend(chunks)
    assert sum(map(len, got)) < encoded_length(attachment.size)


def test_a4_two_gigabytes_stream_flat(tmp_path: Path) -> None:
    """A file of 2 GB is encoded in a few megabytes of memory."""
    path = tmp_path / "grande.bin"
    path.touch()
    os.truncate(path, 2_000_000_001)
    attachment = checked(path)
    tracemalloc.start()
    try:
        total = sum(len(chunk) for chunk in encode(attachment))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == encoded_length(attachment.size)
    assert peak < 8_000_000


SECRET = b"secreto de otro"
WAYS = pytest.mark.parametrize("by_descriptor", [True, False])


def link_the_file(beside: Path) -> None:
    """Put a link to a file outside in the place of the file."""
    path = beside / "adjuntos" / "2024" / "foto.png"
    path.unlink()
    path.symlink_to(beside / "fuera" / "foto.png")


def link_the_folder(beside: Path) -> None:
    """Put a link to a folder outside in the place of the folder on the way."""
    folder = beside / "adjuntos" / "2024"
    folder.rename(beside / "adjuntos" / "antes")
    folder.symlink_to(beside / "fuera")


def pipe_the_file(beside: Path) -> None:
    """Put a pipe in the place of the file."""
    become_a_pipe(beside / "adjuntos" / "2024" / "foto.png")


SWAPS = pytest.mark.parametrize("swap", [link_the_file, link_the_folder, pipe_the_file])


@pytest.fixture
def outside(beside: Path) -> Path:
    """Create a file outside the folder with the name, size and age of one inside."""
    inside = beside / "adjuntos" / "2024" / "foto.png"
    inside.write_bytes(bytes(len(SECRET)))
    (beside / "fuera").mkdir()
    (beside / "fuera" / "foto.png").write_bytes(SECRET)
    moments = (inside.stat().st_atime_ns, inside.stat().st_mtime_ns)
    os.utime(beside / "fuera" / "foto.png", ns=moments)
    return beside


@contextmanager
def at_each_call(number: int, act: Callable[[], None]) -> Iterator[list[str]]:
    """Do something right before the n-th access to the disk; give all accesses."""
    looks: list[str] = []

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def look(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the function that it watches
            looks.append(name)
            if len(looks) == number:
                act()
            return real(*arguments, **named)

        return look

    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "stat", "lstat", "fstat"):
            patch.setattr(os, name, watched(name, getattr(os, name)))
        yield looks


@WAYS
@SWAPS
@pytest.mark.parametrize("number", range(1, 16))
def test_x6_a_swap_at_any_moment_of_the_check_gives_no_other_file(
    outside: Path, monkeypatch: pytest.MonkeyPatch, swap: Callable[[Path], None], number: int, *, by_descriptor: bool
) -> None:
    """Before whichever access of the check the file is swapped: an issue or the original file, never another one."""
    monkeypatch.setattr(files, "BY_DESCRIPTOR", by_descriptor)
    genuine = (outside / "adjuntos" / "2024" / "foto.png").stat().st_ino
    with at_each_call(number, lambda: swap(outside)):
        found = find(outside, "2024/foto.png")
    assert [file.inode for file in found.attachments] in ([], [genuine])
    assert len(found.issues) + len(found.attachments) == 1
    sent = b""
    for file in found.attachments:
        with suppress(AttachmentChanged):
            sent = b"".join(encode(file))
    assert base64.b64encode(SECRET) not in sent


@WAYS
@SWAPS
@pytest.mark.parametrize("number", range(1, 10))
def test_x6_a_swap_at_any_moment_of_the_sending_gives_no_other_file(
    outside: Path, monkeypatch: pytest.MonkeyPatch, swap: Callable[[Path], None], number: int, *, by_descriptor: bool
) -> None:
    """Before whichever access the file is swapped: the checked file, by its descriptor, or AttachmentChanged."""
    monkeypatch.setattr(files, "BY_DESCRIPTOR", by_descriptor)
    (file,) = find(outside, "2024/foto.png").attachments
    sent = b""
    with at_each_call(number, lambda: swap(outside)), suppress(AttachmentChanged):
        sent = b"".join(encode(file))
    assert sent in (b"", base64.b64encode(bytes(len(SECRET))))


@WAYS
def test_x6_a_link_to_the_very_file_that_was_checked_is_no_way_to_it(
    outside: Path, monkeypatch: pytest.MonkeyPatch, *, by_descriptor: bool
) -> None:
    """A folder in the path that became a link is refused, although the file behind it is the same."""
    monkeypatch.setattr(files, "BY_DESCRIPTOR", by_descriptor)
    (file,) = find(outside, "2024/foto.png").attachments
    (outside / "adjuntos" / "2024").rename(outside / "fuera" / "2024")
    (outside / "adjuntos" / "2024").symlink_to(outside / "fuera" / "2024")
    with pytest.raises(AttachmentChanged):
        next(encode(file))


def test_x6_a_file_of_another_disk_with_the_same_number_is_another_file(tmp_path: Path) -> None:
    """A file is also identified by its device: inode numbers are unique on one disk only."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    attachment = checked(path)
    moved = Attachment(path, "a.bin", 1, attachment.modified_ns, attachment.inode, attachment.device + 1, tmp_path)
    with pytest.raises(AttachmentChanged):
        next(encode(moved))


@pytest.mark.parametrize("opener", [files.open_ordinary, lambda path: files.open_below(path.parent, path)])
def test_x6_pipes_and_devices_are_refused_without_waiting(tmp_path: Path, opener: Callable[[Path], Any]) -> None:
    """A pipe without a writer and an endless device are refused before anything is read."""
    os.mkfifo(tmp_path / "tubo")
    for path in (tmp_path / "tubo", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(files.NotOrdinary):
            opener(path)


@WAYS
def test_x6_a_folder_that_turns_into_a_link_is_not_listed(
    outside: Path, monkeypatch: pytest.MonkeyPatch, *, by_descriptor: bool
) -> None:
    """Names outside are not suggested, even if a folder became a link after it was checked."""
    monkeypatch.setattr(files, "BY_DESCRIPTOR", by_descriptor)
    (outside / "fuera" / "foto secreta.png").write_bytes(b"x")
    options = AttachmentOptions(Path("adjuntos"), ("A1",))
    folder = AttachmentFolder(options, outside)
    assert folder.find(7, [("A1", "2024/foto.png")]).attachments
    link_the_folder(outside)
    (issue,) = folder.find(8, [("A1", "2024/foto secreta.pn")]).issues
    assert "foto secreta.png" not in issue.message + issue.remedy


@pytest.mark.parametrize("opener", [files.open_ordinary, lambda path: files.open_below(path.parent, path)])
@pytest.mark.parametrize("number", range(1, 6))
def test_x6_what_turns_into_a_pipe_while_it_is_opened_is_refused(
    outside: Path, number: int, opener: Callable[[Path], Any]
) -> None:
    """A pipe that replaces the file at any time neither blocks the program nor is sent."""
    path = outside / "adjuntos" / "2024" / "foto.png"
    opened = None
    with at_each_call(number, lambda: pipe_the_file(outside)), suppress(files.NotOrdinary):
        opened = opener(path)
    if opened is not None:
        with opened:
            assert stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
