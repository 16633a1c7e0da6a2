"""What the doctor learnt, as a page that a user can send to us: it names no tenant, and holds no value of one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from importer import text
from importer.crm import without_private
from importer.doctor.probes import PROBES, price
from importer.doctor.words import answers_in_words, remaining, shapes, why_not_learnt
from importer.errors import ReportError
from importer.identity import Scope, tenant_of
from importer.journal_place import Place, folder_of
from importer.messages import _, has_catalogue, language, shown
from importer.system import disk
from importer.system.causes import reason_of
from importer.workflow.tenant_facts import Findings, findings_path

_ENVIRONMENT = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=lambda value: text.clean(value) if type(value) is str else value,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals.update(_=_)


def write_findings(findings: Findings, folder: Path) -> Path:
    """Write what is known about an operation as a page below `folder`, that of the journal, and return its path.

    The page's name says nothing of the tenant. Raises ReportError if it cannot be written.
    """
    known_by = findings_path(folder, findings.tenant, findings.operation)
    path = known_by.with_name(f"doctor-{known_by.stem[-8:]}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
            file.write(findings_page(findings).encode("utf-8", "replace"))
        disk.replace(Path(file.name), path)
    except OSError as error:
        raise ReportError(_("{path} cannot be written: {reason}.", path=path, reason=reason_of(error))) from error
    return path


def known_findings(journal: Place, server: str, operation: str) -> Findings | None:
    """Return what is known about an operation from the files beside a journal; None if nothing is."""
    return Findings.load(folder_of(journal), Scope(tenant_of(server), operation, ""))


def findings_page(findings: Findings) -> str:
    """Return the page."""
    return _ENVIRONMENT.get_template("findings.html").render(
        language=language() if has_catalogue(language()) else "en",
        findings=findings,
        date=shown(findings.when.date()),
        questions=list(_questions(findings)),
        shapes=[(asked, without_private(shape)) for asked, shape in shapes(findings)],
        remaining=remaining(findings),
    )


def _questions(findings: Findings) -> Iterator[dict[str, object]]:
    """Yield what the page shows of each question."""
    for probe in PROBES:
        asked = findings.last_asked(probe.name)
        yield {
            "name": probe.name,
            "question": probe.question,
            "answers": answers_in_words(probe.name, findings),
            "why_not": why_not_learnt(asked.reason) if asked and asked.reason else "",
            "when": shown(asked.when.date()) if asked else "",
            "calls": price([probe]) - 1,
            "traces": probe.traces,
        }
