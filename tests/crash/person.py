"""Whoever stands at the scanner, and does what the job says: two stacks, and what has to be fed again."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tests.support.site import until

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.support.site import Site

STACKS = 2
SHEETS = 2
"""In a stack."""

_AGAIN_FROM = re.compile(r"re-feed from sheet (\d+)")


class Person:
    """Sees a job through, whatever happens to it. Trusts `error` and the status, as people have to.

    Args:
        site: where.
        control: the simulator's control file.
        first: the number of the next new sheet.
    """

    def __init__(self, site: Site, control: Path, first: int) -> None:
        self._site, self._control, self._first = site, control, first
        self._stacks = 0

    def act(self, job: dict[str, Any]) -> None:
        """Do what is to be done, if anything is."""
        match job["status"]:
            case "ready" if job["error_code"] == "staged_file_gone":
                self._step(job, "assembling")
            case "ready" if job["error_code"] and self._again(job):
                self._step(job, "scanning")
            case "ready" if self._stacks < STACKS:
                self._feed(str(SHEETS))
                self._stacks += 1
                self._step(job, "scanning")
            case "ready":
                self._step(job, "assembling")
            case "preview":
                self._step(job, "ready" if job["error_code"] else "committing")
            case "failed":
                self._step(job, "queued")
            case _:
                pass

    def _again(self, job: dict[str, Any]) -> bool:
        """Keep what is safe of a batch that ended in a fault, and feed from the sheet that `error` names.

        Returns:
            False: the stack had no such sheet: it had gone through to the last one.
        """
        batches = self._site.batches(job["id"])
        named = _AGAIN_FROM.search(job["error"] or "")
        before = batches[:-1] if named else batches
        safe = sum(batch["page_count"] for batch in before) // 2
        self._site.sql(
            "UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %s AND page_count > 0", job["id"]
        )
        sheet = safe + (int(named[1]) if named else 1)
        if sheet > self._stacks * SHEETS:
            return False
        self._feed(f"from {self._first + sheet - 1}")
        return True

    def _feed(self, wish: str) -> None:
        new = self._control.with_suffix(".new")
        new.write_text(wish)
        new.rename(self._control)
        until(lambda: not self._control.exists(), "the sheets are in the feeder")
        time.sleep(0.05)  # the file is gone a moment before they are

    def _step(self, job: dict[str, Any], status: str) -> None:
        self._site.sql(
            "UPDATE scan_jobs SET status = %s WHERE id = %s AND status = %s", status, job["id"], job["status"]
        )
