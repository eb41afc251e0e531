"""Whose paper may still lie in the scanner's feeder.

A stack that was stopped (a jam, a cancel, a kill) leaves sheets in the feeder, and they look like a new stack.
So before the first sheet of a batch moves, a record in the staging directory says whose it is. It goes when the
feeder says that it is empty. While it is there, no job scans by itself: its document would begin with another's
pages.
Source: docs/design.md "Paper that is left".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand import durable
from scand.spool.records import PaperLeft

if TYPE_CHECKING:
    from pathlib import Path


class Paper:
    """The record of whose paper is in the feeder. One process at a time writes it: the feeder.

    Args:
        path: of the file, absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def put_in(self, job_id: int, seq: int) -> None:
        """A batch is about to move its first sheet.

        Raises:
            OSError: the disk is full or broken.
        """
        left = PaperLeft(job_id=job_id, batch_seq=seq)
        durable.write_atomic(self.path, left.model_dump_json().encode() + b"\n")

    def gone(self) -> None:
        """The feeder says that it is empty.

        Raises:
            OSError: the record is still there.
        """
        self.path.unlink(missing_ok=True)
        durable.sync_directory(self.path.parent)

    def left(self) -> PaperLeft | None:
        """Whose paper may be in the feeder; None: it is empty, or nothing was ever scanned.

        A record that cannot be read counts as somebody's paper.
        """
        try:
            return PaperLeft.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            return PaperLeft()
