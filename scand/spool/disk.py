"""What an error of the staging disk means: one wording for everybody who writes there."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scand.errors import ScandError, TryAgain
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn an OSError of the staging disk into the fault `staging_full`; a block or a decorator.

    Raises:
        TryAgain: the disk, or the user's quota, is full.
        ScandError: the disk cannot be read or written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise TryAgain("The staging disk is full: make room there.", ErrorCode.STAGING_FULL) from error
        why = error.strerror or str(error)
        raise ScandError(
            f"The staging disk cannot be read or written: {why}.", ErrorCode.STAGING_FULL
        ) from error
