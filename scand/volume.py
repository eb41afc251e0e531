"""The NAS as a directory that proves itself: no byte is ever written under a bare mountpoint.

An unmounted mountpoint looks like an empty directory. So the root shows two things before anything is done
below it. It lies on another file system than `/` (unless `nas.require_mount` is false; it may lie below the
mountpoint itself). And it holds the marker `.scand-volume` with the id that this installation knows, which
`scand nas init` wrote. Both are asked of the opened descriptor, and everything goes through that: what is
mounted or unmounted at the path meanwhile makes no difference. Below it no symbolic link is followed.
"""

from __future__ import annotations

import errno
import os
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from scand import durable
from scand.errors import BadData, ConfigError, ErrorCode, ScandError, TryAgain, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.access import Access

MARKER = ".scand-volume"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Volume:
    """The NAS, proved and open.

    Args:
        root: what the operator calls it, for sentences only.
        fd: its descriptor.
    """

    def __init__(self, root: Path, fd: int) -> None:
        self.root = root
        self._fd = fd

    @classmethod
    @contextmanager
    def open(cls, root: Path, *, volume_id: str, require_mount: bool) -> Iterator[Volume]:
        """Open the NAS and have it prove itself.

        Args:
            root: `nas.root`. Opening it starts an automount.
            volume_id: what the marker must say.
            require_mount: whether it must be mounted.

        Raises:
            Unavailable: `nas_unavailable` (not there, not mounted, no marker), `nas_wrong_volume`.
        """
        with _opened(root, require_mount=require_mount) as fd:
            with nas_errors(root):
                shown = _marker(fd)
            if not shown:
                raise Unavailable(
                    f"{root} has no {MARKER}: is the NAS mounted there? If it is, and is new to scand, run "
                    f"`scand nas init`.",
                    ErrorCode.NAS_UNAVAILABLE,
                )
            if shown != volume_id:
                raise Unavailable(
                    f"{root} is another volume than the one that scand knows (its {MARKER} says {shown}, not "
                    f"{volume_id}): mount the right one, or make this one scand's with `scand nas init`.",
                    ErrorCode.NAS_WRONG_VOLUME,
                )
            yield cls(root, fd)

    @contextmanager
    def directory(self, relative: str, make: Access | None = None) -> Iterator[int]:
        """The descriptor of a directory below the root.

        Args:
            relative: "PKM/Inbox"; empty for the root itself.
            make: what directories that are missing are made with; None makes none.

        Raises:
            BadData: the path leads out of the volume.
            FileNotFoundError: it is missing, and none is made.
            OSError: anything else; see `nas_errors`.
        """
        fd = os.dup(self._fd)
        try:
            for name in _parts(relative):
                below = _enter(fd, name, make)
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def place(self, relative: str, make: Access | None = None) -> Iterator[tuple[int, str]]:
        """The descriptor of the directory that a path's last component is in, and that component.

        Args and errors are those of `directory`.
        """
        *above, name = _parts(relative) or [""]
        if not name:
            raise BadData(f'"{relative}" names nothing below the NAS root.', ErrorCode.BAD_SETTINGS)
        with self.directory("/".join(above), make) as fd:
            yield fd, name


def init_volume(root: Path, *, require_mount: bool) -> str:
    """Give a volume its marker, or keep the one that it has.

    Returns:
        The volume's id.

    Raises:
        ScandError: it is not mounted, or cannot be written.
    """
    with _opened(root, require_mount=require_mount) as fd, nas_errors(root):
        if not _marker(fd):
            durable.write_atomic(MARKER, f"{uuid.uuid4()}\n".encode(), 0o644, dir_fd=fd)
        return _marker(fd)


@contextmanager
def nas_errors(root: Path) -> Iterator[None]:
    """Say what an OSError from the NAS means and what to do; FileExistsError stays: it means another name.

    Raises:
        TryAgain: `nas_full`.
        ConfigError: `nas_unavailable`, where only the operator can help.
        Unavailable: `nas_readonly`, `nas_unavailable`.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise _meaning(error, root) from error


def _meaning(error: OSError, root: Path) -> ScandError:
    why = error.strerror or str(error)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return TryAgain(f"The NAS at {root} is full ({why}): make room there.", ErrorCode.NAS_FULL)
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return Unavailable(
                f"The NAS at {root} refuses ({why}): mount it read-write, and let scand's user write there.",
                ErrorCode.NAS_READONLY,
            )
        case errno.EXDEV:
            return ConfigError(
                f"nas.staging and the Inbox must lie on one file system below {root}: a document gets from one "
                f"to the other by being renamed.",
                ErrorCode.NAS_UNAVAILABLE,
            )
        case errno.ELOOP | errno.ENOTDIR:
            return ConfigError(
                f"A directory below {root} is a file or a symbolic link ({why}), and scand follows none there: "
                f"write the real path into nas.staging or nas.inbox.",
                ErrorCode.NAS_UNAVAILABLE,
            )
    return Unavailable(
        f"The NAS at {root} does not answer as it should ({why}): see that it is on, and mounted there.",
        ErrorCode.NAS_UNAVAILABLE,
    )


@contextmanager
def _opened(root: Path, *, require_mount: bool) -> Iterator[int]:
    with nas_errors(root):
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if require_mount and not _is_mounted(fd):
            raise Unavailable(
                f"{root} is not mounted: what is there lies on the same file system as /. Mount the NAS, or set "
                f"nas.require_mount = false if this is meant.",
                ErrorCode.NAS_UNAVAILABLE,
            )
        yield fd
    finally:
        os.close(fd)


def _is_mounted(fd: int) -> bool:
    """Whether a directory lies on another file system than `/`.

    A mount of its own would not be enough: systemd's ReadWritePaths= binds the bare mountpoint onto itself,
    and an autofs is mounted while the NAS is not.
    """
    slash = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        device, kind = _mount(fd)
        return bool(device) and kind != "autofs" and device != _mount(slash)[0]
    finally:
        os.close(slash)


def _mount(fd: int) -> tuple[str, str]:
    """Device ("0:39") and type of the file system that a descriptor is in; empty if the mount is not listed.

    Source: proc(5), fdinfo and mountinfo. Unlike a path, the mount's id cannot be mistaken.
    """
    info = dict(line.split(":\t", 1) for line in Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines())
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        mount, source = line.split(" - ", 1)
        number, _parent, device, *_ = mount.split(" ")
        if number == info["mnt_id"]:
            return device, source.split(" ")[0]
    return "", ""


def _marker(fd: int) -> str:
    """What the marker says; empty if there is none."""
    try:
        marker = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
    except FileNotFoundError:
        return ""
    with os.fdopen(marker, "rb") as file:
        return file.read(100).decode(errors="replace").strip()


def _parts(relative: str) -> list[str]:
    parts = [part for part in relative.split("/") if part not in {"", "."}]
    if relative.startswith("/") or ".." in parts or "\0" in relative:
        raise BadData(f'"{relative}" is not a path below the NAS root.', ErrorCode.BAD_SETTINGS)
    return parts


def _enter(parent: int, name: str, make: Access | None) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if make is None:
            raise
    # It appears with its permissions or not at all: nobody could tell later whose a directory with others is.
    part = ".directory.part"
    with suppress(FileExistsError):
        os.mkdir(part, 0o700, dir_fd=parent)
    fd = os.open(part, _DIRECTORY, dir_fd=parent)
    try:
        # What the NAS gave it of its own (set-group-ID, say) it keeps.
        make._replace(mode=make.mode | S_IMODE(os.fstat(fd).st_mode)).apply(fd)
    finally:
        os.close(fd)  # SMB renames nothing that is open
    os.rename(part, name, src_dir_fd=parent, dst_dir_fd=parent)
    durable.sync_directory(parent)
    return os.open(name, _DIRECTORY, dir_fd=parent)
