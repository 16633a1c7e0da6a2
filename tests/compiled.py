"""What SQLAlchemy makes of our statements, made once for all journals of a process: the tests open thousands."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy import Dialect
from sqlalchemy.schema import ExecutableDDLElement

Patch = Callable[[Any, str, Any], object]
"""`setattr`, or one that is undone."""


def compile_once(patch: Patch) -> None:
    """Let every journal use what was compiled for the ones before."""
    create_engine = _engines_that_share()
    for module in ("sqlite_database", "postgres_database", "mark", "watching"):
        patch(importlib.import_module(f"importer.journal.{module}"), "create_engine", create_engine)
    patch(ExecutableDDLElement, "compile", _tables_that_are_known())


def _engines_that_share() -> Callable[..., sqlalchemy.Engine]:
    first = sqlalchemy.create_engine("sqlite://")
    first.connect().close()  # from then on, its dialect knows the version of SQLite
    first.dispose()
    dialects: dict[str, Dialect] = {"sqlite": first.dialect}
    compiled: dict[object, object] = {}

    def create_engine(*arguments: Any, **options: Any) -> sqlalchemy.Engine:  # noqa: ANN401 - passed on
        engine = sqlalchemy.create_engine(*arguments, **options)
        engine.dialect = dialects.setdefault(engine.dialect.name, engine.dialect)  # a part of the keys
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    return create_engine


def _tables_that_are_known() -> Callable[..., object]:
    """Return a function that writes how a table is created, for which SQLAlchemy has no cache itself."""
    afresh, known = ExecutableDDLElement.compile, {}

    def compiled(element: ExecutableDDLElement, **options: Any) -> object:  # noqa: ANN401 - passed on
        what = (type(element), element.element, *options.items())
        if what not in known:
            known[what] = afresh(element, **options)
        return known[what]

    return compiled
