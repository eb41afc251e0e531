"""`[hooks] on_event`: a program that is told, as one JSON object on stdin, what a person should know.

It is never waited for: it runs beside the daemon, is killed after 10 s, and its failure is only logged.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from typing import TYPE_CHECKING, Any

from scand.child import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE = 10.0
"""Seconds that the program may take."""

_AT_ONCE = 8
"""Programs that run at the same time; what comes on top is dropped and logged: a hook must not eat the host."""


class Hooks:
    """The program's runs.

    Args:
        command: `hooks.on_event`, split as a shell does; empty: nothing is run.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self._running: list[tuple[subprocess.Popen[bytes], float]] = []

    def tell(self, event: Mapping[str, Any]) -> str | None:
        """Start the program with an event; why it could not be started, or None."""
        if not self.command:
            return None
        if len(self._running) >= _AT_ONCE:
            return f"{_AT_ONCE} runs of it have not ended yet"
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
        self._running.append((process, time.monotonic() + PATIENCE))
        return None

    def reap(self) -> Iterator[str]:
        """Take note of runs that have ended, and end those that take too long; what went wrong, a line each."""
        left = []
        for process, deadline in self._running:
            status = process.poll()
            if status is None and time.monotonic() < deadline:
                left.append((process, deadline))
            elif status is None:
                process.kill()
                left.append((process, float("inf")))
                yield f"it took longer than {PATIENCE:g} s and was killed"
            elif status > 0:
                yield f"exit status {status}"
        self._running = left
