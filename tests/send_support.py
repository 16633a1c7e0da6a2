"""A person at the page Send, without a browser: forms as they are sent, and pages as they are read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import requests
from run_support import Office

from importer import EventInterface, load_job, run
from importer.sandbox import RunningSandbox
from importer.web import RunningPage

FIELD = re.compile(r'name="(q-[0-9a-f]{12})" value="([^"]*)"')
DIGEST = re.compile(r'name="digest" value="([^"]*)"')


@dataclass
class Clerk:
    """Somebody at the page Send of one sheet."""

    page: RunningPage
    office: Office
    crm: RunningSandbox
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        """Come in, and open the sheet."""
        self.session.trust_env = False
        self.session.get(self.page.address_of(None))
        self.sheet = self.page.office.open(self.office.source, self.office.mapping)

    def address(self, *where: str) -> str:
        """Return an address of the sheet's page Send."""
        return "/".join((self.page.address, "sheets", self.sheet.id, "send", *where))

    def look(self, *where: str) -> str:
        """Return the page."""
        return self.session.get(self.address(*where), timeout=10).text

    def click(self, what: str, **form: str) -> requests.Response:
        """Send a form, and follow where it leads."""
        return self.session.post(self.address(what), data=form, headers={"Origin": self.page.address}, timeout=10)

    def until(self, is_so: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something is so."""
        limit = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < limit, f"still not so: {self.sheet.sending.state}"
            time.sleep(0.02)

    def settled(self) -> str:
        """Wait until nothing goes on, and return the page."""
        self.until(lambda: not self.sheet.sending.is_busy and self.sheet.checker.now().is_current)
        return self.look()

    def proposal(self, **form: str) -> str:
        """Ask for what would be sent, and return the page that shows it, or asks."""
        self.click("propose", **(form or {"again": "yes"}))
        return self.settled()

    def digest(self) -> str:
        """Return the digest on the page that is shown."""
        found = DIGEST.search(self.look())
        assert found, self.look()
        return found[1]

    def answers(self) -> dict[str, list[str]]:
        """Return the answers that the page offers, by the names of their fields."""
        offered: dict[str, list[str]] = {}
        for name, value in FIELD.findall(self.look()):
            offered.setdefault(name, []).append(value)
        return offered

    def sent(self) -> None:
        """Have the sheet sent as it is, where the page is not what is tested."""
        loaded = load_job(replace(self.page.office.job_of(self.sheet), first_run=True))
        run(loaded, EventInterface(agrees=True))

    def send(self) -> str:
        """Agree to what is shown, and return the page after the end."""
        self.click("start", digest=self.digest())
        return self.settled()
