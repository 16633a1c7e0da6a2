"""Where reports are written: names, locks, edited files, full or missing folders, and saves that are all or nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from openpyxl import load_workbook
from report_support import always, content, every_state, never, row

from importer import report
from importer.errors import ReportError
from importer.model import ReportContent, ReportRow
from importer.report import workbook, writing


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tickets.xlsx", "tickets.report.xlsx"),
        ("tickets.csv", "tickets.report.xlsx"),
        ("tickets.report.xlsx", "tickets.report.xlsx"),
        ("tickets (2).report.xlsx", "tickets (2).report.xlsx"),
        ("año.2025.ods", "año.2025.report.xlsx"),
    ],
)
def test_the_report_stands_beside_its_source(tmp_path: Path, source: str, expected: str) -> None:
    """The name has one `.report`, even if the source is itself a report."""
    assert report.default_path(tmp_path / source) == tmp_path / expected


def test_a_report_that_is_as_we_wrote_it_is_renewed(tmp_path: Path) -> None:
    """An unchanged report is replaced: its digest is the one that the first write returned."""
    path = tmp_path / "t.report.xlsx"
    first = report.write(path, content([row(2)]), never)
    again = report.write(path, content([row(2), row(3)]), {first.digest}.__contains__)
    assert (again.path, again.note) == (path, None)
    assert again.digest == writing.digest(path) != first.digest
    assert load_workbook(path)["Report"].max_row == 3


def test_p5_an_edited_report_is_never_overwritten(tmp_path: Path) -> None:
    """The new report takes the next free name and says so; the edited one keeps every byte."""
    path = tmp_path / "t.report.xlsx"
    first = report.write(path, content([row(2)]), never)
    edited = load_workbook(path)
    edited["Report"]["B2"] = "corrected"
    edited.save(path)
    kept = path.read_bytes()
    second = report.write(path, content([row(2)]), {first.digest}.__contains__)
    assert second.path.name == "t (2).report.xlsx"
    assert second.note is not None
    assert "t.report.xlsx was edited since it was written" in second.note
    assert "t (2).report.xlsx" in second.note
    assert path.read_bytes() == kept
    third = report.write(path, content([row(2)]), {first.digest, second.digest}.__contains__)
    assert third.path == second.path
    fourth = report.write(second.path, content([row(2)]), never)
    assert fourth.path.name == "t (3).report.xlsx"


@pytest.mark.parametrize("lock", ["~$t.report.xlsx", ".~lock.t.report.xlsx#"])
def test_p1_a_report_that_is_open_gets_another_name(tmp_path: Path, lock: str) -> None:
    """A lock file of Excel or LibreOffice beside the report makes the new one take another name."""
    path = tmp_path / "t.report.xlsx"
    report.write(path, content([row(2)]), always)
    (tmp_path / lock).touch()
    written = report.write(path, content([row(2)]), always)
    assert written.path.name == "t (2).report.xlsx"
    assert "t.report.xlsx is open in another program" in str(written.note)


def test_p1_a_file_that_cannot_be_replaced_gets_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If saving over an open file fails, as on Windows, the report gets another name."""
    path = tmp_path / "t.report.xlsx"
    report.write(path, content([row(2)]), always)
    replace = writing.replace

    def held(temporary: Path, target: Path) -> None:
        if target == path:
            raise PermissionError(errno.EACCES, "in use")
        replace(temporary, target)

    monkeypatch.setattr(writing, "replace", held)
    written = report.write(path, content([row(2)]), always)
    assert written.path.name == "t (2).report.xlsx"
    assert "is open in another program" in str(written.note)


def test_p1_a_read_only_report_gets_another_name(tmp_path: Path) -> None:
    """A read-only report is left as it is."""
    path = tmp_path / "t.report.xlsx"
    report.write(path, content([row(2)]), always)
    path.chmod(0o444)
    written = report.write(path, content([row(2)]), always)
    assert written.path.name == "t (2).report.xlsx"
    assert "t.report.xlsx is read-only" in str(written.note)


def failing(error: Exception) -> ReportContent:
    """Return a report whose rows end in an error."""

    class Rows:
        def __iter__(self) -> Iterator[ReportRow]:
            yield row(2)
            raise error

    base = content([row(2)])
    return ReportContent(base.summary, base.columns, Rows())


@pytest.mark.parametrize("ending", [".xlsx", ".csv", ".html"])
def test_a_save_that_breaks_off_leaves_the_old_file(tmp_path: Path, ending: str) -> None:
    """An interrupted save leaves the old file whole, and no partial file beside it."""
    path = tmp_path / f"t.report{ending}"
    report.write(path, content([row(2)]), always)
    kept = path.read_bytes()
    with pytest.raises(RuntimeError, match="power"):
        report.write(path, failing(RuntimeError("power")), always)
    assert path.read_bytes() == kept
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_disk_that_fills_up_is_one_sentence(tmp_path: Path) -> None:
    """A full disk gives one sentence: nothing is lost, and what to do."""
    with pytest.raises(ReportError, match=r"the disk is full.*case-importer report"):
        report.write(tmp_path / "t.report.xlsx", failing(OSError(errno.ENOSPC, "no")), always)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the test looks into Linux's list of open files")
def test_the_bytes_are_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, name and folder are synced in this order, so a power cut leaves the old file or the new one."""
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        steps.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")  # noqa: PTH112  # a link of /proc
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        steps.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    report.write(tmp_path / "t.report.csv", content([row(2)]), always)
    assert steps[-3:] == ["file", "name", "folder"]


def test_p3_more_rows_than_a_sheet_holds_become_a_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished run still gets its report, with a note on why it is not a workbook."""
    monkeypatch.setattr(workbook, "SHEET_LINES", 3)
    written = report.write(tmp_path / "t.report.xlsx", content([row(2), row(3), row(4)]), always)
    assert written.path.name == "t.report.csv"
    assert "A sheet holds 1,048,576 lines" in str(written.note)
    assert len(written.path.read_text("utf-8").splitlines()) == 4


def no_room(_folder: object) -> object:
    """Return the usage of a full disk."""
    return SimpleNamespace(free=0)


def refused(_self: Path, _mode: str) -> None:
    """Raise the error of a missing permission."""
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing/t.report.xlsx", "the folder .*missing does not exist. Create it, or name another with --report."),
        ("t.report.xls", "a report ends in .xlsx, .csv or .html"),
        ("folder.xlsx", "is a folder. Name a file in it"),
    ],
)
def test_a_place_where_no_report_can_be_is_refused_at_the_start(tmp_path: Path, name: str, sentence: str) -> None:
    """An impossible path gets one sentence with the remedy, before anything is sent."""
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(ReportError, match=sentence):
        report.check_writable(tmp_path / name)


def test_a_full_or_closed_folder_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk and a missing permission have messages of their own."""
    report.check_writable(tmp_path / "t.report.xlsx")
    with monkeypatch.context() as patch:
        patch.setattr(writing.shutil, "disk_usage", no_room)
        with pytest.raises(ReportError, match="the disk is full"):
            report.check_writable(tmp_path / "t.report.xlsx")
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ReportError, match=r"cannot be written to \(Permission denied\)"):
        report.check_writable(tmp_path / "t.report.xlsx")
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_every_kind_is_written_by_its_ending(tmp_path: Path) -> None:
    """The ending decides the kind of report, in upper or lower case."""
    writers: dict[str, Callable[..., None]] = dict(writing.WRITERS)
    assert tuple(writers) == (".xlsx", ".csv", ".html")
    for ending in (".XLSX", ".CSV", ".HTML"):
        assert report.write(tmp_path / f"t{ending}", content(every_state()), always).path.stat().st_size > 1000
