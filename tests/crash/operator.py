"""The operator, who feeds two stacks for a job and does what its `error` asks for."""

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
"""For a job."""

SHEETS = 2
"""In a stack."""

RENAMED = ", seen"
"""What the operator adds to the title of a job in preview, once."""

_FEED_AGAIN_FROM = re.compile(r"feed again from sheet (\d+)")


class Operator:
    """Takes one job to its end, whatever happens, relying only on its status and `error`, as people have to.

    Args:
        site: the job's.
        control: the simulator's control file.
        first: the number of the next new sheet.
    """

    def __init__(self, site: Site, control: Path, first: int) -> None:
        self._site, self._control, self._first = site, control, first
        self._stacks = 0
        self._others: list[int] = []

    def act(self, job: dict[str, Any]) -> None:
        """Do what the job's row asks for, if anything."""
        match job["status"]:
            case "ready" if job["error_code"] == "staged_file_gone":
                self._step(job, "assembling")
            case "ready" if (said := self._asked(job)) and self._feed_again(job, said):
                self._step(job, "scanning")
            case "ready" if self._stacks < STACKS:
                self._feed(str(SHEETS))
                self._stacks += 1
                self._step(job, "scanning")
            case "ready":
                self._turn(job)
                self._step(job, "assembling")
            case "preview" if not job["error_code"] and not job["title"].endswith(RENAMED):
                self._rename(job)
            case "preview" if job["error_code"]:
                self._step(job, "ready")
            case "preview" if not self._others:
                self._others.append(self._site.submit("Another's"))  # so that this one is parked
            case "queued" if job["resumes_in"] == "preview":
                self._step(job, "committing")  # before the scanner is free, so that no idle agent checks
            case "queued":
                self._send_away_others()
            case "failed":
                self._step(job, "queued")
            case _:
                pass

    def _asked(self, job: dict[str, Any]) -> str | None:
        """The sentence about the last fault; that of a job which was queued again is only with its batch."""
        if job["error_code"]:
            return str(job["error"])
        waiting = [batch for batch in self._site.batches(job["id"]) if not batch["answered"]]
        return str(waiting[-1]["error"]) if waiting else None

    def _feed_again(self, job: dict[str, Any], said: str) -> bool:
        """Feed again from the sheet that a sentence names.

        Returns:
            False: the stack has no such sheet, since its last one is safe. Then that was all.
        """
        batches = self._site.batches(job["id"])
        named = _FEED_AGAIN_FROM.search(said)
        before = batches[:-1] if named else batches
        safe = sum(batch["page_count"] for batch in before) // 2
        sheet = safe + (int(named[1]) if named else 1)
        if sheet > self._stacks * SHEETS:
            self._site.sql(
                "UPDATE scan_job_batches SET answered = true WHERE job_id = %s AND NOT answered", job["id"]
            )
            return False
        self._feed(f"from {self._first + sheet - 1}")
        return True

    def _turn(self, job: dict[str, Any]) -> None:
        self._site.sql("UPDATE scan_job_pages SET turn = 90 WHERE job_id = %s AND page = 1", job["id"])

    def _rename(self, job: dict[str, Any]) -> None:
        """Another title, with which the job is merged again."""
        self._site.sql(
            "UPDATE scan_jobs SET title = title || %s WHERE id = %s AND status = 'preview'",
            RENAMED,
            job["id"],
        )

    def _send_away_others(self) -> None:
        """Whoever wanted the scanner has no paper after all."""
        self._site.sql(
            "UPDATE scan_jobs SET status = 'canceled' WHERE id = ANY (%s) AND status IN ('queued', 'ready')",
            self._others,
        )

    def _feed(self, command: str) -> None:
        new = self._control.with_suffix(".new")
        new.write_text(command)
        new.rename(self._control)
        until(lambda: not self._control.exists(), "the sheets are in the feeder")
        time.sleep(0.05)  # the file is removed a moment before the sheets are loaded

    def _step(self, job: dict[str, Any], status: str) -> None:
        self._site.sql(
            "UPDATE scan_jobs SET status = %s WHERE id = %s AND status = %s", status, job["id"], job["status"]
        )
