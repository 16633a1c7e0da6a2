"""A simulated CRM under the real CRM's host name, for the files of a released version."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from passage import Passage

from importer.sandbox import RunningSandbox, SandboxConfig

RELEASED = Path(__file__).parent / "released"
SERVER = "crm0001.wolkvox.com"
OPERATION = "demo"


@dataclass(frozen=True)
class Served:
    """A simulated CRM, and the options that reach it as if it were the real one."""

    sandbox: RunningSandbox
    connection: tuple[str, ...]


@contextmanager
def served(folder: Path, config: SandboxConfig | None = None) -> Iterator[Served]:
    """Serve a simulated CRM behind a proxy that ends TLS for any host, so references do not depend on a port."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    def certificate(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    with RunningSandbox(config) as sandbox, Passage(sandbox.url, certificate) as proxy:
        where = ("--server", SERVER, "--operation", OPERATION)
        yield Served(sandbox, (*where, "--proxy", proxy.url, "--ca-file", str(ca_file)))
