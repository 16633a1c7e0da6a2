"""The walls between the rooms of `importer/`, held by reading every import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = (
    *("text", "messages", "errors", "clock", "hosts", "spelling", "model", "spool", "files", "refusals", "bounds"),
)  # each may use those before it
STAGES = {"source", "mapping", "validation", "identity", "attachments", "payload", "crm", "journal", "report"}
HTTP, SQL, EXCEL, TERMINAL = {"crm", "sandbox"}, {"journal", "sandbox"}, {"source", "report"}, {"cli"}
ROOMS_OF = {
    "requests": HTTP, "urllib3": HTTP, "http": HTTP, "socket": HTTP, "ssl": HTTP,
    "starlette": {"sandbox"}, "uvicorn": {"sandbox"},
    "sqlalchemy": SQL, "sqlite3": SQL,
    "openpyxl": EXCEL, "python_calamine": EXCEL,
    "click": TERMINAL, "tqdm": TERMINAL, "print": TERMINAL,
}  # fmt: skip
MODULES = sorted((ROOT / "importer").rglob("*.py"))


def used_by(module: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, and `print` where it is called."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.relative_to(ROOT).parts[: -node.level] if node.level else ()
            yield from (".".join(filter(None, (*package, node.module, name.name))) for name in node.names)
        elif isinstance(node, ast.Name) and node.id == "print":
            yield node.id


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_module_uses_only_what_its_room_may(module: Path) -> None:
    """Stages share the modules of `SHARED` alone; HTTP, SQL, Excel and the terminal have their rooms."""
    room = module.relative_to(ROOT).with_suffix("").parts[1]
    for name in used_by(module):
        top, _, rest = name.partition(".")
        assert room in ROOMS_OF.get(top, {room}), f"{top} has no place in {room}"
        if top == "importer" and room in {*STAGES, *SHARED}:
            allowed = {*SHARED, room} if room in STAGES else {*SHARED[: SHARED.index(room) + 1]}
            assert rest.split(".")[0] in allowed, f"{room} imports {name}"
