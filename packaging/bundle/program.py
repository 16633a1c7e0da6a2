"""What both programs of the bundle begin with: `case-importer`, and `case-importer-web`, which has no console."""

import os
import runpy
import sys
from pathlib import Path

from importer.system.itself import RUN_SCRIPT


def main() -> None:
    """Run the script that this program asks itself for, the page or a command."""
    restore_library_path()
    if sys.argv[1:2] == [RUN_SCRIPT]:
        del sys.argv[:2]
        runpy.run_path(sys.argv[0], run_name="__main__")
    elif Path(sys.executable).stem == "case-importer-web":
        from importer.windowed import main as open_page  # noqa: PLC0415 - slow to import

        open_page()
    else:
        from importer.__main__ import main as carry_out  # noqa: PLC0415 - slow to import

        carry_out()


def restore_library_path() -> None:
    """Let other programs, such as the browser, find the system's libraries and not those of the bundle."""
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)


main()
