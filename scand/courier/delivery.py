"""Copy to the NAS, verify, publish: a document gets into the Inbox once, whole, and never over another.

    merged.pdf ──stage──► .scan-staging/job-42/Title.pdf ──publish──► PKM/Inbox/Title.pdf
                copy to a part, read back, rename           read back, rename

What the caller does, so that no kill and no lost reply publishes twice or never (docs/design.md "Publishing"):

1. If the row has an inbox_path, ask `published_already`. If so, it is committed.
2. `choose_name`, and write the name into the row.
3. `publish`. FileExistsError: somebody took the name meanwhile; go back to 2.

Only `publish` takes a file away from its staging name while a row is committing: its absence is the proof that
it was published. After an error, what is there decides, not what the error says: replies get lost.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scand import durable
from scand.courier.file_names import safe_name
from scand.courier.nas_file import PART, copy, exists, holds, new_part
from scand.courier.volume import nas_errors
from scand.errors import BadData
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.courier.access import Access
    from scand.courier.volume import Volume
    from scand.spool.records import Document

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Published:
    """A document in the Inbox.

    Attributes:
        inbox_path: relative to the NAS root.
        sha256: what the file read back with just before it got that name.
        size: bytes.
    """

    inbox_path: str
    sha256: str
    size: int


def stage(volume: Volume, document: Document, staged: str, *, access: Access, progress: Progress) -> None:
    """Copy a document to the NAS, read it back, and only then give it its name.

    If it is there already, it is only read back. A directory "job-…" that it goes into is this job's alone: an
    older merge there is replaced, and what a killed courier or a former title left is removed.

    Args:
        volume: the NAS.
        document: the merge on local disk.
        staged: where to, ".scan-staging/job-42/Title.pdf".
        access: who may read it.
        progress: called with (bytes copied and read back, twice the size).

    Raises:
        BadData: `spool_damaged`: the local file is not the one that was merged. Nothing was staged.
        TryAgain: `verify_failed`, `nas_full`.
        ScandError: what `volume.nas_errors` says.
    """
    advance = _meter(progress, 2 * document.size)
    with nas_errors(volume.root), volume.place(staged, make=access.directory) as (directory, name):
        if not holds(directory, name, document.size, document.sha256, advance):
            _sweep(directory, staged, keep=name)  # before the copy: it may be what fills the NAS
            copy(document, directory, name, access, advance)
        durable.sync_directory(directory)
        _sweep(directory, staged, keep=name)


def choose_name(
    volume: Volume, staged: str, inbox: str, title: str, *, job_id: int, sha256: str, access: Access
) -> str:
    """The path, relative to the NAS root, under which a staged document can now be published.

    "Title.pdf", "Title (2).pdf", …: the first that is free, or that this very document has already (`publish`
    then makes no second file). On a file system without RENAME_NOREPLACE (NFS), where a file that appears
    between look and rename would be overwritten, the name is one that only this job would use: "Title (job
    42).pdf".

    Args:
        volume: the NAS.
        staged: what `stage` was given.
        inbox: a directory, "PKM/Inbox"; made if it is missing.
        title: any text.
        job_id: `scan_jobs.id`.
        sha256: of the document.
        access: who may use an Inbox that has to be made.

    Raises:
        BadData: `staged_file_gone`.
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root):
        with _place(volume, staged) as (directory, _name, size):
            own = "" if _can_refuse_to_replace(directory) else f" (job {job_id})"
        with volume.directory(inbox, make=access.inbox) as directory:
            limit = min(255, os.fstatvfs(directory).f_namemax or 255)  # 143 on eCryptfs
            for number in count(1):
                name = safe_name(title, extra=own + (f" ({number})" if number > 1 else ""), limit=limit)
                if not exists(directory, name) or _is_there(directory, name, size, sha256):
                    break
    return str(PurePosixPath(inbox) / name)


def publish(
    volume: Volume, staged: str, inbox_path: str, sha256: str, *, access: Access, progress: Progress
) -> Published:
    """Read the staged file back, then move it into the Inbox by one rename.

    If the very same document lies there under that name, the staged file is removed instead: one file, not two.

    Args:
        volume: the NAS.
        staged: what `stage` was given.
        inbox_path: from `choose_name`, and in the row by now.
        sha256: what the staged file must read back with.
        access: who may read it.
        progress: called with (bytes read back, bytes in all).

    Raises:
        BadData: `staged_file_gone`: it is not there, or not the file that was previewed. Nothing was published.
        FileExistsError: another file has the name by now. Nothing was published.
        ScandError: what `volume.nas_errors` says. Ask `published_already` before trying again.
    """
    with (
        nas_errors(volume.root),
        _place(volume, staged) as (directory, name, size),
        volume.place(inbox_path, make=access.inbox) as (inbox, final),
    ):
        if not holds(directory, name, size, sha256, _meter(progress, size)):
            raise _gone(staged)
        if _is_there(inbox, final, size, sha256):
            os.unlink(name, dir_fd=directory)
        else:
            _grant(directory, name, access)
            _move(directory, name, inbox, final)
        durable.sync_directory(inbox)
        durable.sync_directory(directory)
    return Published(inbox_path, sha256, size)


def published_already(volume: Volume, staged: str, inbox_path: str) -> bool:
    """Whether a former `publish` with this inbox_path did its work, whatever became of the file since.

    Args:
        volume: the NAS.
        staged: what `publish` was given.
        inbox_path: what `publish` was given.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root):
        # Whoever renamed it may have been killed before the two directories were fsynced.
        with suppress(FileNotFoundError), volume.place(staged) as (directory, name):
            if exists(directory, name):
                return False
            durable.sync_directory(directory)
        with suppress(FileNotFoundError), volume.place(inbox_path) as (directory, _name):
            durable.sync_directory(directory)
    return True


def unstage(volume: Volume, staged: str) -> None:
    """Remove a staged file, what else scand left beside it, and the job's directory. Nothing there is fine too.

    Raises:
        ScandError: what `volume.nas_errors` says.
    """
    job = str(PurePosixPath(staged).parent)
    with nas_errors(volume.root), suppress(FileNotFoundError):
        with volume.directory(job) as directory:
            _sweep(directory, staged)
            durable.sync_directory(directory)
        with volume.place(job) as (above, name):
            try:
                os.rmdir(name, dir_fd=above)
            except OSError as error:  # something not ours, or an NFS client that still reads the preview
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}:
                    raise
            durable.sync_directory(above)


@contextmanager
def _place(volume: Volume, staged: str) -> Iterator[tuple[int, str, int]]:
    """Directory, name and size of a staged file."""
    with ExitStack() as opened:
        try:
            directory, name = opened.enter_context(volume.place(staged))
            size = os.stat(name, dir_fd=directory, follow_symlinks=False).st_size
        except FileNotFoundError:
            raise _gone(staged) from None
        yield directory, name, size


def _gone(staged: str) -> BadData:
    return BadData(
        f"{staged} on the NAS is gone, or is not the file that was previewed: reopen the job and finish it "
        f"again.",
        ErrorCode.STAGED_FILE_GONE,
    )


def _is_there(inbox: int, name: str, size: int, sha256: str) -> bool:
    try:
        return holds(inbox, name, size, sha256)
    except PermissionError:  # somebody else's
        return False


def _can_refuse_to_replace(directory: int) -> bool:
    """Whether the file system has RENAME_NOREPLACE. Only a rename that takes place can tell."""
    here, there = new_part(), new_part()
    try:
        os.close(os.open(here, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory))
        durable.rename_noreplace(here, there, src_dir_fd=directory, dst_dir_fd=directory)
    except durable.NoReplaceUnsupported:
        return False
    finally:
        for name in (here, there):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
    return True


def _grant(directory: int, name: str, access: Access) -> None:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        access.apply(fd)
    finally:
        os.close(fd)


def _move(directory: int, name: str, inbox: int, final: str) -> None:
    """The one rename. An error after which the staged name is gone was only a lost reply."""
    try:
        try:
            durable.rename_noreplace(name, final, src_dir_fd=directory, dst_dir_fd=inbox)
        except durable.NoReplaceUnsupported:
            if exists(inbox, final):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), final) from None
            os.rename(name, final, src_dir_fd=directory, dst_dir_fd=inbox)
    except OSError:
        if exists(directory, name):
            raise


def _sweep(directory: int, staged: str, keep: str = "") -> None:
    """Remove what scand made in a job's staging directory; in any other, the staged file and nothing else."""
    place = PurePosixPath(staged)
    for name in os.listdir(directory) if place.parent.name.startswith("job-") else [place.name]:
        if name != keep and name.endswith((".pdf", PART)):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)


def _meter(progress: Progress, total: int) -> Callable[[int], None]:
    """A function that is given bytes, and reports their sum."""
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done = min(done + size, total)
        progress(done, total)

    return advance
