"""What one check found, and how a refusal becomes one that failed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable


class Check(NamedTuple):
    """What was found.

    Attributes:
        name: what was looked at.
        detail: what is there, or what is wrong, in a sentence.
        mend: the command that mends it; empty where all is well, or the detail says it already.
        exit_status: of sysexits(3), where it is not ok.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""
    exit_status: int = os.EX_OK


def wrong(name: str, detail: str, mend: str = "", exit_status: int = os.EX_CONFIG) -> Check:
    """A check that failed."""
    return Check(name, ok=False, detail=detail, mend=mend, exit_status=exit_status)


def refused(name: str, error: ScandError, mend: str = "") -> Check:
    """A check that failed, as something was refused."""
    return wrong(name, error.sentence, mend, error.exit_status)


def told(name: str, check: Callable[[], Check]) -> Check:
    """Run a check; one that is refused has failed."""
    try:
        return check()
    except ScandError as error:
        return refused(name, error)
    except psycopg.Error as error:
        return wrong(name, f"The database refuses: {error}".strip(), exit_status=os.EX_UNAVAILABLE)
    except OSError as error:
        return wrong(name, f"This user may not look: {error}.")


def gib(size: int) -> str:
    """Bytes, for people."""
    return f"{size / 2**30:.1f} GiB"
