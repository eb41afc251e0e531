"""Give what scand has made on the NAS to nas.group, where that was set or changed since."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import PurePosixPath
from stat import S_IMODE
from typing import TYPE_CHECKING

from scand.courier.refusals import nas_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scand.courier.access import Access
    from scand.courier.volume import Volume


def regroup(volume: Volume, staging: str, own: Iterable[str], inbox: str, access: Access) -> None:
    """Let the group through the folders of staging and Inbox, and let it read the previews.

    Folders that are another user's stay as they are, and so do documents: they are no longer scand's affair. No
    permission is taken away.

    Args:
        volume: the NAS.
        staging: `nas.staging`.
        own: this installation's folders in it; nobody looks into another's.
        inbox: `nas.inbox`.
        access: who may read documents; without a group, nothing is done.

    Raises:
        ConfigError: scand's user is not in the group.
        ScandError: what `volume.nas_errors` says.
    """
    if access.gid is None:
        return
    with nas_errors(volume.root):
        for relative in _ways(inbox):
            _open_up(volume, relative, access.inbox)
        for relative in _ways(staging):
            _open_up(volume, relative, access.directory)
        for folder in own:
            _open_up(volume, folder, access.directory)
            for job in _names(volume, folder):
                _open_up(volume, f"{folder}/{job}", access.directory)
                for name in _names(volume, f"{folder}/{job}"):
                    _let_read(volume, f"{folder}/{job}/{name}", access)


def _ways(relative: str) -> list[str]:
    """From "PKM/Inbox": "PKM", "PKM/Inbox". A staging directory outside the root has no way from there."""
    parts = PurePosixPath(relative).parts
    if ".." in parts:
        return [relative]
    return ["/".join(parts[: number + 1]) for number in range(len(parts))]


def _names(volume: Volume, relative: str) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError), volume.directory(relative) as fd:
        return _listed(fd)
    return []


def _listed(directory: int) -> list[str]:
    return os.listdir(directory)


def _open_up(volume: Volume, relative: str, access: Access) -> None:
    with suppress(FileNotFoundError, NotADirectoryError), volume.directory(relative) as fd:
        _add(fd, access)


def _let_read(volume: Volume, relative: str, access: Access) -> None:
    with suppress(FileNotFoundError), volume.place(relative) as (directory, name):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        try:
            _add(fd, access)
        finally:
            os.close(fd)


def _add(fd: int, access: Access) -> None:
    state = os.fstat(fd)
    if state.st_uid == os.geteuid():
        access._replace(mode=S_IMODE(state.st_mode) | access.mode).apply(fd)
