"""One question to a child process of its own, for the command line and `doctor`.

Whatever hangs or crashes does so in the child. The caller gets an answer, or a sentence that says why not.
"""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from scand import wire
from scand.errors import BadData, ConfigError, ScandError, TryAgain, Unavailable
from scand.faults import FAULTS, ErrorCode
from scand.wire.child import COURIER, FEEDER, Child, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVER_TIMEOUT = 60.0
"""Seconds of silence after which a driver is taken for hung, where no config says otherwise."""

_Answer = TypeVar("_Answer", bound=BaseModel)
_ERRORS = {kind.exit_status: kind for kind in (BadData, Unavailable, TryAgain, ConfigError)}


def ask_feeder(command: wire.Command, answer: type[_Answer], timeout: float = DRIVER_TIMEOUT) -> _Answer:
    """Ask a feeder, which loads libsane.

    Args:
        command: the question.
        answer: the type of the report that answers it.
        timeout: seconds of silence after which the child is killed.

    Raises:
        ScandError: the feeder refused (its code and sentence), the driver crashed, or nothing was heard in time.
    """
    return _ask(FEEDER, command, answer, timeout)


def ask_courier(command: wire.Command, answer: type[_Answer], timeout: float) -> _Answer:
    """Ask a courier, which goes to the NAS.

    Args:
        command: the question.
        answer: the type of the report that answers it.
        timeout: seconds of silence after which the child is killed.

    Raises:
        ScandError: the courier refused (its code and sentence), crashed, or was not heard in time.
    """
    return _ask(COURIER, command, answer, timeout)


def _ask(module: str, command: wire.Command, answer: type[_Answer], timeout: float) -> _Answer:
    child = Child(module, clean_environment())
    try:
        child.say(command)
        child.socket.shutdown(socket.SHUT_WR)  # the child ends once it has done this
        heard = time.monotonic()
        for report in _reports(child, timeout):
            heard = time.monotonic()
            if isinstance(report, wire.Failed):
                kind = _ERRORS[FAULTS[report.code].exit_status] if report.code else ScandError
                raise kind(report.sentence, report.code, report.offers)
            if isinstance(report, answer):
                return report
    finally:
        child.kill()
        child.ended()
        child.close()
    raise _no_answer(module, timeout, hung=time.monotonic() - heard >= timeout)


def _reports(child: Child, timeout: float) -> Iterator[wire.Report]:
    """The child's reports as they come, until it ends or has been silent for `timeout` seconds."""
    heard, readable = time.monotonic(), set(child.descriptors())
    while (left := heard + timeout - time.monotonic()) > 0:
        ready, _, _ = select.select(readable, [], [], left)
        child.printed()  # discarded, but read: a full pipe would block the driver
        ended = child.pidfd in ready
        for report in child.reports():
            heard = time.monotonic()
            yield report
        readable -= {*child.at_eof()}
        if ended:
            return


def _no_answer(module: str, timeout: float, *, hung: bool) -> ScandError:
    if module == COURIER:
        what = f"has not answered for {timeout:g} s" if hung else "could not be asked: the courier crashed"
        return TryAgain(f"The NAS {what}; see whether the share is mounted.", ErrorCode.NAS_HUNG)
    if hung:
        return TryAgain(
            f"The scanner's driver has said nothing for {timeout:g} s and was stopped: switch the scanner off "
            "and on, and try again.",
            ErrorCode.DRIVER_HUNG,
        )
    debug = "SANE_DEBUG_DLL=3 scanimage -L"
    return Unavailable(
        f"The scanner's driver crashed: see whether {debug!r} does, too, and update the driver.",
        ErrorCode.DRIVER_CRASHED,
    )
