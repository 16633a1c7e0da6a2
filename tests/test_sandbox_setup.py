"""The sandbox is configured by a file, stores its cases in a file, and is served on loopback."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
import requests
from language_support import all_templates, catalogued, english_in, patterns
from nursery import Nursery
from run_support import Give
from sandbox_support import insert
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from importer.errors import UsageError
from importer.sandbox import (
    Latency,
    RecordRules,
    RunningSandbox,
    SandboxConfig,
    Search,
    Store,
    UpdateRules,
    default_store,
    load_config,
)

ROOT = Path(__file__).parent.parent
SERVE = """
import sys
from importer.sandbox import SandboxConfig, Store, serve
serve(0, config=SandboxConfig(), store=Store(), ready=lambda url: print(url, flush=True))
print("done")
"""


def written(folder: Path, text: str) -> Path:
    """Return a configuration file with this text."""
    path = folder / "sandbox.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_can_be_loaded() -> None:
    """The example in the sample data loads, and has every key."""
    config = load_config(ROOT / "sample_data" / "sandbox.yml")
    assert config.statuses == {"Abierto": "open", "En espera": "waiting", "Solucionado": "solved", "Cerrado": "closed"}
    assert (config.daily_quota, config.max_body, config.prefix) == (4800, 100_000_000, "DEMO")
    assert config.search.page_size == 100
    assert (config.records.zone, config.unknown_contact, config.updates) == ("America/Bogota", "refused", UpdateRules())
    text = (ROOT / "sample_data" / "sandbox.yml").read_text("utf-8")
    parts = (SandboxConfig, Search, RecordRules, UpdateRules)
    assert [field.name for part in parts for field in fields(part) if f"{field.name}:" not in text] == []


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    """An empty file is the default configuration."""
    assert load_config(written(tmp_path, "# nothing\n")) == SandboxConfig()


def test_scalars_are_the_text_that_is_written(tmp_path: Path) -> None:
    """`No` and `007` stay as written."""
    config = load_config(written(tmp_path, "statuses: {No: Open}\npriorities: [007, yes]\n"))
    assert config.statuses == {"No": "open"}
    assert config.priorities == ("007", "yes")


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("users: [a]\nuser: [b]\n", 2, "user"),
        ("users: [a]\nusers: [b]\n", 2, "users: duplicate key; first defined on line 1"),
        ("statuses:\n  Abierto: open\n  Roto: broken\n", 3, "Roto"),
        ("search:\n  order: random\n", 2, "order"),
        ("search:\n  page_size: 0\n", 2, "page_size"),
        ("contacts: ana@example.com\n", 1, "contacts"),
        ("unknown_contact: maybe\n", 1, "unknown_contact"),
        ("file_names: yes\n", 1, "file_names"),
        ("records:\n  repeted: refused\n", 2, "repeated"),
        ("records:\n  zone: Macondo\n", 2, "America/Bogota"),
        ("records:\n  cases: deleted\n", 2, "cases"),
        ("updates:\n  absent: gone\n", 2, "absent"),
        ("updates: kept\n", 1, "updates"),
        ("search:\n  next_page: perhaps\n", 2, "next_page"),
        ("users:\n- [a]\n", 2, "users"),
        ("users: [\n", 2, ""),
        ("- users\n", 1, ""),
        ("max_body: much\n", 1, "max_body"),
        ("users: &a [*a]\n", 1, "anchors"),
        ("? [users]\n: [a]\n", 1, "key"),
    ],
)
def test_a_faulty_file_is_explained_with_its_line(tmp_path: Path, text: str, line: int, hint: str) -> None:
    """The sentence names the file, the line, the column and the key."""
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        load_config(path)
    assert str(refused.value).startswith(f"{path}:{line}:")
    assert hint in str(refused.value)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    """A configuration file that does not exist is a usage error with a clear sentence."""
    with pytest.raises(UsageError, match="There is no file"):
        load_config(tmp_path / "none.yml")


@pytest.mark.parametrize(("text", "low", "high"), [("0", 0, 0), ("0.25", 0.25, 0.25), ("0.1-2", 0.1, 2)])
def test_latency_is_seconds_or_a_range(text: str, low: float, high: float) -> None:
    """Every answer's latency is between the bounds."""
    latency = Latency.parse(text)
    assert (latency.low, latency.high) == (low, high)
    assert all(low <= latency.draw() <= high for _ in range(20))


@pytest.mark.parametrize("text", ["", "fast", "2-1", "-1", "1s"])
def test_an_invalid_latency_is_explained(text: str) -> None:
    """The sentence shows how to write a latency."""
    with pytest.raises(UsageError, match=r"0\.1-2"):
        Latency.parse(text)


def test_cases_outlive_the_process_until_forgotten(tmp_path: Path) -> None:
    """A stored case survives a restart with its attachments; after --forget numbers start at 1 again."""
    path = tmp_path / "deep" / "sandbox.db"
    with Store(path) as store, RunningSandbox(store=store) as sandbox:
        insert(sandbox)
    with Store(path) as store, RunningSandbox(store=store) as sandbox:
        insert(sandbox)
        assert [case.id_prefijo for case in store.cases] == ["SANDBOX-1", "SANDBOX-2"]
        assert store.cases[0].attachments == (b"hola",)
        store.forget()
        assert store.cases == []
        assert insert(sandbox).json()["data"]["idPrefijo"] == "SANDBOX-1"


@pytest.mark.skipif(os.name != "posix", reason="the modes are POSIX's")
def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """A rehearsal holds customers' data, so only the owner may read its file."""
    with Store(tmp_path / "sandbox.db"):
        assert (tmp_path / "sandbox.db").stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_hold_cases_is_explained(tmp_path: Path) -> None:
    """A folder, another kind of file, and a file of another version are refused with the remedy."""
    (tmp_path / "text.db").write_text("no database " * 100)
    with sqlite3.connect(tmp_path / "later.db") as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    for path in (tmp_path, tmp_path / "text.db", tmp_path / "later.db"):
        with pytest.raises(UsageError, match="--store"):
            Store(path)


def test_the_store_is_in_the_users_data_folder() -> None:
    """By default the cases are in a file in this program's own data folder."""
    assert default_store().name == "sandbox.db"
    assert default_store().parent.name == "case-importer"


def test_a_port_in_use_is_explained(sandbox: RunningSandbox) -> None:
    """A second sandbox on the same port is refused with the remedy."""
    with pytest.raises(UsageError, match="--port"):
        RunningSandbox(port=int(sandbox.url.rsplit(":", 1)[1])).__enter__()


def test_it_serves_until_ctrl_c() -> None:
    """`serve` prints its address, answers there, and returns quietly when it is interrupted."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert requests.get(url, timeout=10).status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "done\n", "")


def test_uvicorn_has_the_undocumented_parts_that_the_server_uses() -> None:
    """`importer.sandbox.server` subclasses its HTTP protocol and keeps its connections and tasks."""
    parameters = list(inspect.signature(H11Protocol).parameters)
    assert parameters[:3] == ["config", "server_state", "app_state"]
    state = ServerState()
    assert (state.connections, state.tasks) == (set(), set())


def test_uvicorns_protocol_holds_the_application_that_it_calls() -> None:
    """The server wraps that application for each connection."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer nothing."""

    async def protocol() -> H11Protocol:
        config = Config(application, log_config=None, lifespan="off")
        config.load()
        return H11Protocol(config, ServerState(), {})

    with ThreadPoolExecutor(1) as thread:  # the browser of other tests keeps the loop of this one running
        assert callable(thread.submit(asyncio.run, protocol()).result().app)


def test_the_demo_runs(tmp_path: Path, give: Give, nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo imports the sample into its own sandbox, twice in a row, in English and without a word of it."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:  # the import is another process each time, started in full the second time
        patched.setattr("importer.sandbox.demo.itself.program", lambda: nursery.words)
        english = give(["demo"])
    assert english.status == 0, english
    assert_demo_ended(english.out, r"holds (\d+) cases", tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CASE_IMPORTER_LANG": "es"}
    demo = [sys.executable, "-m", "importer", "demo"]
    ran = subprocess.run(demo, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert_demo_ended(ran.stdout, r"tiene (\d+) casos", tmp_path)
    found = [*patterns(all_templates(), partial(catalogued, "es"))]
    assert english_in([*ran.stdout.splitlines(), *ran.stderr.splitlines()], found) == []


def assert_demo_ended(out: str, cases: str, folder: Path) -> None:
    """Assert that a demo tells of its cases, which a pattern finds, and of its report."""
    created = re.search(cases, out)
    assert created is not None
    assert int(created[1]) > 10
    report = (folder / "demo" / "legacy_tickets.report.xlsx").resolve()
    assert f": {report}\n" in out
    assert report.exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("spoken", "sentence"), [("es_CO.UTF-8", "Instalando en"), ("pt_BR", "Instalando em"), ("C", "Installing into")]
)
def test_the_set_up_speaks_the_language_of_the_demo(spoken: str, sentence: str) -> None:
    """The first line of `make demo` is in the language in which the demo goes on."""
    environment = {**os.environ, "CASE_IMPORTER_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": spoken}
    make = ["make", "--dry-run", "--always-make", "install"]
    shown = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert f'echo "{sentence} .venv (' in shown


def test_the_documentation_names_every_key() -> None:
    """The table of docs/sandbox.md has a line for each key of the configuration, in its order."""
    text = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8").partition("## The configuration")[2]
    groups = {"search": Search, "records": RecordRules, "updates": UpdateRules}
    keys = [field.name for field in fields(SandboxConfig) if field.name not in groups]
    keys += [f"{name}.{field.name}" for name, group in groups.items() for field in fields(group)]
    assert re.findall(r"^\| `([a-z_.]+)` \|", text.partition("## Faults")[0], re.MULTILINE) == keys
