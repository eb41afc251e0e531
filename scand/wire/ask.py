"""One question to a child of its own, for the command line and `doctor`.

Whatever hangs or crashes does it in the child. There is an answer, or a sentence that says why there is none.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, TypeVar

from scand import wire
from scand.errors import BadData, ConfigError, ScandError, TryAgain, Unavailable
from scand.faults import FAULTS, ErrorCode
from scand.wire.child import COURIER, FEEDER, Child, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel


PATIENCE = 60.0
"""Seconds of silence after which a driver is taken for hung, where no config says otherwise."""

_Answer = TypeVar("_Answer", bound="BaseModel")


def ask_feeder(command: wire.Command, answer: type[_Answer], patience: float = PATIENCE) -> _Answer:
    """Ask libsane.

    Args:
        command: the question.
        answer: the report that answers it.
        patience: seconds of silence.

    Raises:
        ScandError: it cannot be done; or the driver crashed, or says nothing.
    """
    return _ask(FEEDER, command, answer, patience)


def ask_courier(command: wire.Command, answer: type[_Answer], patience: float) -> _Answer:
    """Ask the NAS; as `ask_feeder`."""
    return _ask(COURIER, command, answer, patience)


def _ask(role: str, command: wire.Command, answer: type[_Answer], patience: float) -> _Answer:
    heard = time.monotonic()
    for report in ask(role, command, clean_environment(), patience):
        heard = time.monotonic()
        if isinstance(report, wire.Failed):
            kind = _KINDS[FAULTS[report.code].exit_status] if report.code else ScandError
            raise kind(report.sentence, report.code, report.offers)
        if isinstance(report, answer):
            return report
    hung = time.monotonic() - heard >= patience
    raise _no_answer(role, patience, hung=hung)


def _no_answer(role: str, patience: float, *, hung: bool) -> ScandError:
    if role == COURIER:
        said = f"has not answered for {patience:g} s" if hung else "could not be asked: the courier crashed"
        return TryAgain(f"The NAS {said}; see whether the share is mounted.", ErrorCode.NAS_HUNG)
    if hung:
        return TryAgain(
            f"The scanner's driver has said nothing for {patience:g} s and was stopped: switch the scanner off "
            "and on, and try again.",
            ErrorCode.DRIVER_HUNG,
        )
    debug = "SANE_DEBUG_DLL=3 scanimage -L"
    return Unavailable(
        f"The scanner's driver crashed: see whether {debug!r} does, too, and update the driver.",
        ErrorCode.DRIVER_CRASHED,
    )


_KINDS = {kind.exit_status: kind for kind in (BadData, Unavailable, TryAgain, ConfigError)}


def ask(module: str, command: BaseModel, environ: Mapping[str, str], timeout: float) -> Iterator[wire.Report]:
    """One command to a child of its own, its reports one by one until it ends. For the command line.

    Args:
        module: `scand.feeder` or `scand.courier`.
        command: what to do.
        environ: the child's environment.
        timeout: seconds of silence after which the child is killed; the reports simply end then.
    """
    import select  # noqa: PLC0415 - the daemon has its own selector and never comes here

    child = Child(module, environ)
    try:
        child.say(command)
        child.socket.shutdown(socket.SHUT_WR)  # when it has done that, it may go
        heard, open_ = time.monotonic(), set(child.descriptors())
        while (left := heard + timeout - time.monotonic()) > 0:
            readable, _, _ = select.select(open_, [], [], left)
            child.printed()
            gone = child.pidfd in readable
            for report in child.reports():
                heard = time.monotonic()
                yield report
            open_ -= {*child.silent()}
            if gone:
                return
    finally:
        child.kill()
        child.ended()
        child.close()
