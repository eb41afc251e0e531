"""A document that a client has committed by itself: is it where the client says, whole and durable?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scand import durable
from scand.courier.nas_file import holds
from scand.courier.refusals import nas_errors
from scand.errors import BadData
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.courier.volume import Volume


def read_back(volume: Volume, inbox_path: str, sha256: str, *, progress: Callable[[int, int], None]) -> None:
    """Read the document back, and fsync it and its directory.

    Args:
        volume: the NAS.
        inbox_path: where the client says that it is, relative to the NAS root.
        sha256: of the merge that was previewed.
        progress: called with (bytes read back, bytes in all).

    Raises:
        BadData: `not_read_back`: it is not there, or it is another file.
        ScandError: what `volume.nas_errors` says.
    """
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    with nas_errors(volume.root):
        try:
            with volume.place(inbox_path) as (directory, name):
                total = os.stat(name, dir_fd=directory, follow_symlinks=False).st_size
                if holds(directory, name, total, sha256, advance):
                    _sync(directory, name)
                    return
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass
    raise BadData(
        f"A client has committed this document as {inbox_path}, but no file there reads back with its SHA-256.",
        ErrorCode.NOT_READ_BACK,
    )


def _sync(directory: int, name: str) -> None:
    """The bytes may still be in the memory of this host: fsync(2) does not ask for the right to write."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    durable.sync_directory(directory)
