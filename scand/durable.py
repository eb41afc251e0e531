"""Files that a crash cannot tear: fsync and atomic renames, on a local or a network directory.

A page counts as captured because of the functions here, so what they guarantee is exact:

* A file has its name only once it is complete and on the disk. Until then it is `.<name>.part` in the same
  directory, which the next attempt removes. Only one process at a time may write to a given path; the caller
  makes sure of that.
* Any failure raises, and the caller starts again from the source. After a failed fsync the kernel may have
  dropped the very pages that it could not write, and a second fsync would report success (the "fsyncgate" of
  2018), so nothing here calls fsync twice on the same data.
* Python's own calls repeat themselves after EINTR (PEP 475); only the call made through ctypes has to do it here.
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
_WRITE_BEHIND = 8 << 20  # bytes by which a file grows before they are sent to the disk


class NoReplaceUnsupported(Exception):
    """This file system or kernel has no RENAME_NOREPLACE; NFS, for one, lacks it."""


@contextmanager
def whole_file(path: Path | str, mode: int = 0o600, *, dir_fd: int | None = None) -> Iterator[BufferedRandom]:
    """Open a file to write and read; it appears at `path` when the block ends, whole, or not at all.

    At the end of the block the file is flushed, fsynced, closed (a failing close raises) and renamed over
    whatever was there; then the directory is fsynced. If the block raises, nothing appears.

    Args:
        path: where the file appears; relative to `dir_fd` if that is given.
        mode: permissions, less the umask.
        dir_fd: descriptor of an open directory.

    Yields:
        The file, empty.

    Raises:
        OSError: nothing has appeared; or only the last step, the directory's fsync, failed, and the new name may
            not survive a power cut. In both cases: write the file again.
    """
    parent, name = os.path.split(path)
    part = f".{name}.part"
    with open_directory(parent or ".", dir_fd=dir_fd) as directory:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=directory)  # left by a writer that was killed
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
    """Make `path` hold exactly `data`, fsynced, or leave it as it was.

    Args:
        path: see `whole_file`.
        data: the content, or its parts in order.
        mode: see `whole_file`.
        dir_fd: see `whole_file`.

    Raises:
        OSError: see `whole_file`.
    """
    with whole_file(path, mode, dir_fd=dir_fd) as file:
        for block in (data,) if isinstance(data, bytes) else data:
            file.write(block)


def append_line(path: Path, line: str) -> None:
    """Append `line` and a newline in UTF-8, fsynced.

    A line counts once it ends in a newline. An incomplete last line, left by a writer that was killed, is cut off
    first, so that the new line is never joined to it. A line that cannot be written whole is removed again.

    Raises:
        OSError: the line does not count (or, on a broken disk, may not survive a power cut).
        ValueError: the line itself contains a newline.
    """
    if "\n" in line:
        raise ValueError("a line cannot contain a newline")
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
    if end == 0:  # the first line: the file's name must survive a power cut, too
        sync_directory(path.parent)


def _end_of_lines(fd: int) -> int:
    """Cut off an incomplete last line; returns the file's size in bytes after that."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        size = os.pread(fd, size, 0).rfind(b"\n") + 1
        os.ftruncate(fd, size)
    return size


def write_all(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte: write(2) may take fewer, for instance when the disk is just filling up.

    Raises:
        OSError: part of the data may have been written.
    """
    with memoryview(data) as rest:
        done = 0
        while done < len(rest):
            done += os.write(fd, rest[done:])


class WriteBehind:
    """Makes the kernel write a file to disk while it grows, so that the fsync at its end has little left to do.

    POSIX_FADV_DONTNEED starts writing dirty pages, and drops only clean ones (Linux, mm/fadvise.c). If that
    writing fails, the fsync reports it.

    Args:
        fd: descriptor of a file that is only appended to.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._sent = fd, 0

    def grown(self) -> None:
        """Call this when the file may have grown: every 8 MiB, the new part is sent to the disk."""
        size = os.fstat(self._fd).st_size
        if size - self._sent >= _WRITE_BEHIND:
            os.posix_fadvise(self._fd, self._sent, size - self._sent, os.POSIX_FADV_DONTNEED)
            self._sent = size


@contextmanager
def open_directory(path: Path | str, *, dir_fd: int | None = None) -> Iterator[int]:
    """Open a directory, to work relative to it and to fsync it.

    Yields:
        Its descriptor.

    Raises:
        OSError: there is no such directory.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        yield fd
    finally:
        os.close(fd)


def sync_directory(directory: Path | str | int) -> None:
    """Make the names in a directory (a path or a descriptor) survive a power cut.

    CIFS and some FUSE file systems answer EINVAL: they have no such call, and rename on the server at once.

    Raises:
        OSError: the directory is gone, or the disk is broken.
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

    Python has no function for it. An interrupted call (EINTR) is repeated; if the first had been carried out after
    all, the second finds no `src`. So on an error, the caller looks at what is there.

    Raises:
        FileExistsError: `dst` exists; nothing was done.
        NoReplaceUnsupported: this file system, C library or kernel has no such call; nothing was done.
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
