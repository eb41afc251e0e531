"""What an error of the staging disk means: one wording for everybody who writes there."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand.errors import BadData, TryAgain, Unavailable
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn an error of the staging disk into a fault with its sentence; a block or a decorator.

    Raises:
        TryAgain: `staging_full`: the disk, or the user's quota, is full.
        Unavailable: `staging_full`: the disk cannot be read or written.
        BadData: `spool_damaged`: a record (begin.json, pages.jsonl …) is not what scand wrote.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise TryAgain("The staging disk is full: make room there.", ErrorCode.STAGING_FULL) from error
        why = f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
        sentence = f"The staging disk cannot be read or written: {why}."
        raise Unavailable(sentence, ErrorCode.STAGING_FULL) from error
    except ValidationError as error:
        raise BadData(
            f"A record on the staging disk is damaged: {error}. Nothing is deleted.", ErrorCode.SPOOL_DAMAGED
        ) from error
