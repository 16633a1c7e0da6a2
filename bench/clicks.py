"""Send a sheet from the office's page, as a person does who watches it.

`python -m bench.clicks SOURCE MAPPING SERVER JOURNAL`. The page, its browser and the run are one process here, so that
it can be measured beside the command.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import requests

from importer import Connection
from importer.web import RunningPage, listen
from importer.web.memory import Memory
from importer.web.office import OpenSheet


def main(source: Path, mapping: Path, server: str, journal: Path) -> None:
    """Open the sheet, ask for what would be sent, agree to it, and watch until it ended."""
    memory = Memory(journal.with_name("page.json"))
    with RunningPage(listen(0, None), Connection(server, "bench"), journal, memory) as page:
        session = requests.Session()
        session.get(page.address_of(None))
        sheet = page.office.open(source, mapping)
        sheet.job = replace(sheet.job, spot_check=0)  # as in the command that this is compared with
        address = f"{page.address}/sheets/{sheet.id}/send"
        headers = {"Origin": page.address}
        session.post(f"{address}/propose", headers=headers)
        _wait(sheet)
        digest = re.search(r'name="digest" value="([^"]+)"', session.get(address).text)
        session.post(f"{address}/start", data={"digest": digest[1] if digest else ""}, headers=headers)
        threading.Thread(target=lambda: session.get(f"{address}/live").content, daemon=True).start()
        _wait(sheet)
        finished = sheet.sending.state.finished
        sys.exit(finished.exit_status if finished else 70)


def _wait(sheet: OpenSheet) -> None:
    while sheet.sending.is_busy:
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
