"""The walls between the rooms of `importer/`, held by reading every import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "importer").rglob("*.py"))

LAYERS = (
    {
        *("text", "languages", "messages", "model", "names", "report_words", "errors", "system"),
        *("journal_place", "periods", "notices", "commands", "questions", "face"),
    },
    {"source", "mapping", "validation", "identity", "attachments", "payload", "crm", "journal", "report", "settings"},
    {"workflow"},
    {"pipeline"},
    {"follow_up", "proposing", "contacts", "support", "verification"},
    {"doctor", "sandbox"},
    {"rehearsal", "machines"},
    {"web"},
    {"cli"},
    {"__init__", "__main__", "windowed"},  # the faces of the library and of the program
)
"""The rooms, from the lowest layer to the highest; a room uses only what is below its own layer."""

SHARED_ORDER = (
    *("text", "languages", "messages", "model", "names", "report_words", "errors", "system"),
    *("journal_place", "periods", "notices", "commands", "questions", "face"),
)
"""Shared modules may use each other: each those before it."""

WORKFLOW_ORDER = (
    *("keys", "tenant_facts", "corrections", "job", "commands", "drafting", "planning", "outcome", "settling"),
    *("forecast", "guards", "sending", "verifying", "contacts", "correcting", "jobs"),
)
"""The rooms of the workflow may use each other: each those before it."""

BETWEEN_STAGES = {("settings", "identity"), ("validation", "identity")}
"""Stages do not know each other, but for these."""

PACKAGES = {
    "source",
    "attachments",
    "mapping",
    "crm",
    "journal",
    "report",
    "settings",
    "sandbox",
    "doctor",
    "web",
    "machines",
}
"""Rooms with a face: others import what its `__init__` names, and nothing behind it."""

HTTP, SQL, EXCEL, TERMINAL = {"crm", "sandbox", "web"}, {"journal", "sandbox"}, {"source", "report"}, {"cli"}
ROOMS_OF = {
    "requests": HTTP, "urllib3": HTTP | {"payload"}, "http": HTTP, "socket": HTTP, "ssl": HTTP,
    "starlette": {"sandbox", "web"}, "uvicorn": {"sandbox", "web"},
    "psycopg": {"journal", "machines"}, "procrastinate": {"machines"}, "croniter": {"machines"},
    "sqlalchemy": SQL, "sqlite3": SQL | {"system"},
    "openpyxl": EXCEL, "xlsxwriter": EXCEL, "xlrd": EXCEL, "python_calamine": EXCEL,
    "jinja2": {"attachments", "report", "sandbox", "web", "doctor"}, "yaml": {"mapping"},
    "click": TERMINAL, "tqdm": TERMINAL, "print": TERMINAL,
}  # fmt: skip


@cache
def used_by(module: Path) -> tuple[str, ...]:
    """Return the dotted name of everything that a module imports, and `print` where it is called."""
    return tuple(_used_by(module))


def _used_by(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.relative_to(ROOT).parts[: -node.level] if node.level else ()
            yield from (".".join(filter(None, (*package, node.module, name.name))) for name in node.names)
        elif isinstance(node, ast.Name) and node.id == "print":
            yield node.id


def layer_of(room: str) -> int:
    """Return the layer of a room, counted from 0."""
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def parts_of(module: Path) -> tuple[str, ...]:
    """Return the dotted parts of a module below `importer`, without the `__init__` of a package."""
    parts = module.relative_to(ROOT / "importer").with_suffix("").parts
    return parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts


def where_used() -> Iterator[tuple[Path, str]]:
    """Yield every module with each name that it uses."""
    return ((module, name) for module in MODULES for name in used_by(module))


def test_every_module_uses_only_what_its_room_may() -> None:
    """A room uses the layers below its own; HTTP, SQL, Excel, pages and the terminal have rooms of their own."""
    for module, name in where_used():
        room = parts_of(module)[0]
        top, _, rest = name.partition(".")
        assert room in ROOMS_OF.get(top, {room}), f"{top} has no place in {module}"
        other = rest.split(".")[0]
        if top != "importer" or other in {room, ""} or not is_room(other):
            continue
        if room in SHARED_ORDER and other in SHARED_ORDER:
            assert SHARED_ORDER.index(other) < SHARED_ORDER.index(room), f"{module} imports {name}"
        else:
            below = layer_of(other) < layer_of(room)
            assert below or (room, other) in BETWEEN_STAGES, f"{module} imports {name}"


def test_the_page_uses_what_a_script_can_use() -> None:
    """The page is a face: beside shared modules it uses `importer` itself, and the settings, which it writes."""
    stages = set().union(*LAYERS[1:]) - {"web", "settings"}
    page = [(module, name) for module, name in where_used() if parts_of(module)[0] == "web"]
    assert [use for use in page if use[1].startswith("importer.") and use[1].split(".")[1] in stages] == []


def test_nothing_behind_the_face_of_a_package_is_imported_from_outside() -> None:
    """What a package gives to others is in its `__init__`."""
    for module, name in where_used():
        parts = name.split(".")
        if parts[0] == "importer" and len(parts) > 2 and parts[1] in PACKAGES - {parts_of(module)[0]}:
            behind = ROOT.joinpath(*parts[:3])
            is_module = behind.is_dir() or behind.with_suffix(".py").exists()
            assert not is_module, f"{module} imports {name}"


def test_rooms_of_the_workflow_use_those_before_them() -> None:
    """The workflow has rooms of its own, in an order, so that none of them depends on one that depends on it."""
    for module, name in where_used():
        parts, found = parts_of(module), name.split(".")
        if parts[0] != "workflow" or len(parts) == 1:
            continue
        if found[:2] == ["importer", "workflow"] and len(found) > 2 and found[2] != parts[1]:
            assert WORKFLOW_ORDER.index(found[2]) < WORKFLOW_ORDER.index(parts[1]), f"{module} imports {name}"


def test_no_module_depends_on_itself_by_way_of_others() -> None:
    """There is an order of all modules in which each uses only those before it."""
    names = {".".join(("importer", *parts_of(module))): module for module in MODULES}
    graph = {
        name: {used if used in names else used.rpartition(".")[0] for used in used_by(module)} & names.keys() - {name}
        for name, module in names.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def is_room(name: str) -> bool:
    """Tell whether a name below `importer` is a module or a package."""
    return any(name in rooms for rooms in LAYERS)


def test_every_room_has_its_layer() -> None:
    """No module or package of `importer` is outside of the layers, and none of these is left of an earlier layout."""
    assert {parts_of(module)[0] for module in MODULES} == set().union(*LAYERS)
    assert not any(one & other for one, other in pairwise(LAYERS))


def test_modules_have_a_readable_size() -> None:
    """No module has more lines than a person can keep in mind."""
    lines = {module: module.read_text("utf-8").count("\n") for module in MODULES}
    assert {module.name: count for module, count in lines.items() if count > 400} == {}


def test_a_class_name_means_one_thing() -> None:
    """No two classes of the importer have the same name, so that a name read anywhere is enough to find its class."""
    homes: dict[str, list[str]] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(module.relative_to(ROOT).as_posix())
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_no_test_runs_a_loop_where_that_of_the_browser_may_run() -> None:
    """Chromium's driver keeps its loop in the main thread of a worker, whose tests are chance: others need a thread."""
    tests = sorted(Path(__file__).parent.glob("*.py"))
    assert [
        path.name for path in tests if re.search(r"asyncio\.run\(|run_until_complete\(", path.read_text("utf-8"))
    ] == []
