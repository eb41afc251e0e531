"""Runs many commands as many users in a box, each in its own process, and prints what each said.

Standard input is JSON, a list of [user, [argument, …]]; standard output gets an object a line: `user`,
`arguments`, `status` (negative: the signal it died by), `said` (both streams), `seconds`. The interpreter and
scand's modules are loaded once, and each command is a fork of that: a start of Python takes longer than most
commands do.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import sys
import time
from importlib import import_module
from typing import NoReturn

from scand.cli import COMMANDS, main

ENOUGH = 2.0
"""Seconds for commands that go on until they are stopped; then they get SIGINT, as from Ctrl-C."""

TOO_LONG = 25.0
"""Seconds after which a command hangs, and is killed."""

_STOPPED = {"run", "simulate", "watch", "logs"}


def walk() -> None:
    """Read the list, run each command, and print its result."""
    for place in COMMANDS.values():
        import_module(place.split(":")[0])
    for user, arguments in json.load(sys.stdin):
        sys.stdout.flush()  # otherwise each fork would write the buffer again
        status, said, seconds = run(user, arguments)
        print(json.dumps(dict(user=user, arguments=arguments, status=status, said=said, seconds=seconds)))  # noqa: T201, C408


def run(user: str, arguments: list[str]) -> tuple[int, str, float]:
    """Run one command to its end."""
    begun = time.monotonic()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _be(user, writing, arguments)
    os.close(writing)
    said = b""
    stop_at = begun + (ENOUGH if arguments[0] in _STOPPED else TOO_LONG)
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, stop_at - time.monotonic()))
        if ready:
            piece = os.read(reading, 65536)
            if not piece:
                break
            said += piece
            continue
        gentle = arguments[0] in _STOPPED and time.monotonic() < begun + TOO_LONG
        os.killpg(pid, signal.SIGINT if gentle else signal.SIGKILL)
        stop_at = begun + TOO_LONG
    os.close(reading)
    _, ended = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(ended), said.decode(errors="replace"), time.monotonic() - begun


def _be(user: str, output: int, arguments: list[str]) -> NoReturn:
    """Become the user, and run the command."""
    entry = pwd.getpwnam(user)
    os.setsid()
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(fd, target)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["/usr/local/bin/scand", *arguments]
    status = 1
    try:
        main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - what a person would see as a traceback
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    walk()
