"""Everything that people and programs hear of the daemon: the journal, the hook, systemd."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from scand.agent.log.events import MESSAGES, TOLD_TO_PEOPLE, Event
from scand.agent.log.hooks import Hooks
from scand.wording import plain
from systemd import daemon  # type: ignore[attr-defined]  # systemd-python has no types

if TYPE_CHECKING:
    from scand.agent.log.journal import Journal
    from scand.jobs.rows import Job


def notify(*lines: str) -> None:
    """Send assignments such as "READY=1" or "STATUS=…", all in one datagram."""
    daemon.notify("\n".join(lines))


EXTENSION = 10.0
"""Seconds by which systemd's patience with a stop is extended, again and again, while a sheet is finished."""


class Reporter:
    """Says events; those that a person should know of go to the hook, too.

    Args:
        hook: `hooks.on_event`.
    """

    def __init__(self, journal: Journal, hook: str) -> None:
        self._journal, self._hooks = journal, Hooks(hook)
        self._status = ""
        self._ready = False
        self._job: Job | None = None

    def looked(self, job: Job | None) -> None:
        """The active job as it was last seen: what the hook is told of it beside the event's own fields."""
        self._job = job or self._job

    def configure(self, hook: str) -> None:
        """The config was read again."""
        self._hooks.command = hook

    def say(self, event: Event, /, **fields: Any) -> None:
        """Say that something happened; never fails, never waits."""
        self._journal.say(event, **fields)
        if event in TOLD_TO_PEOPLE:
            about = {"event": event, "message": MESSAGES[event].worded(fields), "host": socket.gethostname()}
            if why := self._hooks.tell(
                {**about, "at": time.time(), **self._about(fields.get("job")), **fields}
            ):
                self._journal.say(Event.HOOK_FAILED, why=why)

    def _about(self, job_id: object) -> dict[str, Any]:
        """The job's title, and its pages: of the document, or of the batches that are kept so far."""
        job = self._job
        if job is None or job.id != job_id:
            return {}
        kept = sum(batch.page_count or 0 for batch in job.kept)
        return {"title": job.title, "pages": kept if job.page_count is None else job.page_count}

    def turn(self, status: str, *, stopping: bool) -> None:
        """Once a turn of the loop, and only from the loop: a loop that is stuck is seen by its silence.

        Args:
            status: for STATUS=; the first one also says READY=1. Empty: nothing can be said yet.
            stopping: a sheet is still being finished.
        """
        lines = ["WATCHDOG=1"]
        if stopping:
            lines.append(f"EXTEND_TIMEOUT_USEC={EXTENSION * 1e6:.0f}")
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
        """RELOADING=1, with the time that newer systemds want to see."""
        notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """Serving again, with the new config or the old one."""
        notify("READY=1")

    def stopping(self) -> None:
        """The daemon was told to stop."""
        notify("STOPPING=1")
