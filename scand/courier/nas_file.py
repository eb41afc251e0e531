"""One file on the NAS: copied there and proved, looked for, read back past what this host remembers of it."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from scand import durable
from scand.errors import BadData, TryAgain
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.courier.access import Access
    from scand.spool.records import Document

    Advance = Callable[[int], None]
    Progress = Callable[[int, int], None]

PART = ".part"
"""What names end in that hold nothing yet, or no longer."""

_BLOCK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO in an Inbox hangs nobody
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def copy(document: Document, directory: int, name: str, access: Access, advance: Advance) -> None:
    """Copy a document, read the copy back, and only then give it its name, over whatever has it.

    Args:
        document: on local disk.
        directory: a descriptor.
        name: in that directory.
        access: who may read it.
        advance: called with bytes written, then with bytes read back.

    Raises:
        BadData: `spool_damaged`: the document is not what was merged.
        TryAgain: `verify_failed`: the copy is not what was written.
        OSError: the NAS does not take it.
    """
    part = new_part()
    try:
        fd = os.open(part, _CREATE, 0o600, dir_fd=directory)
        with os.fdopen(fd, "wb", buffering=0):
            access.apply(fd)
            behind = durable.WriteBehind(fd)
            for block in _local(document):
                durable.write_all(fd, block)
                behind.grown()
                advance(len(block))
            os.fsync(fd)
        _prove(document, directory, part, advance)
        os.rename(part, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=directory)
        raise


def new_part() -> str:
    """A name for a file that is not whole, which no other process knows.

    A courier that was killed while the NAS hung may have its last call carried out much later. If that is a
    rename, it finds its own part gone, and not another that is being written.
    """
    return f".{secrets.token_hex(8)}{PART}"


def exists(directory: int, name: str) -> bool:
    """Whether a directory has this name, whatever it is.

    Asked by open(2), not stat(2): NFS answers the latter from memory for up to a minute.

    Raises:
        OSError: the file system does not say.
    """
    try:
        os.close(os.open(name, _READ, dir_fd=directory))
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.EACCES, errno.ENXIO}:  # a link, another's file, a socket
            raise
    return True


def holds(directory: int, name: str, size: int, sha256: str, advance: Advance = lambda _: None) -> bool:
    """Whether a directory has a file of this name with this content.

    It is opened afresh, at which NFS and SMB ask their server, and POSIX_FADV_DONTNEED drops what this host has
    of it: what is read is what the server or the disk has.

    Args:
        directory: a descriptor.
        name: of a file; a symbolic link or a directory of that name is not it.
        size: bytes.
        sha256: of the content.
        advance: called with bytes read.

    Raises:
        OSError: it cannot be read.
    """
    try:
        fd = os.open(name, _READ, dir_fd=directory)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ELOOP}:
            raise
        return False
    try:
        state = os.fstat(fd)
        if not S_ISREG(state.st_mode) or state.st_size != size:
            return False
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        digest = hashlib.sha256()
        for block in _blocks(fd):
            digest.update(block)
            advance(len(block))
        return digest.hexdigest() == sha256
    finally:
        os.close(fd)


def _prove(document: Document, directory: int, part: str, advance: Advance) -> None:
    if not holds(directory, part, document.size, document.sha256, advance):
        if why := _damage(document):
            raise _spool_damaged(document, why)
        raise TryAgain(
            f"The copy of {document.path} on the NAS does not read back as it was written.",
            ErrorCode.VERIFY_FAILED,
        )


def _local(document: Document) -> Iterator[memoryview]:
    """The blocks of a document on local disk, as they are: what they become is read back from the copy.

    Raises:
        BadData: `spool_damaged`: they cannot be read.
    """
    try:
        with Path(document.path).open("rb", buffering=0) as file:
            yield from _blocks(file.fileno())
    except OSError as error:
        raise _spool_damaged(document, error.strerror or str(error)) from error


def _damage(document: Document) -> str | None:
    """Why a document on local disk cannot be used, in words, or None."""
    try:
        with Path(document.path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != document.sha256:
                return "it is not what was merged"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _spool_damaged(document: Document, why: str) -> BadData:
    return BadData(
        f"{document.path} cannot be used ({why}): assemble the job again.", ErrorCode.SPOOL_DAMAGED
    )


def _blocks(fd: int) -> Iterator[memoryview]:
    """A file's bytes, a MiB at a time, each in the same memory as the one before."""
    buffer = memoryview(bytearray(_BLOCK))
    while size := os.readv(fd, [buffer]):
        yield buffer[:size]


def meter(progress: Progress, total: int) -> Callable[[int], None]:
    """A function that is given bytes, and reports their sum."""
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done = min(done + size, total)
        progress(done, total)

    return advance
