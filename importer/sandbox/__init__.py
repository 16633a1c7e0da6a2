"""A simulated CRM on loopback: for the demo, for training, and for tests.

It never passes for the real CRM: its page and every answer say what it is, and `docs/sandbox.md` lists what it cannot
know.
"""

from importer.sandbox.app import create_app
from importer.sandbox.config import RecordRules, SandboxConfig, Search, UpdateRules, load_config
from importer.sandbox.demo import show_demo
from importer.sandbox.exchange import Latency
from importer.sandbox.faults import Fault, describe_faults, parse_fault
from importer.sandbox.records import StoredRecord
from importer.sandbox.server import RunningSandbox, serve
from importer.sandbox.store import Store, StoredCase, default_store

__all__ = [
    "Fault",
    "Latency",
    "RecordRules",
    "RunningSandbox",
    "SandboxConfig",
    "Search",
    "Store",
    "StoredCase",
    "StoredRecord",
    "UpdateRules",
    "create_app",
    "default_store",
    "describe_faults",
    "load_config",
    "parse_fault",
    "serve",
    "show_demo",
]
