"""Copy to the NAS, verify, publish: a document gets into the Inbox once, whole, and never over another.

    merged.pdf ──stage──► .scan-staging/1a2b3c4d/job-42-7/merged.pdf ──publish──► PKM/Inbox/Title.pdf
                copy to a part, read back, rename               read back, rename

What the caller does, so that no kill and no lost reply publishes twice or never (docs/design.md "Publishing"):

1. If there is a record of an attempt, ask `published_already`. If so, it is committed.
2. `choosing.choose_name`, and write the name into the row.
3. `publish`. FileExistsError: somebody took the name meanwhile. NameRefused: the NAS does not take it. Back to 2.

The attempt is on record before the rename. Without a record, a staged file that is gone was removed by somebody
else: nothing was published. After an error, what is there decides, not what the error says: replies get lost.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scand import durable
from scand.courier.attempt import Attempt, forget
from scand.courier.nas_file import exists, holds, meter
from scand.courier.refusals import OF_A_NAME, NameRefused, in_folder, nas_errors
from scand.errors import BadData
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scand.courier.access import Access
    from scand.courier.nas_file import Progress
    from scand.courier.volume import Volume

_REFUSALS = frozenset(
    {
        errno.EEXIST,
        errno.ENOENT,
        errno.EXDEV,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOSPC,
        errno.EDQUOT,
        *OF_A_NAME,
    }
)
"""Errors by which a rename certainly did not take place, if the staged file is there. After others, such as EIO or
ETIMEDOUT, the NAS may carry it out late."""

_SETTLED = 2_000_000_000
"""Nanoseconds after which another change of a directory has another time: FAT counts in steps of two seconds."""


@dataclass(frozen=True, slots=True)
class Published:
    """A document in the Inbox.

    Attributes:
        inbox_path: relative to the NAS root.
        sha256: what the file read back with just before it got that name.
        size: bytes.
        granted: it has the group and the permissions that it was to have.
    """

    inbox_path: str
    sha256: str
    size: int
    granted: bool = True


def publish(
    volume: Volume,
    staged: str,
    inbox_path: str,
    sha256: str,
    *,
    attempt: Path,
    access: Access,
    progress: Progress,
) -> Published:
    """Read the staged file back, then move it into the Inbox by one rename.

    If the very same document lies there under that name, the staged file is removed instead: one file, not two.

    Args:
        volume: the NAS.
        staged: what `stage` was given.
        inbox_path: from `choose_name`, and in the row by now.
        sha256: what the staged file must read back with.
        attempt: where on local disk the attempt is recorded.
        access: who may read it.
        progress: called with (bytes read back, bytes in all).

    Raises:
        BadData: `staged_file_gone`: it is not there, or not the file that was previewed; `place_refused`: the
            folder. Nothing was published.
        NameRefused: the NAS does not take this name. Nothing was published.
        FileExistsError: another file has the name by now. Nothing was published.
        ScandError: what `volume.nas_errors` says. Ask `published_already` before trying again.
    """
    with (
        nas_errors(volume.root),
        staged_file(volume, staged) as (directory, name, size),
        _inbox(volume, inbox_path, access) as (inbox, final),
    ):
        if not holds(directory, name, size, sha256, meter(progress, size)):
            raise _gone(staged)
        now, granted = _grant(directory, name, access)
        changed = os.fstat(inbox).st_mtime_ns
        record = Attempt(
            staged=staged,
            inbox_path=inbox_path,
            sha256=sha256,
            size=size,
            inbox_changed=changed,
            settled=now - changed > _SETTLED,
        )
        record.write(attempt)
        if is_there(inbox, final, size, sha256):
            os.unlink(name, dir_fd=directory)
        else:
            try:
                _move(directory, name, inbox, final)
            except OSError as error:
                if exists(directory, name):
                    if error.errno in _REFUSALS:
                        forget(attempt)
                    if error.errno in OF_A_NAME:
                        raise NameRefused from error
                    with in_folder(_folder(inbox_path)):
                        raise
                # Only the reply was lost, or somebody else has removed the staged file: "there is no such file".
                if not _tookstaged_file(volume, record, unless_changed=error.errno == errno.ENOENT):
                    forget(attempt)
                    raise _gone(staged) from error
        durable.sync_directory(inbox)
        durable.sync_directory(directory)
    return Published(inbox_path, sha256, size, granted)


def published_already(volume: Volume, attempt: Attempt) -> bool:
    """Whether a former `publish` did its work, whatever became of the file since.

    It did if the document is in the Inbox. It did not if the staged file is there, or if the Inbox has not changed
    since. Else the file was renamed under a name that nobody else knows, and a consumer has taken it.

    Args:
        volume: the NAS.
        attempt: what `publish` has recorded.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root):
        # Whoever renamed it may have been killed before the two directories were fsynced.
        with suppress(FileNotFoundError), volume.place(attempt.staged) as (directory, name):
            if exists(directory, name):
                return False
            durable.sync_directory(directory)
        return _tookstaged_file(volume, attempt)


def lies_in(volume: Volume, path: str, size: int, sha256: str) -> bool:
    """Whether a document lies under this path.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root), suppress(FileNotFoundError), volume.place(path) as (directory, name):
        return is_there(directory, name, size, sha256)
    return False


@contextmanager
def staged_file(volume: Volume, staged: str) -> Iterator[tuple[int, str, int]]:
    """Directory, name and size of a staged file."""
    with ExitStack() as opened:
        try:
            directory, name = opened.enter_context(volume.place(staged))
            size = os.stat(name, dir_fd=directory, follow_symlinks=False).st_size
        except FileNotFoundError:
            raise _gone(staged) from None
        yield directory, name, size


@contextmanager
def _inbox(volume: Volume, inbox_path: str, access: Access) -> Iterator[tuple[int, str]]:
    """The folder that a document is to be in, which is made if need be, and its name there."""
    with ExitStack() as opened:
        with in_folder(_folder(inbox_path)):
            place = opened.enter_context(volume.place(inbox_path, make=access.inbox))
        yield place


def _folder(inbox_path: str) -> str:
    return str(PurePosixPath(inbox_path).parent)


def _gone(staged: str) -> BadData:
    return BadData(
        f"{staged} on the NAS is gone, or is not the file that was previewed: reopen the job and finish it "
        f"again.",
        ErrorCode.STAGED_FILE_GONE,
    )


def is_there(inbox: int, name: str, size: int, sha256: str) -> bool:
    """Whether a name in a directory is this document."""
    try:
        return holds(inbox, name, size, sha256)
    except PermissionError:  # somebody else's
        return False


def _grant(directory: int, name: str, access: Access) -> tuple[int, bool]:
    """Let its readers read it; the time by the clock of the NAS, in ns since 1970, and whether they can."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        granted = access.apply(fd)
        return os.fstat(fd).st_ctime_ns, granted
    finally:
        os.close(fd)


def _move(directory: int, name: str, inbox: int, final: str) -> None:
    """The one rename."""
    try:
        durable.rename_noreplace(name, final, src_dir_fd=directory, dst_dir_fd=inbox)
    except durable.NoReplaceUnsupported:
        if exists(inbox, final):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), final) from None
        os.rename(name, final, src_dir_fd=directory, dst_dir_fd=inbox)


def _tookstaged_file(volume: Volume, attempt: Attempt, *, unless_changed: bool = False) -> bool:
    """Whether the recorded rename was carried out, now that the staged file is gone.

    Args:
        volume: the NAS.
        attempt: the record.
        unless_changed: whether an Inbox of which nobody can say whether it has changed counts as unchanged.
    """
    try:
        with volume.place(attempt.inbox_path) as (inbox, name):
            durable.sync_directory(inbox)
            if is_there(inbox, name, attempt.size, attempt.sha256):
                return True
            changed = os.fstat(inbox).st_mtime_ns != attempt.inbox_changed
    except FileNotFoundError:  # somebody has removed the Inbox with all that was in it
        changed = True
    return changed or not (attempt.settled or unless_changed)
