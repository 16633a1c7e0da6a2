"""Attachments: what a cell may name, what is found under the folder, and base64 that is streamed."""

from __future__ import annotations

import base64
import binascii
import json
import os
import threading
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.attachments import AttachmentFolder, Found, KeptFiles, encode, encoded_length, keeping, reading
from importer.composing import compose
from importer.errors import AttachmentChanged
from importer.job import Job
from importer.model import Attachment, AttachmentOptions
from importer.opening import begin
from importer.pipeline import check


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """Make a source's folder with `adjuntos` in it, and a file outside of that."""
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
) -> Found:
    """Look the cells of row 7 up, in the columns `A1`, `A2`, …."""
    columns = tuple(f"A{number}" for number, _ in enumerate(cells, 1))
    options = AttachmentOptions(Path("adjuntos"), columns, separator, max_size, missing)
    return AttachmentFolder(options, beside).find(7, list(zip(columns, cells, strict=True)))


def codes(found: Found) -> list[str]:
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


def test_without_a_separator_a_cell_is_one_name(beside: Path) -> None:
    """A semicolon in a file's name is part of it where the mapping names no separator."""
    (beside / "adjuntos" / "a;b.txt").write_bytes(b"x")
    assert [item.name for item in find(beside, "a;b.txt", separator=None).attachments] == ["a;b.txt"]


@pytest.mark.parametrize("written", ["INFORME.PDF", "informe.PDF", unicodedata.normalize("NFD", "Petición.txt")])
def test_case_and_unicode_composition_do_not_matter(beside: Path, written: str) -> None:
    """A name that differs in case or composition alone is the file, as it is on Windows and on a Mac."""
    found = find(beside, written)
    assert not found.issues
    assert found.attachments[0].name == written
    assert found.attachments[0].path.name in {"informe.pdf", "Petición.txt"}


def test_an_ambiguous_case_is_asked_and_not_guessed(beside: Path) -> None:
    """Two files that differ from the name in case alone are both proposed, and neither is sent."""
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
    """Permission is found out by opening, since nothing else knows (the superuser of a test machine reads all)."""

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
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
    """`..`, absolute, UNC, streams, devices, URLs: refused by their name alone, without a look at the disk."""

    def touched(*_: object, **__: object) -> None:
        raise AssertionError(name)

    folder = AttachmentFolder(AttachmentOptions(Path("adjuntos"), ("A1",)), beside)
    for function in ("lstat", "stat", "open", "exists", "is_dir"):
        monkeypatch.setattr(Path, function, touched)
    (issue,) = folder.find(7, [("A1", name)]).issues
    assert (issue.code, issue.value) == (code, name)
    assert issue.remedy


@pytest.mark.parametrize("link", ["secreto.txt", "carpeta/secreto.txt", "salto/carpeta/secreto.txt"])
def test_a2_links_out_of_the_folder_are_refused(beside: Path, link: str) -> None:
    """A link, a linked folder and a link to a link that leave the folder give nothing."""
    inside = beside / "adjuntos"
    (inside / "secreto.txt").symlink_to("../secreto.txt")
    (inside / "carpeta").symlink_to(beside)
    (inside / "salto").symlink_to(".")
    (issue,) = find(beside, link).issues
    assert issue.code == "attachment-outside"


def test_a2_a_linked_folder_outside_is_not_listed(beside: Path) -> None:
    """What lies beyond a link is not even proposed as a near name."""
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
    """The remedy proposes the names in that folder that are near, accents and spelling apart."""
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
    """The same file twice, however it is written, is asked about: one of the two names is probably another file's."""
    (beside / "adjuntos" / "último.pdf").symlink_to("informe.pdf")
    found = find(beside, "informe.pdf", again)
    assert codes(found) == ["attachment-repeated"]
    assert found.issues[0].column == "A2"


def test_send_without_leaves_missing_files_out(beside: Path) -> None:
    """Under `missing: send_without` a missing file is named and no issue; every other fault stays one."""
    found = find(beside, "falta.pdf;informe.pdf;vacío.txt", missing="send_without")
    assert found.missing == ("falta.pdf",)
    assert [item.name for item in found.attachments] == ["informe.pdf"]
    assert codes(found) == ["attachment-empty"]


def test_send_without_does_not_cover_a_missing_folder(tmp_path: Path) -> None:
    """Where the whole folder is not there, nothing goes without its files in silence."""
    (issue,) = find(tmp_path, "informe.pdf", missing="send_without").issues
    assert issue.code == "attachment-missing"
    assert str(tmp_path / "adjuntos") in issue.message


def test_rows_that_share_a_file_look_at_it_once(beside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand rows with the same name cost one look."""
    looks: list[str] = []
    look = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: looks.append(path.name) or look(path))
    folder = AttachmentFolder(AttachmentOptions(Path("adjuntos"), ("A1",)), beside)
    for row in range(1000):
        assert folder.find(row, [("A1", "informe.pdf"), ("A2", "falta.pdf")]).issues[0].row == row
    assert looks.count("informe.pdf") == 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text("./\\:~a ", max_size=12))
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Whatever a cell says is a file under the folder, an issue, or nothing; never an exception."""
    beside = tmp_path_factory.getbasetemp() / "any"
    (beside / "adjuntos" / "a").mkdir(parents=True, exist_ok=True)
    (beside / "adjuntos" / "a" / "a").write_bytes(b"a")
    found = find(beside, name, separator=None)
    assert len(found.attachments) + len(found.issues) == (1 if name.strip() else 0)
    assert all(item.path.is_relative_to(beside / "adjuntos") for item in found.attachments)


def checked(path: Path) -> Attachment:
    """Return the file as a check at this moment sees it."""
    status = path.stat()
    return Attachment(path, path.name, status.st_size, status.st_mtime_ns, status.st_ino)


ALWAYS_SLOW, NEVER_SLOW = -1.0, float("inf")


@pytest.mark.parametrize("slow", [ALWAYS_SLOW, NEVER_SLOW])
@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=200), block=st.integers(1, 64))
def test_base64_is_that_of_the_whole_file(
    tmp_path_factory: pytest.TempPathFactory, slow: float, data: bytes, block: int
) -> None:
    """Block by block or at once, read ahead or not: the characters of `binascii`, as many as was said beforehand."""
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "SLOW", slow)
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
    """Put a pipe in its place, which would wait for ever if it were read."""
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
    """Whatever changed since the check, not a byte of the file is yielded."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 10)
    attachment = checked(path)
    CHANGES[change](path)
    chunks = encode(attachment)
    with pytest.raises(AttachmentChanged, match=r"a\.bin"):
        next(chunks)


@pytest.mark.parametrize("slow", [ALWAYS_SLOW, NEVER_SLOW])
@pytest.mark.parametrize("change", ["grown", "cut", "rewritten"])
def test_a3_a_change_while_sending_is_noticed_before_the_last_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, slow: float
) -> None:
    """A body whose file changes under it stays shorter than its length says, so that it is no delivery."""
    monkeypatch.setattr(reading, "SLOW", slow)
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
    """A file of 2 GB is encoded within a few megabytes of memory."""
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


class Drive:
    """A file of `b"012…"` on a network drive: it tells when a block is being read, and gives it when it may."""

    def __init__(self, may_read: int, size: int = 9) -> None:
        self.asked = threading.Semaphore(0)
        self.reads = 0
        self._may_read = threading.Semaphore(may_read)
        self._left = bytes(range(size))

    def read(self, wanted: int) -> bytes:
        """Return the next bytes once there is leave for it."""
        self.asked.release()
        self._may_read.acquire()
        self.reads += 1
        data, self._left = self._left[:wanted], self._left[wanted:]
        return data

    def allow(self) -> None:
        """Let one more block be read."""
        self._may_read.release()


def readers() -> list[threading.Thread]:
    """Return the threads that read ahead at this moment."""
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_the_next_block_is_read_while_one_is_being_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading is slow, the next block is asked for before the last is done with, and never a third."""
    monkeypatch.setattr(reading, "SLOW", ALWAYS_SLOW)
    drive = Drive(may_read=1)
    blocks = reading.blocks(drive, 9, 3)
    assert next(blocks) == bytes((0, 1, 2))
    for _ in range(2):
        assert drive.asked.acquire(timeout=10)
    drive.allow()
    for thread in readers():
        thread.join()
    assert drive.reads == 2
    assert not readers()
    drive.allow()
    assert list(blocks) == [bytes((3, 4, 5)), bytes((6, 7, 8))]


def test_a_block_that_was_read_fast_is_followed_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the system's cache is read by the sender itself, and so is a slow one that has no second block."""
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("a thread was begun"))
    monkeypatch.setattr(reading, "SLOW", NEVER_SLOW)
    assert b"".join(reading.blocks(Drive(may_read=3), 9, 3)) == bytes(range(9))
    monkeypatch.setattr(reading, "SLOW", ALWAYS_SLOW)
    assert b"".join(reading.blocks(Drive(may_read=1), 9, 9)) == bytes(range(9))


def test_an_upload_that_is_broken_off_leaves_no_thread_and_no_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the chunks are closed, nobody reads any more and the file is closed, though a block was being read."""
    monkeypatch.setattr(reading, "SLOW", ALWAYS_SLOW)
    opened: list[BinaryIO] = []

    def noted(file: BinaryIO, size: int, step: int) -> Iterator[bytes]:
        opened.append(file)
        yield from reading.blocks(file, size, step)

    monkeypatch.setattr("importer.attachments.encoding.blocks", noted)
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(30))
    chunks = encode(checked(path), 3)
    assert next(chunks) == b"AAAA"
    chunks.close()
    assert not readers()
    assert [file.closed for file in opened] == [True]


def test_a_fault_of_a_block_that_is_read_ahead_is_told_where_the_block_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A drive that goes away ends the upload as it does without reading ahead; a block before it still counts."""
    monkeypatch.setattr(reading, "SLOW", ALWAYS_SLOW)
    drive = Drive(may_read=9)
    blocks = reading.blocks(drive, 9, 3)
    drive.read = drive_gone_after(drive.read)
    assert next(blocks) == bytes((0, 1, 2))
    with pytest.raises(OSError, match="gone"):
        next(blocks)


def drive_gone_after(first: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return a `read` that succeeds once."""
    reads = iter([first])

    def read(wanted: int) -> bytes:
        for once in reads:
            return once(wanted)
        raise OSError("the drive is gone")

    return read


class Files:
    """Checked files of a folder, and how often each was encoded rather than taken from what is kept."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.encoded: list[str] = []
        monkeypatch.setattr(keeping, "encode", self._encode)

    def _encode(self, attachment: Attachment, *block: int) -> Iterator[bytes]:
        self.encoded.append(attachment.name)
        return encode(attachment, *block)

    def make(self, name: str, size: int) -> Attachment:
        """Write a file and check it."""
        path = self.folder / name
        path.write_bytes(os.urandom(size))
        return checked(path)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Make files whose encoding is counted."""
    return Files(tmp_path, monkeypatch)


def send(kept: KeptFiles, attachment: Attachment) -> None:
    """Encode a file to its end, and see that it is the file."""
    assert b"".join(kept.encode(attachment)) == base64.b64encode(attachment.path.read_bytes())


def test_a_file_that_many_rows_attach_is_kept_from_its_second_sending_on(files: Files) -> None:
    """One that is sent once takes no room; one that is sent again is encoded a second time, and never a third."""
    kept = KeptFiles()
    logo, annex = files.make("logo.png", 1_000), files.make("annex.pdf", 2_000)
    send(kept, annex)
    send(kept, logo)
    assert kept.held == 0
    for _ in range(5):
        send(kept, logo)
    assert files.encoded == ["annex.pdf", "logo.png", "logo.png"]
    assert kept.held == encoded_length(1_000)


@pytest.mark.parametrize("change", CHANGES)
def test_a3_a_change_of_a_kept_file_is_noticed(tmp_path: Path, change: str) -> None:
    """What is kept is no excuse: a file that is not what was checked is refused before its first byte."""
    path = tmp_path / "logo.png"
    path.write_bytes(b"x" * 10)
    logo, kept = checked(path), KeptFiles()
    for _ in range(3):
        send(kept, logo)
    CHANGES[change](path)
    with pytest.raises(AttachmentChanged, match=r"logo\.png"):
        next(kept.encode(logo))


def test_what_is_kept_has_its_bound_and_the_longest_unsent_makes_room(files: Files) -> None:
    """No more than `room` is held; the file that was sent longest ago goes first, and one above half is never kept."""
    kept = KeptFiles(room=1_000)
    first, second, third = (files.make(name, 300) for name in ("1", "2", "3"))
    large = files.make("large", 400)
    for attachment in (first, second, first, third, large):
        for _ in range(2):
            send(kept, attachment)
            assert kept.held <= 1_000
    files.encoded.clear()
    for attachment in (third, first, second, large):
        send(kept, attachment)
    assert files.encoded == ["2", "large"]


def test_what_is_being_sent_keeps_its_room(files: Files) -> None:
    """Where all the room is being sent from, another file is encoded as if it were alone, and the bound holds."""
    kept = KeptFiles(room=800)
    first, second, third = (files.make(name, 300) for name in ("1", "2", "3"))
    for attachment in (first, first, second, second, third):
        send(kept, attachment)
    in_flight = [kept.encode(first), kept.encode(second)]
    for chunks in in_flight:
        next(chunks)
    files.encoded.clear()
    send(kept, third)
    send(kept, third)
    assert files.encoded == ["3", "3"]
    assert kept.held == 800
    assert [list(chunks) for chunks in in_flight] == [[], []]
    send(kept, third)
    send(kept, third)
    assert files.encoded == ["3", "3", "3"]


def test_a_sending_that_is_broken_off_keeps_nothing(files: Files) -> None:
    """Half a file is no file: its room is free again, and the next sending begins anew."""
    kept = KeptFiles()
    logo = files.make("logo.png", 2_000_000)
    send(kept, logo)
    chunks = kept.encode(logo)
    next(chunks)
    assert kept.held == encoded_length(2_000_000)
    chunks.close()
    assert kept.held == 0
    send(kept, logo)


def test_while_one_worker_collects_a_file_another_encodes_it_too(files: Files) -> None:
    """Nobody waits for anybody, and what the first collects is kept whole."""
    kept = KeptFiles()
    logo = files.make("logo.png", 2_000_000)
    send(kept, logo)
    collecting = kept.encode(logo)
    begun = next(collecting)
    send(kept, logo)
    assert begun + b"".join(collecting) == base64.b64encode(logo.path.read_bytes())
    files.encoded.clear()
    send(kept, logo)
    assert files.encoded == []


def test_many_workers_get_every_file_whole_and_keep_the_bound(files: Files) -> None:
    """Eight threads that send a dozen files over and over: each body is its file's, and the room is never exceeded."""
    kept = KeptFiles(room=8_000)
    attached = [files.make(str(number), 1_000 + number) for number in range(12)] * 10

    def work(attachment: Attachment) -> int:
        send(kept, attachment)
        return kept.held

    with ThreadPoolExecutor(8) as workers:
        assert max(workers.map(work, attached)) <= 8_000


def test_a_logo_that_every_row_attaches_is_in_every_body_and_read_twice(beside: Path, files: Files) -> None:
    """The first bodies of a run and those that come from what is kept hold the same file."""
    mapping, source = beside / "mapping.yml", beside / "rows.csv"
    mapping.write_text(
        "version: 1\nimport: logos\nsource: {key: Ticket}\ntarget: {server: crm0001.wolkvox.com, operation: demo}\n"
        "fields: {case-type: Request, responsible: A_@demo, owner: A_@demo, contact: ana@example.com,"
        " description: {column: Nota}, status: Abierto, priority: Alta}\n"
        "attachments: {folder: adjuntos, columns: [Logo]}\n",
        "utf-8",
    )
    source.write_text("Ticket,Nota,Logo\n" + "".join(f"T-{n},Hola,informe.pdf\n" for n in range(5)), "utf-8")
    plan = check(begin(Job(source, mapping)))
    bodies = [json.loads(b"".join(compose(plan, planned.row).chunks())) for planned in plan]
    assert [body["attachments"] for body in bodies] == 5 * [[base64.b64encode(b"%PDF-1.4 informe").decode()]]
    assert files.encoded == ["informe.pdf"] * 2
