"""A trial: one job with one fault, watched until it is committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.support.checker import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.operator import Operator
    from tests.support.checker import Checker
    from tests.support.site import Site

PATIENCE = 90.0
"""The longest time until a job is committed despite its fault, in seconds; without a fault it takes 3."""

_INTERVAL = 0.02
"""Seconds between two looks at the job."""

_LOOK = """
SELECT j.*, s.epoch, (SELECT count(*) FROM scan_job_batches b WHERE b.job_id = j.id) AS batches,
       (SELECT max(e.id) FROM scan_job_events e WHERE e.job_id = j.id AND e.actor = 'agent') AS agents_step
  FROM scan_jobs j CROSS JOIN scan_agent_status s WHERE j.id = %s
"""
_AGENT_COLUMNS = (
    "epoch",
    "batches",
    "agents_step",
    "error_code",
    "attempts",
    "inbox_path",
    "last_progress_at",
)
"""What the agent writes: one of these changes when the agent goes on after a fault."""


class Trial:
    """Watches a job.

    Args:
        site: the job's.
        job: its id.
        was_hit: says whether the fault has occurred.

    Attributes:
        hit_at: when the fault occurred, in seconds of time.monotonic(); None: not yet.
        recovered_at: when the agent went on after it, in seconds of time.monotonic(); None: not yet.
        violations: what the checker found at each change of the job.
    """

    def __init__(self, site: Site, job: int, was_hit: Callable[[], bool]) -> None:
        self._site, self._job, self._was_hit = site, job, was_hit
        self.hit_at: float | None = None
        self.recovered_at: float | None = None
        self.violations: list[Violation] = []
        self._before: tuple[Any, ...] = ()

    def run(self, operator: Operator, checker: Checker, on_look: Callable[[bool], None]) -> None:
        """Watch the job until it is committed, or for `PATIENCE`.

        Args:
            operator: acts at each look.
            checker: checks at each change.
            on_look: is called at each look, to start a daemon that is dead; with True right after the fault.
        """
        end, before = time.monotonic() + PATIENCE, ""
        while True:
            (row,) = self._site.sql(_LOOK, self._job)
            on_look(self._watch(row))
            now = f"{row['status']} {row['resumes_in']} {row['error_code']}"
            if now != before:
                self.violations += checker.check()
            before = now
            if row["status"] == "committed":
                return
            if time.monotonic() > end:
                still = f"job {self._job} is still {now} after {PATIENCE:g} s: {row['error']}"
                self.violations.append(Violation("T", still))
                return
            operator.act(row)
            time.sleep(_INTERVAL)

    def _watch(self, row: dict[str, Any]) -> bool:
        """Note when the fault occurs and when the agent recovers; True at the first look after the fault."""
        agents = tuple(row[column] for column in _AGENT_COLUMNS)
        if self.hit_at is None:
            if not self._was_hit():
                return False
            self.hit_at, self._before = time.monotonic(), agents
            return True
        if self.recovered_at is None and agents != self._before:
            self.recovered_at = time.monotonic()
        return False
