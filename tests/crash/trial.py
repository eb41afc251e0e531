"""One job with one blow on its way: who watches it until it is in the Inbox."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.support.checker import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crash.person import Person
    from tests.support.checker import Checker
    from tests.support.site import Site

PATIENCE = 90.0
"""Seconds for a job to get into the Inbox in spite of all; a clean one takes 3."""

_GLANCE = 0.02
"""Seconds between two looks."""

_LOOK = """
SELECT j.*, s.epoch, (SELECT count(*) FROM scan_job_batches b WHERE b.job_id = j.id) AS batches,
       (SELECT max(e.id) FROM scan_job_events e WHERE e.job_id = j.id AND e.actor = 'agent') AS agents_step
  FROM scan_jobs j CROSS JOIN scan_agent_status s WHERE j.id = %s
"""
_AGENTS = ("epoch", "batches", "agents_step", "error_code", "attempts", "inbox_path", "last_progress_at")
"""What the agent writes: one of these changes when it goes on after a blow."""


class Trial:
    """Watches a job.

    Args:
        site: where.
        job: its id.
        has_struck: whether the blow has been dealt.

    Attributes:
        struck: monotonic() seconds of the blow, or None.
        recovered: monotonic() seconds when the agent went on, or None.
        violations: what the checker found at each change of the job.
    """

    def __init__(self, site: Site, job: int, has_struck: Callable[[], bool]) -> None:
        self._site, self._job, self._has_struck = site, job, has_struck
        self.struck: float | None = None
        self.recovered: float | None = None
        self.violations: list[Violation] = []
        self._at_the_blow: tuple[Any, ...] = ()

    def see_through(self, person: Person, checker: Checker, keep_up: Callable[[bool], None]) -> None:
        """Until it is committed, or patience is at its end.

        Args:
            person: acts at each look.
            checker: looks at each change.
            keep_up: called at each look, to start a daemon that is dead; with True right after the blow.
        """
        end, before = time.monotonic() + PATIENCE, ""
        while True:
            (row,) = self._site.sql(_LOOK, self._job)
            keep_up(self._watch(row))
            now = f"{row['status']} {row['error_code']}"
            if now != before:
                self.violations += checker.check()
            before = now
            if row["status"] == "committed":
                return
            if time.monotonic() > end:
                still = f"job {self._job} is still {now} after {PATIENCE:g} s: {row['error']}"
                self.violations.append(Violation("T", still))
                return
            person.act(row)
            time.sleep(_GLANCE)

    def _watch(self, row: dict[str, Any]) -> bool:
        """Note the blow, and the recovery from it; true in the moment of the blow."""
        agents = tuple(row[column] for column in _AGENTS)
        if self.struck is None:
            if not self._has_struck():
                return False
            self.struck, self._at_the_blow = time.monotonic(), agents
            return True
        if self.recovered is None and agents != self._at_the_blow:
            self.recovered = time.monotonic()
        return False
