"""What belongs into the wheel; `make wheel` builds and tries one (wheel_check.py)."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_file_beside_the_code_is_package_data() -> None:
    """Templates, style sheets, catalogues and `py.typed` are installed together with the modules that read them."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    packed = {
        file
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    files = (path for path in (ROOT / "importer").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    beside = {path for path in files if path.suffix != ".py"}
    assert sorted(path.relative_to(ROOT).as_posix() for path in beside - packed) == []


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` is left out of the wheel, although it can be imported in the checkout."""
    folders = {module.parent for module in (ROOT / "importer").rglob("*.py")}
    assert sorted(folder.name for folder in folders if not (folder / "__init__.py").exists()) == []
