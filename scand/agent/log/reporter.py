"""Tells journal, hook and systemd of events and of how the daemon is."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from scand.agent.log.events import MESSAGES, Event
from scand.agent.log.hooks import TOLD_TO_PEOPLE, Hooks
from scand.jobs.answers import left_out
from scand.jobs.lifecycle import MERGED
from scand.wording import plain
from systemd import daemon  # type: ignore[attr-defined]  # systemd-python has no types

if TYPE_CHECKING:
    from scand.agent.log.journal import Journal
    from scand.jobs.rows import Job


def notify(*lines: str) -> None:
    """Send assignments such as "READY=1" or "STATUS=…", all in one datagram."""
    daemon.notify("\n".join(lines))


STOP_EXTENSION = 10.0
"""Seconds for which systemd is asked to wait longer for the stop, at each turn while a sheet is finished."""


class Reporter:
    """Logs events; those that a person should know of go to the hook, too.

    Args:
        journal: the log.
        hook: `hooks.on_event`.
    """

    def __init__(self, journal: Journal, hook: str) -> None:
        self._journal, self._hooks = journal, Hooks(hook)
        self._status = ""
        self._ready = False
        self._job: Job | None = None

    def looked(self, job: Job | None) -> None:
        """Note the active job as it was last seen: the hook is told its title and pages with its events."""
        self._job = job or self._job

    def configure(self, hook: str) -> None:
        """Take the hook from a config that was read again."""
        self._hooks.command = hook

    def say(self, event: Event, /, **fields: Any) -> None:
        """Log that something happened; never fails, never waits."""
        self._journal.say(event, **fields)
        if event in TOLD_TO_PEOPLE:
            about = {"event": event, "message": MESSAGES[event].worded(fields), "host": socket.gethostname()}
            if why := self._hooks.tell(
                {**about, "at": time.time(), **self._about(fields.get("job")), **fields}
            ):
                self._journal.say(Event.HOOK_FAILED, why=why)

    def _about(self, job_id: object) -> dict[str, Any]:
        """The job's title, pages (the document's, or those of the batches that are kept so far) and what lacks."""
        job = self._job
        if job is None or job.id != job_id:
            return {}
        merged = job.page_count if job.status in MERGED else None
        pages = sum(batch.page_count or 0 for batch in job.kept) if merged is None else merged
        about = {"title": job.title, "pages": pages}
        missing = left_out(job.batches)
        return about | ({"left_out": missing} if missing else {})

    def turn(self, status: str, *, stopping: bool) -> None:
        """Tell systemd that the loop turns. Only the loop calls this: WATCHDOG=1 must stop when the loop is stuck.

        Args:
            status: for STATUS=; the first one also sends READY=1. "": there is none yet.
            stopping: a sheet is still being finished.
        """
        lines = ["WATCHDOG=1"]
        if stopping:
            lines.append(f"EXTEND_TIMEOUT_USEC={STOP_EXTENSION * 1e6:.0f}")
        if status and status != self._status:
            self._status = status
            lines.append(f"STATUS={plain(status)}")
            if not self._ready:
                self._ready = True
                lines.append("READY=1")
        notify(*lines)
        for why in self._hooks.reap():
            self._journal.say(Event.HOOK_FAILED, why=why)

    def reloading(self) -> None:
        """Send RELOADING=1, with MONOTONIC_USEC= as `Type=notify-reload` wants it. Source: sd_notify(3)."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """Send READY=1 again, with the new config or the old one in force."""
        notify("READY=1")

    def stopping(self) -> None:
        """Send STOPPING=1: the daemon was told to stop."""
        notify("STOPPING=1")
