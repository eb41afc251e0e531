"""`[hooks] on_event`: a program that is told, as one JSON object on stdin, what a person should know.

It is never waited for: it runs beside the daemon; after 10 s it is killed, with all that it has started; and its
failure is only logged.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scand.agent.log.events import Event
from scand.wire.child import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_RUN = 10.0
"""Seconds that the program may take."""

_MOST_RUNS = 8
"""Runs at the same time, at most: an event beyond that is not told, and that is logged."""

TOLD_TO_PEOPLE = frozenset(
    {
        Event.BATCH_FAULT,
        Event.JOB_READY_WITH_ERROR,
        Event.JOB_FAILED,
        Event.IDLE_TIMEOUT,
        Event.REFUSED,
        Event.PREVIEW_READY,
        Event.JOB_PARKED,
        Event.COMMITTED,
        Event.NAS_AWAY,
        Event.NAS_BACK,
        Event.SCANNER_MISSING,
        Event.SCANNER_BACK,
        Event.DATABASE_AWAY,
        Event.DATABASE_BACK,
    }
)
"""The events that `hooks.on_event` is told of: those that a person should know."""


class _Run:
    """One run of the program: it leads a process group, with all that it starts."""

    def __init__(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        self.process, self.deadline = process, deadline
        self.over = False

    def ended(self) -> str | None:
        """How the program itself has ended: "" if well; None: it has not, or this was returned before.

        It stays a zombie, so that no other group can get its number before the group is killed.
        """
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if self.over or (found := os.waitid(os.P_PID, self.process.pid, options)) is None:
            return None
        self.over = True
        if found.si_code == os.CLD_EXITED:
            return f"exit status {found.si_status}" if found.si_status else ""
        return f"ended by {_signal(found.si_status)}"

    def kill(self) -> None:
        """Send SIGKILL to the whole group, and reap the program."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _signal(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


class Hooks:
    """The program's runs.

    Args:
        command: `hooks.on_event`, split as a shell does; empty: nothing is run.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self._runs: list[_Run] = []

    def tell(self, event: Mapping[str, Any]) -> str | None:
        """Start the program with an event; return why it could not be started, or None."""
        if not self.command:
            return None
        if sum(not run.over for run in self._runs) >= _MOST_RUNS:
            return f"{_MOST_RUNS} runs of it have not ended yet"
        # A file in memory: the daemon never waits for a program that does not read.
        fd = os.memfd_create("scand-event")
        try:
            os.write(fd, json.dumps(event, default=str, ensure_ascii=False).encode() + b"\n")
            os.lseek(fd, 0, os.SEEK_SET)
            process = subprocess.Popen(
                shlex.split(self.command),
                stdin=fd,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=clean_environment(),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return str(error)
        finally:
            os.close(fd)
        self._runs.append(_Run(process, time.monotonic() + LONGEST_RUN))
        return None

    def running(self) -> int:
        """Number of runs; a run goes on while children of the program may be left, until its deadline."""
        return len(self._runs)

    def reap(self) -> Iterator[str]:
        """Note runs that have ended, kill those past their deadline, and yield a line for each that went wrong.

        What a program has left in the background is killed at the same deadline.
        """
        for run in list(self._runs):
            if why := run.ended():
                yield why
            if time.monotonic() >= run.deadline:
                if not run.over:
                    yield f"it took longer than {LONGEST_RUN:g} s and was killed"
                run.kill()
                self._runs.remove(run)
