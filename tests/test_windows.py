"""What can be proved of Windows without one: no call that it lacks, and the other side of every seam.

Nobody has run the importer on Windows yet. `win32_child.py` imports and uses it in a process that has lost what Windows
lacks; here each place where systems differ is tried on both sides, and the rest is searched for.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import re
import signal
import sys
import threading
import tomllib
import types
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePath, PureWindowsPath

import platformdirs.windows
import pytest
from nursery import Nursery

from importer.attachments.names import parts_of
from importer.attachments.refusals import RefusedAttachment
from importer.cli import main as cli
from importer.cli.streams import Output
from importer.cli.terminal import Terminal
from importer.errors import ReportError, SettingsError
from importer.report import default_path, rehearsal_path
from importer.report.writing import check_writable, paths_to_try
from importer.sandbox import demo
from importer.settings import token
from importer.settings.file import Settings
from importer.system import causes, disk, stopping
from importer.system.stopping import Stop
from importer.web.copies import safe_name
from importer.web.match.matching import _plain
from importer.workflow.corrections.file import corrections_path
from importer.workflow.tenant_facts import findings_path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "importer").rglob("*.py"))

MODULES_OF_UNIX = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
OF_UNIX = re.compile(
    r"os\.(fork\w*|get(e?[ug]id|pgid|ppid|groups|loadavg|priority)|set\w*[ug]id|setsid|killpg?|l?chown|f?chmod|lchmod"
    r"|mkfifo|mknod|f?statvfs|uname|nice|sched_\w+|wait\w*|\w*xattr|sync|fdatasync|openpty|ttyname|WIF\w+|EX_\w+"
    r"|O_(NOFOLLOW|DIRECTORY|NONBLOCK|CLOEXEC|PATH|SYNC|DSYNC|NOCTTY))"
    r"|signal\.(SIG(?!INT$|TERM$|BREAK$|_DFL$)\w+|alarm|setitimer|pthread_\w+|sig(wait\w*|pending|timedwait))"
    r"|time\.(tzset|clock_gettime\w*|CLOCK_\w+)|socket\.(AF_UNIX|SO_REUSEPORT)"
)
PLACES_OF_UNIX = re.compile(r"/(proc|etc|dev|tmp|var|usr|bin|sys|media|mnt|run)\b(/|$)")
WORDS_OF_UNIX = {"dir_fd", "preexec_fn", "start_new_session", "pass_fds", "follow_symlinks"}

MAY_USE = re.compile(
    "|".join([OF_UNIX.pattern, f"[\"']{PLACES_OF_UNIX.pattern}", *MODULES_OF_UNIX, *WORDS_OF_UNIX, r"\.chmod|link_to"])
)
"""What a text has that uses any of them; most modules need no closer look."""

SEAMS = {
    "system/clock.py": "each system's own clock and the id of its boot",
    "system/disk.py": "Windows keeps its folders in order by itself",
    "system/files.py": "Windows opens no name relative to a folder: there the path is checked before and after",
    "journal/storage.py": "each system's own id of the machine",
    "mapping/editing/files.py": "permissions are kept where the system has such",
    "source/binary/xls_child.py": "Windows has no limit of memory for a process",
    "source/calamine_child.py": "the same",
    "web/folders.py": "where disks are mounted; on Windows there are drives. The status of a link is its own",
    "workflow/drafting/absent_files.py": "a link is no folder, on every system",
    "system/file_lock.py": "the lock of the system",
}
"""The only modules that use something of Unix, and what they do elsewhere; each has both sides."""


def uses_of_unix(module: Path) -> Iterator[str]:
    """Yield what a module uses that Windows lacks: modules, attributes, keywords, and absolute places."""
    text = module.read_text("utf-8")
    if not MAY_USE.search(text):
        return
    tree = ast.parse(text)
    documented = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            yield from MODULES_OF_UNIX.intersection(names)
        elif isinstance(node, ast.Attribute) and node.attr in {"chmod", "symlink_to", "hardlink_to"}:
            yield f".{node.attr}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if OF_UNIX.fullmatch(name):
                yield name
        elif isinstance(node, ast.keyword) and node.arg in WORDS_OF_UNIX:
            yield str(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in documented:
            yield from (found[0] for found in [PLACES_OF_UNIX.match(node.value)] if found)


def test_what_windows_lacks_is_used_behind_seams_alone() -> None:
    """No module but the seams calls what only Unix has, and no seam is left that does not."""
    found = {module.relative_to(ROOT / "importer").as_posix(): sorted(set(uses_of_unix(module))) for module in MODULES}
    assert {name: used for name, used in found.items() if used and name not in SEAMS} == {}
    assert {name for name in SEAMS if not found[name]} == set()


def test_an_office_works_without_what_windows_lacks(
    tmp_path: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every module is imported, and a sheet checked, sent, corrected and backed up, where nothing of Unix is left."""
    monkeypatch.setenv("CASE_IMPORTER_LANG", "es")
    done = nursery.carry_out(tmp_path, program="win32_child")
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out) == {"check": 1, "run": 1, "corrected": 0, "report": 0, "backup": 0, "cases": 2}


# ------------------------------------------------------------------------------------------------ files


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the modules that ask find Windows; a registry is not there."""
    for module in (disk, causes):
        monkeypatch.setattr(module, "sys", types.SimpleNamespace(**{**vars(sys), "platform": "win32"}))


def lock_of_windows(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Load the module of the lock as Windows does, with a stand-in for its lock, which is one for each file."""
    held: dict[int, int] = {}
    busy = OSError(36, "Resource deadlock avoided")

    def is_held(descriptor: int, number: int) -> bool:
        """Tell whether another descriptor, which is still open, has the lock of a file."""
        with contextlib.suppress(OSError):  # it is closed, and so unlocked
            return os.fstat(descriptor).st_ino == number == held[descriptor]
        return False

    def locking(descriptor: int, _mode: int, _count: int) -> None:
        number = os.fstat(descriptor).st_ino
        if any(is_held(other, number) for other in held if other != descriptor):
            raise busy
        held[descriptor] = number

    locks = types.ModuleType("msvcrt")
    locks.LK_NBLCK, locks.locking = 2, locking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", locks)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    path = ROOT / "importer" / "system" / "file_lock.py"
    spec = importlib.util.spec_from_file_location("lock_of_windows", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("windows", [False, True])
def test_a_lock_keeps_others_out_and_leaves_no_file(
    *, windows: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both sides of the seam a second writer waits, is refused in the end, and gets in once the first has let go."""
    if windows:
        lock = lock_of_windows(monkeypatch)
    else:
        from importer.system import file_lock as lock  # noqa: PLC0415 - the other side
    monkeypatch.setattr(lock, "PATIENCE", 0.02)
    path = tmp_path / "a.corrections.csv"
    with lock.locked(path):
        with pytest.raises(OSError, match="another program"), lock.locked(path):
            pass
        assert os.listdir(tmp_path) == [".a.corrections.csv.lock"]  # noqa: PTH208 - their names
    with lock.locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("windows", "refusals", "succeeds"), [(True, 2, True), (True, 10**6, False), (False, 1, False)]
)
def test_a_file_that_is_held_open_is_replaced_with_patience_on_windows(
    *,
    windows: bool,
    refusals: int,
    succeeds: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """A scanner that holds a file for a moment costs nothing; Excel, which keeps it, is an error that loses nothing."""
    if windows:
        request.getfixturevalue("on_windows")
    monkeypatch.setattr(disk, "PATIENCE", 0.03)
    monkeypatch.setattr(disk, "_PAUSE", 0.001)
    plain, tried = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        tried.append(target)
        if len(tried) <= refusals:
            raise PermissionError(13, "Access is denied")
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_text("new")
    old.write_text("old")
    if succeeds:
        disk.replace(new, old)
    else:
        with pytest.raises(PermissionError):
            disk.replace(new, old)
    assert old.read_text() == ("new" if succeeds else "old")


@pytest.mark.parametrize("switched_on", [False, True])
@pytest.mark.usefixtures("on_windows")
def test_a_path_that_is_too_long_is_said_before_anything_is_sent(
    *, switched_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows finds no path of 260 characters, unless somebody has switched that on."""
    folder = tmp_path / ("carpeta-" * ((230 - len(str(tmp_path))) // 8))
    folder.mkdir(parents=True)
    path = folder / ("x" * (255 - len(str(folder))) + ".xlsx")
    registry = types.SimpleNamespace(
        HKEY_LOCAL_MACHINE=0,
        OpenKey=lambda *_key: contextlib.nullcontext(),
        QueryValueEx=lambda *_name: (switched_on, 4),
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    error = FileNotFoundError(2, "No such file or directory", str(path))
    if switched_on:
        check_writable(path)
        assert causes.reason_of(error) == "No such file or directory"
        return
    assert "259" in causes.reason_of(error)
    with pytest.raises(ReportError, match="nearer to the drive"):
        check_writable(path)
    check_writable(path.with_name("short.xlsx"))


@pytest.mark.parametrize(
    ("number", "words"), [(32, "open in another program"), (33, "open"), (206, "too long"), (5, "denied")]
)
def test_what_windows_says_by_numbers_of_its_own_is_said_in_words(number: int, words: str) -> None:
    """A file that another program holds is not "Permission denied"."""
    error = PermissionError(13, "The process cannot access the file", "a.xlsx")
    error.winerror = number  # type: ignore[attr-defined, unused-ignore]
    assert words in causes.reason_of(error)


FROM_DATA = [
    "CON",
    "con.pqr",
    "nul .x",
    "LPT9",
    "COM¹",
    "aux",
    "a.",
    " a ",
    "a\tb",
    'a<b>:"c|d?*',
    ". . .",
    "…",
    "x" * 300,
    "PRN.csv",
]


@pytest.mark.parametrize("name", FROM_DATA)
def test_a_file_that_is_named_by_data_has_a_name_for_windows(name: str, tmp_path: Path) -> None:
    """Copies, mappings and findings take no name of a device, no forbidden sign, and no dot or space at an end."""
    made = [safe_name(f"{name}.csv"), f"{_plain(name)}.yml", findings_path(tmp_path, name, name).name]
    for each in made:
        stem = each.rpartition(".")[0]
        assert not disk.is_device(each)
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', each)
        assert stem == stem.rstrip(". ") != ""
        assert len(each) < 200


@pytest.mark.parametrize(
    ("path", "report", "rehearsal", "second"),
    [
        (r"C:\Casos\h.xlsx", r"C:\Casos\h.report.xlsx", r"C:\Casos\h.rehearsal.xlsx", r"C:\Casos\h (2).report.xlsx"),
        (r"\\srv\compartida\s.csv", r"\\srv\compartida\s.report.xlsx", r"\\srv\compartida\s.rehearsal.xlsx",
         r"\\srv\compartida\s (2).report.xlsx"),
        ("d:x.csv", "d:x.report.xlsx", "d:x.rehearsal.xlsx", "d:x (2).report.xlsx"),
    ],
)  # fmt: skip
def test_files_beside_a_source_are_beside_it_on_windows(path: str, report: str, rehearsal: str, second: str) -> None:
    """A drive, a share of the network and a drive without a folder: reports and corrections are where the source is."""
    source: PurePath = PureWindowsPath(path)
    found = default_path(source)  # type: ignore[arg-type]
    assert found == PureWindowsPath(report)
    assert rehearsal_path(found) == PureWindowsPath(rehearsal)
    first, following = [each for each, _number in zip(paths_to_try(found), range(2), strict=False)]
    assert (first, following) == (found, PureWindowsPath(second))
    assert corrections_path(source) == source.with_name(f"{source.stem}.corrections.csv")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        r"C:\a.pdf",
        "C:a.pdf",
        r"\\srv\x\a.pdf",
        r"\a.pdf",
        "a.pdf:oculto",
        r"..\a.pdf",
        "NUL",
        r"con.txt\a",
        "a. ",
        "aux.pdf",
    ],
)
def test_a_cell_never_names_a_file_elsewhere_on_windows(name: str) -> None:
    """A drive, a share, a stream of its own, a device, a folder above: none is taken for a file of the folder."""
    with pytest.raises(RefusedAttachment):
        parts_of(name)
    assert parts_of(r"2024\facturas\a.pdf") == ("2024", "facturas", "a.pdf")


def test_the_data_folder_of_windows_is_the_one_that_the_pages_name(monkeypatch: pytest.MonkeyPatch) -> None:
    r"""%LOCALAPPDATA%\case-importer holds journal, marks and settings; the demo moves its own marks away."""
    moved = next(name for name in demo._STATE_VARIABLES if name.startswith("WIN_"))
    monkeypatch.setenv(moved, r"C:\Local")
    folders = platformdirs.windows.Windows("case-importer", appauthor=False)
    found = {folders.user_data_dir, folders.user_state_dir, folders.user_config_dir}
    assert found == {os.path.join(r"C:\Local", "case-importer")}  # noqa: PTH118 - as platformdirs joins them
    assert r"`%LOCALAPPDATA%\case-importer\journal.db`" in (ROOT / "docs" / "journal.md").read_text("utf-8")


@pytest.mark.parametrize("system", ["posix", "nt"])
def test_permissions_are_looked_at_where_the_system_has_them(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that others can read is refused; on Windows modes say nothing, and the folder is closed to others."""
    path = tmp_path / "token"
    path.write_text("abc")
    path.chmod(0o644)
    monkeypatch.setattr(token, "os", types.SimpleNamespace(name=system))
    settings = Settings(tmp_path / "settings.toml", token_file=path)
    if system == "nt":
        assert token._from_file_in_settings(settings, "http://127.0.0.1", "demo") == "abc"
    else:
        with pytest.raises(SettingsError, match="other users"):
            token._from_file_in_settings(settings, "http://127.0.0.1", "demo")


def test_time_zones_are_there_without_those_of_the_system() -> None:
    """Zones come from the package `tzdata` where the system has none, and Windows gets that package."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert any(re.match(r"tzdata\b.*sys_platform == 'win32'", each) for each in needed)
    try:
        zoneinfo.reset_tzpath(())
        assert zoneinfo.ZoneInfo.no_cache("America/Bogota").key == "America/Bogota"
    finally:
        zoneinfo.reset_tzpath()


# ------------------------------------------------------------------------------------------------ signals and streams


def test_ctrl_break_is_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it would end the program in the middle of a case."""
    taken: dict[int, object] = {}
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    cli._take_interrupts()
    assert taken == {signal.SIGINT: signal.default_int_handler, 21: signal.default_int_handler}


def test_no_wait_is_so_long_that_ctrl_c_seems_not_to_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows notices Ctrl-C after a wait alone, so a long one is many; a request still ends it at once."""
    stop, waited = Stop(), []
    plain = stop._first.wait

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return plain(seconds)

    monkeypatch.setattr(stop._first, "wait", wait)
    monkeypatch.setattr(stopping, "_LONGEST_WAIT", 0.002)
    assert not stop.wait(0.2)
    assert len(waited) > 2
    assert max(waited) <= 0.002
    threading.Timer(0.01, stop.request).start()
    assert stop.wait(60)


@pytest.mark.parametrize("encoding", ["", "cp1252", "cp850", "cp437", "latin-1:strict", "ascii", "utf-16", "nonsense"])
def test_no_console_makes_a_sentence_an_error(encoding: str, tmp_path: Path) -> None:
    """Emoji, accents, arrows and broken letters are shown as near as the console can, and never raise."""
    sentence = "Señor José 😀 → «Peña» … ✓ ─ \ud800 中"
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        output = Output(file, environ={"PYTHONIOENCODING": encoding} if encoding else {})
        assert output.text
        print(sentence, file=output.text)
        assert output.failure() is None
    name = encoding.partition(":")[0] or "utf-8"
    shown = (tmp_path / "out").read_bytes().decode(name if name != "nonsense" else "utf-8")
    assert ("Senor Jose" if name == "ascii" else "Señor José") in shown
    assert "Pe" in shown


@pytest.fixture
def no_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no standard streams, as a program without a console on Windows."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)


@pytest.mark.usefixtures("no_streams")
@pytest.mark.parametrize(
    ("words", "status"),
    [(["--help"], 0), (["--version"], 0), (["schema"], 0), (["check"], 2), (["nonsense"], 2),
     (["check", "none.csv", "-m", "none.yml", "--json"], 2), (["history", "--journal", "none.db", "--json"], 2)],
)  # fmt: skip
def test_a_command_without_streams_ends_as_it_would_with_them(words: list[str], status: int) -> None:
    """What cannot be shown is no error."""
    assert cli.execute(words) == status


@pytest.mark.usefixtures("no_streams")
def test_progress_without_streams_is_not_shown() -> None:
    """A run goes on though nobody sees how far it is."""
    terminal = Terminal(yes=True)
    terminal.sending(3)
    terminal.show("a")
    terminal.stopping(1)
    terminal.waiting(datetime(2026, 11, 27, tzinfo=UTC))
    terminal.done()
    assert not terminal.is_interactive
