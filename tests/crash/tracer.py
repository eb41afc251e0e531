"""strace around one process of a daemon's tree, without a hook in the code.

The daemon is started with another `sys.executable`: a script that starts the children, which it does by that name.
A child that is wanted (its role, and which one of them) is started below strace, every other as it is. With `-D`
strace is nobody's parent: the child keeps its process id, its parent and its death signal.
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

    from tests.crash.blows import Strike
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
_MOST = 12
"""Processes of a role in one job, at most: a clean run has one feeder and one courier."""


class Tracer:
    """Traces the processes of one daemon.

    Args:
        directory: for its script and its records.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir()
        self.executable = directory / "python"
        self.executable.write_text(
            _SCRIPT.format(directory=shlex.quote(str(directory)), python=shlex.quote(sys.executable))
        )
        self.executable.chmod(0o755)

    def forget(self) -> None:
        """Trace nothing, and count the children from 1 again."""
        for path in self._directory.iterdir():
            if path != self.executable:
                path.unlink()

    def record(self) -> None:
        """Record every process from now on."""
        self.forget()
        self._arm(DAEMON, 1, [])
        for role in (FEEDER, COURIER):
            for process in range(1, _MOST):
                self._arm(role, process, [])

    def strike(self, strike: Strike, names: Names) -> None:
        """Strike one process at one step."""
        self.forget()
        step = strike.step
        blow = f"error={strike.error}" if strike.error else "signal=SIGKILL"
        arguments = ["-e", f"inject={step.call}:{blow}:when={step.when}"]
        if step.file is not None:
            arguments += ["-P", names.special(step.file)]
            if step.kind == "fsync":  # how the file was opened, for `synced_again`
                arguments += ["-P", PurePath(names.special(step.file)).name]
        self._arm(step.role, step.process, arguments)

    def daemon(self, arguments: Sequence[str]) -> list[str]:
        """The command that starts the daemon: traced, if that is wanted."""
        command = [sys.executable, "-c", _LAUNCH, str(self.executable), *arguments]
        armed = self._directory / f"{DAEMON}.1"
        if not armed.exists():
            return command
        traced = [*shlex.split(armed.read_text()), *command]
        armed.unlink()  # the next is started as it is
        return traced

    def steps(self, names: Names) -> list[Step]:
        """What was recorded."""
        return [
            step
            for log in sorted(self._directory.glob("*.log"))
            for step in steps(*_process(log), log.read_text().splitlines(), names)
        ]

    def has_struck(self, strike: Strike, names: Names) -> bool:
        """Whether it came to that: at this call the process ended, or it got the error."""
        log = self._log(strike.step.role, strike.step.process)
        text = log.read_text() if log.exists() else ""
        if strike.error is None and "+++ killed by SIGKILL +++" not in text:
            return False
        struck = [
            call for call in calls(text.splitlines()) if (call.injected if strike.error else call.unanswered)
        ]
        return any(strike.step.is_hit_by(call, names) for call in struck)

    def synced_again(self, strike: Strike) -> bool:
        """Whether what failed to be fsynced was once more, and not written anew: a file, or a name in a directory.

        EINTR is no failure: nothing was tried yet, and Python calls again (PEP 475).
        """
        if strike.error == "EINTR":
            return False
        log = self._log(strike.step.role, strike.step.process)
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

    def _arm(self, role: str, process: int, arguments: Sequence[str]) -> None:
        # The daemon's children must not be followed: they are traced by themselves, and what counts is its main
        # thread. The others have threads and no children.
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
