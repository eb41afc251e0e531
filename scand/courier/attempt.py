"""The record of an attempt to publish: on local disk, written before the one rename.

Only what has this record can have been renamed. So a staged file that is gone without one was removed by somebody
else, and is staged again; the row of the job is not asked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from scand import durable
from scand.spool.disk import disk_errors
from scand.spool.records import SpoolRecord

if TYPE_CHECKING:
    from pathlib import Path


class Attempt(SpoolRecord):
    """An attempt to publish.

    Attributes:
        staged: what was to be renamed, relative to the NAS root.
        inbox_path: to what, relative to the NAS root.
        sha256: of the document, 64 hex digits.
        size: bytes.
        inbox_changed: when the Inbox last changed before the rename, in ns, by the clock of the NAS.
        settled: whether that was so long before the rename that the rename must have changed it.
    """

    staged: str
    inbox_path: str
    sha256: str
    size: int
    inbox_changed: int
    settled: bool

    @classmethod
    def read(cls, path: Path, staged: str) -> Self | None:
        """The last attempt to publish this staged file; None: there was none.

        Raises:
            ScandError: `staging_full`: the disk cannot be read.
        """
        with disk_errors(), suppress(FileNotFoundError, ValidationError):
            attempt = cls.model_validate_json(path.read_bytes())
            return attempt if attempt.staged == staged else None
        return None

    def write(self, path: Path) -> None:
        """Make it durable.

        Raises:
            ScandError: `staging_full`: the disk cannot be written. Nothing may be renamed.
        """
        with disk_errors():
            durable.write_atomic(path, self.model_dump_json().encode())


def forget(path: Path) -> None:
    """The rename was refused for certain.

    Raises:
        ScandError: `staging_full`: the disk cannot be written.
    """
    with disk_errors():
        path.unlink(missing_ok=True)
        durable.sync_directory(path.parent)
