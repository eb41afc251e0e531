"""A look at the NAS: can the daemon write there, what is free; for `scand doctor` also who may go where.

It leaves nothing behind: the one file that it makes, to see whether it can, is gone when it answers.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import PurePosixPath
from stat import S_IMODE
from typing import TYPE_CHECKING

from scand import durable, wire
from scand.courier.nas_file import holds, new_part
from scand.courier.refusals import nas_errors
from scand.errors import TryAgain
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from scand.courier.access import Access
    from scand.courier.volume import Volume


def survey(volume: Volume, staging: str, inbox: str, access: Access) -> wire.Surveyed:
    """Snapshot.

    Args:
        volume: the NAS.
        staging: `nas.staging`.
        inbox: `nas.inbox`.
        access: who is to read documents.

    Raises:
        ScandError: what `volume.nas_errors` says: it is read-only, or not for this user.
    """
    with nas_errors(volume.root):
        place, folders = "", []
        for relative in ("", *_ways(staging), *_ways(inbox)):
            with suppress(FileNotFoundError), volume.directory(relative) as fd:
                state = os.fstat(fd)
                folders.append(
                    wire.Folder(
                        path=relative, mode=S_IMODE(state.st_mode), uid=state.st_uid, gid=state.st_gid
                    )
                )
                if relative in _ways(staging):
                    place = relative
        with volume.directory(place) as fd:
            gid, granted = _try_to_write(fd, access)
            room = os.fstatvfs(fd)
        with suppress(FileNotFoundError), volume.directory(inbox) as fd:
            # A consumer watches the Inbox: nothing is tried out there.
            if not os.access(f"/proc/self/fd/{fd}", os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, f"no permission to put documents into {inbox}")
    return wire.Surveyed(free=room.f_bavail * room.f_frsize, gid=gid, folders=tuple(folders), granted=granted)


def check(volume: Volume, staging: str, room: int, access: Access) -> None:
    """Prove that a document can be staged: a file is written and read back, and there is room.

    Args:
        volume: the NAS.
        staging: the installation's own folder, relative to the NAS root; made if it is missing.
        room: bytes that must be free.
        access: who may use a folder that has to be made.

    Raises:
        TryAgain: `nas_full`; `nas_unavailable`: what was read is not what was written.
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root), volume.directory(staging, make=access.directory) as directory:
        free = os.fstatvfs(directory)
        if room > free.f_bavail * free.f_frsize:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        name, content = new_part(), secrets.token_bytes(32)
        try:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
            try:
                durable.write_all(fd, content)
                os.fsync(fd)
            finally:
                os.close(fd)
            if not holds(directory, name, len(content), hashlib.sha256(content).hexdigest()):
                why = f"A file on the NAS at {volume.root} does not read back as it was written."
                raise TryAgain(why, ErrorCode.NAS_UNAVAILABLE)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)


def _ways(relative: str) -> list[str]:
    """From "PKM/Inbox": "PKM", "PKM/Inbox". A staging directory outside the root has no way from there."""
    parts = PurePosixPath(relative).parts
    if ".." in parts:
        return [relative]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def _try_to_write(directory: int, access: Access) -> tuple[int, bool]:
    """Make a file and remove it; the group that it got, and whether it took what the config says."""
    name = new_part()
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        return os.fstat(fd).st_gid, access.apply(fd)
    finally:
        os.close(fd)
        os.unlink(name, dir_fd=directory)
