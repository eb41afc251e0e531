"""Runs a daemon or one of its children under strace, without a hook in the code.

The daemon's `sys.executable`, with which it starts its children, is a script. The script starts the chosen child
(by role, and which one of them) under strace, and every other child as it is. With `-D`, strace is not the child's
parent, so the child keeps its process id, its parent and its death signal.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

from tests.crash.steps import CALLS, calls, steps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.crash.faults import CallFault
    from tests.crash.steps import Names, Step

DAEMON, FEEDER, COURIER = "daemon", "feeder", "courier"

_SCRIPT = """\
#!/bin/sh
# Arguments: -P -m scand.feeder …
role=${{3#scand.}}
number=$(($(cat {directory}/count.$role 2>/dev/null || echo 0) + 1))
echo $number >{directory}/count.$role
[ ! -e {directory}/$role.$number ] || . {directory}/$role.$number
exec {python} "$@"
"""
_LAUNCH = "import sys; sys.executable = sys.argv.pop(1); from scand.cli import main; main()"
_EVERY = ",".join(call for kind in CALLS.values() for call in kind)
_MAX_PROCESSES = 12
"""The most processes of a role in one job; a clean run has one feeder and one courier."""


class Tracer:
    """Traces the processes of one daemon.

    Args:
        directory: for its script and its records; is made.

    Attributes:
        executable: the script.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self.executable = directory / "python"
        self.executable.write_text(
            _SCRIPT.format(directory=shlex.quote(str(directory)), python=shlex.quote(sys.executable))
        )
        self.executable.chmod(0o755)

    def reset(self) -> None:
        """Trace nothing, and count children from 1 again."""
        for path in self._directory.iterdir():
            if path != self.executable:
                path.unlink()

    def record(self) -> None:
        """Record every process from now on."""
        self.reset()
        self._trace(DAEMON, 1, [])
        for role in (FEEDER, COURIER):
            for process in range(1, _MAX_PROCESSES):
                self._trace(role, process, [])

    def arm(self, fault: CallFault, names: Names) -> None:
        """Inject a fault at its step."""
        self.reset()
        step = fault.step
        effect = f"error={fault.error}" if fault.error else "signal=SIGKILL"
        arguments = ["-e", f"inject={step.call}:{effect}:when={step.when}"]
        if step.file is not None:
            arguments += ["-P", names.special(step.file)]
            if step.kind == "fsync":  # how the file was opened, for `synced_again`
                arguments += ["-P", PurePath(names.special(step.file)).name]
        self._trace(step.role, step.process, arguments)

    def daemon(self, arguments: Sequence[str]) -> list[str]:
        """The command that starts the daemon with these arguments, under strace if it is to be traced."""
        command = [sys.executable, "-c", _LAUNCH, str(self.executable), *arguments]
        armed = self._directory / f"{DAEMON}.1"
        if not armed.exists():
            return command
        traced = [*shlex.split(armed.read_text()), *command]
        armed.unlink()  # the next daemon is started without strace
        return traced

    def steps(self, names: Names) -> list[Step]:
        """The steps that were recorded."""
        return [
            step
            for log in sorted(self._directory.glob("*.log"))
            for step in steps(*_process(log), log.read_text().splitlines(), names)
        ]

    def was_hit(self, fault: CallFault, names: Names) -> bool:
        """Whether the process was killed in the fault's call, or got the error there."""
        log = self._log(fault.step.role, fault.step.process)
        text = log.read_text() if log.exists() else ""
        if fault.error is None and "+++ killed by SIGKILL +++" not in text:
            return False
        hit = [
            call for call in calls(text.splitlines()) if (call.injected if fault.error else call.unanswered)
        ]
        return any(fault.step.is_hit_by(call, names) for call in hit)

    def synced_again(self, fault: CallFault) -> bool:
        """Whether a file or directory was fsynced again after its fsync had failed, without being written again.

        EINTR does not count: nothing was tried yet, and Python itself calls again (PEP 475).
        """
        if fault.error == "EINTR":
            return False
        log = self._log(fault.step.role, fault.step.process)
        lines = log.read_text().splitlines() if log.exists() else []
        failed: str | None = None
        for call in calls(lines):
            if call.injected and call.name in CALLS["fsync"]:
                failed = call.place
            elif failed and call.name in CALLS["fsync"] and call.place == failed:
                return True
            elif (
                failed
                and call.writes
                and call.place
                and failed in {call.place, str(PurePath(call.place).parent)}
            ):
                failed = None
        return False

    def _trace(self, role: str, process: int, arguments: Sequence[str]) -> None:
        # The daemon's children must not be followed: they are traced by themselves, and only the daemon's main
        # thread matters. Its children have threads, but no children.
        follow = [] if role == DAEMON else ["-f"]
        command = ["strace", "-D", *follow, "-y", "-s", "0", "-o", str(self._log(role, process))]
        command += ["-e", f"trace={_EVERY}", *arguments]
        line = shlex.join(command)
        armed = self._directory / f"{role}.{process}"
        armed.write_text(line if role == DAEMON else f'exec {line} {shlex.quote(sys.executable)} "$@"\n')

    def _log(self, role: str, process: int) -> Path:
        return self._directory / f"{role}-{process}.log"


def _process(log: Path) -> tuple[str, int]:
    role, _, process = log.stem.rpartition("-")
    return role, int(process)
