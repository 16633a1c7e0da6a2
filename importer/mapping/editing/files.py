"""A mapping file as it was read, and its replacement as a whole, unless somebody else has changed it meanwhile."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from importer.errors import MappingChanged, MappingError, MappingFault, UsageError
from importer.messages import _
from importer.system import disk
from importer.system.causes import reason_of
from importer.system.files import open_ordinary

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class MappingOnDisk:
    """The bytes of a mapping file when it was read, None where it does not exist yet."""

    raw: bytes | None

    @classmethod
    def read(cls, path: Path, most: int) -> MappingOnDisk:
        """Read a file, not much more of it than `most` bytes; raises `MappingError` where it cannot be read."""
        try:
            with open_ordinary(path) as file:
                return cls(file.read(most + 1))
        except FileNotFoundError as error:
            message = _("There is no file {path}. Check the name and the folder.", path=path)
            raise MappingError((MappingFault(str(path), 1, 1, "", message),), message) from error
        except OSError as error:
            message = _("the mapping cannot be read: {reason}", reason=reason_of(error))
            raise MappingError((MappingFault(str(path), 1, 1, "", message),)) from error

    def replaced(self, path: Path, text: str) -> MappingOnDisk:
        """Write a text in place of what was read; raises `MappingChanged` where that is not what the file has now."""
        raw = (_BOM if (self.raw or b"").startswith(_BOM) else b"") + text.encode()
        try:
            if self.raw is None:
                _create(path, raw)
            else:
                self._replace(Path(os.path.realpath(path)), raw)
        except FileExistsError as error:
            raise UsageError(
                _("{path} already exists and is not overwritten. Choose another name.", path=path)
            ) from error
        except OSError as error:
            raise UsageError(_("{path} cannot be written: {reason}", path=path, reason=reason_of(error))) from error
        return MappingOnDisk(raw)

    def _replace(self, path: Path, raw: bytes) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            _write(handle, raw)
            with suppress(OSError):  # where the system has no such rights, there are none to keep
                temporary.chmod(path.stat().st_mode)
            if not path.exists() or path.read_bytes() != self.raw:
                raise MappingChanged(
                    _(
                        "{path} was changed by another program since it was opened here, so nothing was written. Open"
                        " it again, and repeat your change.",
                        path=path,
                    )
                )
            disk.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _create(path: Path, raw: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        _write(handle, raw)
    except OSError:
        path.unlink()
        raise


def _write(handle: int, raw: bytes) -> None:
    """Write all of the bytes, have the system put them on the disk, and close the file."""
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
