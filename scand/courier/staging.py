"""A job's merge on the NAS, for preview: copied there and verified, moved along, removed.

Only files with names that scand makes are removed, and only in the installation's own folder. Where scand 0.1
staged a merge, other installations may have staged theirs: there a file is this job's only if its content is.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scand import durable
from scand.courier.nas_file import copy, exists, holds, meter
from scand.courier.refusals import nas_errors
from scand.jobs.staged import MERGED

if TYPE_CHECKING:
    from scand.courier.access import Access
    from scand.courier.nas_file import Progress
    from scand.courier.volume import Volume
    from scand.jobs.staged import StagedPlace
    from scand.spool.records import Document

_MADE = re.compile(rf"{re.escape(MERGED)}|\.[0-9a-f]{{16}}\.part")
"""What scand names its files in a stay's directory; whatever else is there is somebody's, and stays."""

_NOT_A_DIRECTORY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


def stage(
    volume: Volume, document: Document, place: StagedPlace, *, access: Access, progress: Progress
) -> str | None:
    """Copy a document to the NAS, read it back, and only then give it its name.

    If it is there already, it is only read back. What killed couriers left beside it and what earlier stays of the
    job left is removed, and so is the copy where scand 0.1 staged it.

    Args:
        volume: the NAS.
        document: the merge on local disk.
        place: where to.
        access: who may read it.
        progress: called with (bytes copied and read back, twice the size).

    Returns:
        A former copy that is another document, and so was left; None: there is none.

    Raises:
        BadData: `spool_damaged`: the local file is not the one that was merged. Nothing was staged.
        TryAgain: `verify_failed`, `nas_full`.
        ScandError: what `volume.nas_errors` says.
    """
    advance = meter(progress, 2 * document.size)
    with nas_errors(volume.root), volume.place(place.path, make=access.directory) as (directory, name):
        if not holds(directory, name, document.size, document.sha256, advance):
            _clear(volume, place, keep=place.directory)  # before the copy: it may be what fills the NAS
            _sweep(directory, keep=name)
            copy(document, directory, name, access, advance)
        durable.sync_directory(directory)
        _sweep(directory, keep=name)
        _clear(volume, place, keep=place.directory)
        return _remove_former(volume, place, (document.size, document.sha256))


def adopt(volume: Volume, place: StagedPlace, size: int, sha256: str, *, access: Access) -> None:
    """Move the file that scand 0.1 staged to where it is staged now, if it is this document.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    if place.former is None:
        return
    with nas_errors(volume.root), volume.place(place.path, make=access.directory) as (directory, name):
        with suppress(FileNotFoundError), volume.place(place.former) as (before, former):
            if not exists(directory, name) and holds(before, former, size, sha256):
                os.rename(former, name, src_dir_fd=before, dst_dir_fd=directory)
                durable.sync_directory(before)
        durable.sync_directory(directory)
        _remove_former(volume, place, (size, sha256))


def is_staged(volume: Volume, staged: str) -> bool:
    """Whether there is a file under this path.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root), suppress(FileNotFoundError), volume.place(staged) as (directory, name):
        return exists(directory, name)
    return False


def unstage(volume: Volume, place: StagedPlace, known: tuple[int, str] | None = None) -> str | None:
    """Remove whatever is staged of a job. Nothing there is fine too.

    Args:
        volume: the NAS.
        place: of the job; all its stays.
        known: size and SHA-256 of the merge: a file in the place of scand 0.1 is removed only if it is that.

    Returns:
        What the row names and nobody can prove to be this job's, and so was left; None: there is no such thing.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root):
        _clear(volume, place)
        return _remove_former(volume, place, known) or place.odd


def _clear(volume: Volume, place: StagedPlace, keep: str = "") -> None:
    """Remove what is staged of a job in this installation's folder; one stay's directory is kept."""
    with suppress(FileNotFoundError), volume.directory(place.folder) as folder:
        for stay in filter(place.made, _names(folder)):
            if stay != keep:
                _remove(volume, place.folder, stay, folder)
        durable.sync_directory(folder)


def _remove(volume: Volume, folder: str, name: str, above: int) -> None:
    """Remove what scand made in a directory, and the directory unless there is more in it."""
    try:
        with volume.directory(f"{folder}/{name}") as directory:
            _sweep(directory)
            durable.sync_directory(directory)
        os.rmdir(name, dir_fd=above)
    except OSError as error:  # something not ours; or an NFS client still reads the preview
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, *_NOT_A_DIRECTORY}:
            raise


def _sweep(directory: int, keep: str = "") -> None:
    """Remove the files in a stay's directory that have names of scand's."""
    for name in filter(_MADE.fullmatch, _names(directory)):
        if name != keep:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)


def _names(directory: int) -> list[str]:
    return os.listdir(directory)


def _remove_former(volume: Volume, place: StagedPlace, known: tuple[int, str] | None) -> str | None:
    """Remove the copy that scand 0.1 has staged; its path, if it is there and nobody can prove that it is one."""
    if place.former is None:
        return None
    with suppress(FileNotFoundError):
        with volume.place(place.former) as (directory, name):
            if exists(directory, name):
                if known is None or not holds(directory, name, *known):
                    return place.former
                os.unlink(name, dir_fd=directory)
                durable.sync_directory(directory)
        folder, _, job = str(PurePosixPath(place.former).parent).rpartition("/")
        with volume.directory(folder) as above, suppress(OSError):  # more in it than the copy
            os.rmdir(job, dir_fd=above)
    return None
