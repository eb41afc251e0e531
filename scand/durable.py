"""Files that a crash cannot tear: fsync and atomic publication, on a local or a network directory.

A page counts as captured because of what is here, so the semantics are exact:

* A file has its name only once it is complete and on the disk. Until then it is `.<name>.part` beside it,
  which the next attempt removes. One process at a time writes to a given path; the caller sees to that.
* Whatever fails, it raises, and the caller starts again from the source. After a failed fsync the kernel may
  have dropped the very pages it could not write, and a second fsync would report success (the "fsyncgate" of
  2018); so nothing here ever calls fsync twice on the same data.
* EINTR needs no care in Python's own calls (PEP 475), only in the one made through ctypes.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import BufferedRandom
    from pathlib import Path

_RENAME_NOREPLACE = 1  # <linux/fs.h>
_BEHIND = 8 << 20  # bytes


class NoReplaceUnsupported(Exception):
    """This file system or kernel has no RENAME_NOREPLACE (NFS has not)."""


@contextmanager
def whole_file(path: Path | str, mode: int = 0o600, *, dir_fd: int | None = None) -> Iterator[BufferedRandom]:
    """A file to write and read, which appears at `path` when the block ends, whole, or not at all.

    At the end of the block it is flushed, fsynced, closed (and the close checked) and renamed over whatever
    was there; then the directory is fsynced. If the block raises, nothing appears.

    Args:
        path: relative to `dir_fd` if that is given.
        mode: permissions, less the umask.
        dir_fd: an open directory.

    Raises:
        OSError: nothing has appeared; or only the last step, the directory's fsync, failed, and it may not
            outlast a power cut. Either way: write it again.
    """
    parent, name = os.path.split(path)
    part = f".{name}.part"
    with open_directory(parent or ".", dir_fd=dir_fd) as directory:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=directory)  # of a writer that was killed
        try:
            fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=directory)
            with os.fdopen(fd, "w+b") as file:
                yield file
                file.flush()
                os.fsync(fd)
            os.rename(part, name, src_dir_fd=directory, dst_dir_fd=directory)
            sync_directory(directory)
        except BaseException:
            with suppress(OSError):
                os.unlink(part, dir_fd=directory)
            raise


def write_atomic(
    path: Path | str, data: bytes | Iterable[bytes], mode: int = 0o600, *, dir_fd: int | None = None
) -> None:
    """Make `path` hold `data`, whole, fsynced and under its name, or leave it as it was.

    Args and errors are those of `whole_file`.
    """
    with whole_file(path, mode, dir_fd=dir_fd) as file:
        for block in (data,) if isinstance(data, bytes) else data:
            file.write(block)


def append_line(path: Path, line: str) -> None:
    """Append `line` and a newline in UTF-8, fsynced.

    A line counts once it ends in a newline. What a killed writer left of another is cut off first, so that
    the new line is never glued to it; and a line that cannot be written whole is taken back.

    Raises:
        OSError: the line does not count (or, on a broken disk, may not outlast a power cut).
        ValueError: the line itself holds a newline.
    """
    if "\n" in line:
        raise ValueError("a line cannot hold a newline")
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = _end_of_lines(fd)
        try:
            write_all(fd, line.encode() + b"\n")
            os.fsync(fd)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(fd, end)
            raise
    finally:
        os.close(fd)
    if end == 0:  # the first line: the name must outlast a power cut too
        sync_directory(path.parent)


def _end_of_lines(fd: int) -> int:
    """The file's size, after cutting off a torn last line."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        size = os.pread(fd, size, 0).rfind(b"\n") + 1
        os.ftruncate(fd, size)
    return size


def write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte; write(2) may take fewer, last of all on a disk that is just filling up.

    Raises:
        OSError: some may have been written.
    """
    with memoryview(data) as rest:
        done = 0
        while done < len(rest):
            done += os.write(fd, rest[done:])


class WriteBehind:
    """Has the kernel write a file to disk while it grows, so that the fsync at its end has little left to do.

    POSIX_FADV_DONTNEED begins to write what is dirty, and drops only what is clean (Linux, mm/fadvise.c). What
    goes wrong with that writing, the fsync tells.

    Args:
        fd: of a file that is only appended to.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._begun = fd, 0

    def grown(self) -> None:
        """The file may have grown: every few MiB, what is new begins to be written."""
        size = os.fstat(self._fd).st_size
        if size - self._begun >= _BEHIND:
            os.posix_fadvise(self._fd, self._begun, size - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = size


@contextmanager
def open_directory(path: Path | str, *, dir_fd: int | None = None) -> Iterator[int]:
    """A directory's descriptor, to work relative to and to fsync.

    Raises:
        OSError: there is none.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


def sync_directory(directory: Path | str | int) -> None:
    """Make the names in a directory (path or descriptor) outlast a power cut.

    CIFS and some FUSE file systems answer EINVAL: they have no such call, and rename on the server at once.

    Raises:
        OSError: the directory is gone or the disk is broken.
    """
    if not isinstance(directory, int):
        with open_directory(directory) as fd:
            return sync_directory(fd)
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def rename_noreplace(src: str, dst: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
    """Rename within one file system, in one atomic step, never over another file: renameat2(2).

    Python has no call for it. An interrupted call is made again; if it had been carried out all the same, the
    second finds no `src`: whoever gets an error looks at what is there.

    Raises:
        FileExistsError: there is a `dst`; nothing was done.
        NoReplaceUnsupported: not on this file system, C library or kernel; nothing was done.
        OSError: anything else.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        renameat2 = libc.renameat2  # glibc 2.28
    except AttributeError:
        raise NoReplaceUnsupported from None
    while renameat2(src_dir_fd, os.fsencode(src), dst_dir_fd, os.fsencode(dst), _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        if code in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise NoReplaceUnsupported(os.strerror(code))
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code), src, None, dst)
