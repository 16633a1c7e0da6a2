"""Where a journal may lie: on a disk of this machine that nothing synchronises."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

from importer.errors import JournalError
from importer.messages import _

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "fuse.sshfs", "9p", "ncpfs"}
)
_SYNCHRONISED = re.compile(
    r"(onedrive|dropbox|google ?drive|icloud ?drive|mobile documents|cloudstorage|nextcloud|mega(sync)?"
    r"|my drive|mi unidad|meu drive)([ (-].*)?",
    re.IGNORECASE,
)
"""What synchronising programs call their folders, alone or followed by an account: `OneDrive - Company`."""


def refuse_unsafe(path: Path) -> None:
    """Raise JournalError where SQLite cannot keep its word: network drives and synchronised folders, where they show.

    A database that two machines write over a network drive is corrupted sooner or later, and a synchronising program
    may bring back an old copy: either would send cases twice.
    """
    folder = path.resolve().parent  # a link may lead into such a place
    for part in folder.parts:
        if _SYNCHRONISED.fullmatch(part):
            raise JournalError(
                _(
                    "{path}: the journal cannot lie in a synchronised folder ({part}): an older copy could come back"
                    " and cases would be sent twice. Choose a folder of this computer with --journal.",
                    path=path,
                    part=part,
                )
            )
    if str(folder).startswith("\\\\") or _on_network_drive(folder):
        raise JournalError(
            _(
                "{path}: the journal cannot lie on a network drive: SQLite files are damaged there. Choose a folder of"
                " this computer with --journal.",
                path=path,
            )
        )


def _on_network_drive(folder: Path) -> bool:
    """Tell whether the deepest mount above `folder` is a network file system, where the system tells."""
    above = {str(parent) for parent in (folder, *folder.parents)}
    mounts = [mount for mount in psutil.disk_partitions(all=True) if mount.mountpoint in above]
    if not mounts:
        return False
    deepest = max(reversed(mounts), key=lambda mount: len(mount.mountpoint))  # of equal ones the last: it covers them
    return deepest.fstype.casefold() in _NETWORK_FILE_SYSTEMS or "remote" in deepest.opts.split(",")
