"""What is said of a file that cannot be read."""

from __future__ import annotations

from importer.errors import SourceError
from importer.messages import _, shorten


def password_needed(file: str) -> SourceError:
    """Return the error of a workbook that is encrypted."""
    return SourceError(
        _(
            "{file} is protected by a password. Open it in Excel, remove the password (File > Info > Protect Workbook >"
            " Encrypt with Password) and save it.",
            file=file,
        )
    )


def damaged(file: str, reason: str = "") -> SourceError:
    """Return the error of a workbook that no reader understands, with the reader's own words."""
    return SourceError(
        _(
            "{file} is damaged or incomplete, or written in a way that is not known here ({reason}). Fetch it again, or"
            " open it in Excel, let Excel repair it, and save it as .xlsx.",
            file=file,
            reason=shorten(reason, 120) or _("it ends too early"),
        )
    )
