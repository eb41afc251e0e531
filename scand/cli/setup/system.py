"""Runs other programs for `scand setup`, as root or as the daemon's user."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from scand.cli.host.people import group_id
from scand.errors import ConfigError, TryAgain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scand.cli.host.people import Person

_PATIENCE = 180.0
"""Seconds for systemctl: the first start makes the embedded database."""


class Said(NamedTuple):
    """How a program ended.

    Attributes:
        status: its exit status.
        text: what it has written to standard output and standard error.
    """

    status: int
    text: str


def run(command: Sequence[str], patience: float = _PATIENCE) -> Said:
    """Run a program as root.

    Args:
        patience: seconds.

    Raises:
        ConfigError: it is not there.
        TryAgain: it does not end.
    """
    return _run(command, None, patience)


def run_as(person: Person, command: Sequence[str], patience: float) -> Said:
    """Run a program as another user, with all groups that this user is in by now. Args and errors: see `run`."""
    return _run(command, person, patience)


def must(command: Sequence[str]) -> None:
    """Run a program as root; it has to succeed.

    Raises:
        ConfigError: it did not; the sentence has its output.
    """
    said = run(command)
    if said.status:
        raise ConfigError(f"`{' '.join(command)}` failed: {said.text or said.status}")


def _run(command: Sequence[str], person: Person | None, patience: float) -> Said:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    groups = None
    if person is not None:
        environment |= {"HOME": person.home, "USER": person.name, "LOGNAME": person.name}
        groups = [gid for name in person.groups if (gid := group_id(name)) is not None]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=environment,
            user=None if person is None else person.uid,
            group=None if person is None else person.gid,
            extra_groups=groups,
        )
    except OSError as error:
        raise ConfigError(f"{command[0]} cannot be run: {error.strerror}.") from error
    try:
        text, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired as error:
        process.kill()  # not waited for: it may be stuck in the kernel, with a NAS that does not answer
        raise TryAgain(f"`{' '.join(command)}` has not ended for {patience:g} s and was stopped.") from error
    return Said(process.returncode, text.strip())
