"""The NAS as a directory that proves itself: no byte is ever written under a bare mountpoint.

An unmounted mountpoint looks like an empty directory. So the root shows two things before anything is done
below it. It lies on another file system than `/` (unless `nas.require_mount` is false; it may lie below the
mountpoint itself). And it holds the marker `.scand-volume` with the id that this installation knows, which
`scand nas init` wrote. Both are asked of the opened descriptor, and everything goes through that: what is
mounted or unmounted at the path meanwhile makes no difference. Below it no symbolic link is followed.

Where documents go into the root itself, for a consumer that takes whatever it finds there, the staging directory
lies outside, in the same mount: a rename goes from one to the other. Then the marker lies in it, out of the
consumer's reach, and the root is proved by being in that mount.
"""

from __future__ import annotations

import os
import shlex
import uuid
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

from scand import durable, mounts
from scand.courier.refusals import nas_errors
from scand.errors import BadData, ConfigError, ScandError, Unavailable
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.courier.access import Access

MARKER = ".scand-volume"

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Volume:
    """The NAS, proved and open.

    Args:
        root: what the operator calls it, for sentences only.
        fd: its descriptor.
        outside: the staging directory's descriptor, where that lies outside the root.
    """

    def __init__(self, root: Path, fd: int, outside: tuple[str, int] | None = None) -> None:
        self.root = root
        self._fd, self._outside = fd, outside

    @classmethod
    @contextmanager
    def open(
        cls, root: Path, *, volume_id: str, require_mount: bool, outside: Path | None = None
    ) -> Iterator[Volume]:
        """Open the NAS and have it prove itself.

        Args:
            root: `nas.root`. Opening it starts an automount.
            volume_id: what the marker must say.
            require_mount: whether it must be mounted.
            outside: the staging directory, where that is not a folder below the root.

        Raises:
            Unavailable: `nas_unavailable` (not there, not mounted, no marker), `nas_wrong_volume`.
            ConfigError: `nas_unavailable`: root and staging directory cannot be used together.
        """
        marked = outside or root
        with _opened(root, outside, require_mount=require_mount) as (fd, staging):
            with nas_errors(root):
                shown = _marker(fd if staging is None else staging)
            if not shown:
                raise Unavailable(
                    f"{marked} has no {MARKER}: is the NAS mounted there? If it is, and is new to scand, run "
                    f"`scand nas init`.",
                    ErrorCode.NAS_UNAVAILABLE,
                )
            if shown != volume_id:
                raise Unavailable(
                    f"{marked} is another volume than the one that scand knows (its {MARKER} says {shown}, not "
                    f"{volume_id}): mount the right one, or make this one scand's with `scand nas init`.",
                    ErrorCode.NAS_WRONG_VOLUME,
                )
            yield cls(root, fd, (os.path.relpath(outside, root), staging) if outside and staging else None)

    @contextmanager
    def directory(self, relative: str, make: Access | None = None) -> Iterator[int]:
        """The descriptor of a directory below the root.

        Args:
            relative: "PKM/Inbox"; empty or "." for the root itself; the staging directory outside it, and what is
                below that, by the way there ("../scan-staging/job-42").
            make: what directories that are missing are made with; None makes none.

        Raises:
            BadData: the path leads out of the volume.
            FileNotFoundError: it is missing, and none is made.
            OSError: anything else; see `nas_errors`.
        """
        start, parts = self._start(relative)
        with _descend(start, parts, make) as fd:
            yield fd

    @contextmanager
    def place(self, relative: str, make: Access | None = None) -> Iterator[tuple[int, str]]:
        """The descriptor of the directory that a path's last component is in, and that component.

        Args and errors are those of `directory`.
        """
        start, parts = self._start(relative)
        if not parts:
            raise BadData(f'"{relative}" names nothing below the NAS root.', ErrorCode.BAD_SETTINGS)
        with _descend(start, parts[:-1], make) as fd:
            yield fd, parts[-1]

    def _start(self, relative: str) -> tuple[int, list[str]]:
        """The directory that a path starts from, and the way from there."""
        if self._outside is not None:
            name, fd = self._outside
            if f"{relative}/".startswith(f"{name}/"):
                return fd, _parts(relative[len(name) + 1 :])
        return self._fd, _parts(relative)


def init_volume(root: Path, *, require_mount: bool, outside: Path | None = None) -> str:
    """Give a volume its marker, or keep the one that it has.

    Args:
        root: see `Volume.open`, as for the others.

    Returns:
        The volume's id.

    Raises:
        ScandError: it is not mounted, or cannot be written.
    """
    with _opened(root, outside, require_mount=require_mount) as (top, staging), nas_errors(root):
        fd = top if staging is None else staging
        if not _marker(fd):
            durable.write_atomic(MARKER, f"{uuid.uuid4()}\n".encode(), 0o644, dir_fd=fd)
        return _marker(fd)


@contextmanager
def _opened(root: Path, outside: Path | None, *, require_mount: bool) -> Iterator[tuple[int, int | None]]:
    """The descriptors of the root and of the staging directory, where that lies outside."""
    with ExitStack() as opened:
        fd = opened.enter_context(_open_directory(root, root))
        if require_mount and not mounts.is_mounted(fd):
            raise Unavailable(
                f"{root} is not mounted: what is there lies on the same file system as /. Mount the NAS, or set "
                f"nas.require_mount = false if this is meant.",
                ErrorCode.NAS_UNAVAILABLE,
            )
        staging = None
        if outside is not None:
            staging = opened.enter_context(_open_directory(outside, root))
            _check_beside(root, fd, outside, staging)
        yield fd, staging


@contextmanager
def _open_directory(path: Path, root: Path) -> Iterator[int]:
    try:
        with nas_errors(root):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except ScandError as error:
        if path != root and isinstance(error.__cause__, FileNotFoundError):
            raise Unavailable(
                f"There is no {path}, nas.staging: mount the NAS, or make it: "
                f"sudo install -d -o scand -g scand -m 0750 {shlex.quote(str(path))}",
                ErrorCode.NAS_UNAVAILABLE,
            ) from error
        raise
    try:
        yield fd
    finally:
        os.close(fd)


def _check_beside(root: Path, fd: int, outside: Path, staging: int) -> None:
    """A document gets from the staging directory to the root by being renamed, and nobody finds one in the other.

    Raises:
        ConfigError: they are in different mounts (rename(2), EXDEV, also for two mounts of one file system), or
            one lies in the other by way of a symbolic link.
    """
    if mounts.mount(fd).number != mounts.mount(staging).number:
        raise ConfigError(
            f"nas.staging ({outside}) and nas.root ({root}) are in different mounts, and nothing can be renamed "
            f"from one to the other: choose two directories of one file system; in the unit, let ReadWritePaths= "
            f"name one directory above both.",
            ErrorCode.NAS_UNAVAILABLE,
        )
    inner, outer = Path(f"/proc/self/fd/{staging}").resolve(), Path(f"/proc/self/fd/{fd}").resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise ConfigError(
            f"nas.staging is {inner}, and nas.root {outer}: neither may lie in the other, or whoever empties the "
            f"root finds what nobody has committed.",
            ErrorCode.NAS_UNAVAILABLE,
        )


def _marker(fd: int) -> str:
    """What the marker says; empty if there is none."""
    try:
        marker = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except FileNotFoundError:
        return ""
    with os.fdopen(marker, "rb") as file:
        return file.read(100).decode(errors="replace").strip()


def _parts(relative: str) -> list[str]:
    parts = [part for part in relative.split("/") if part not in {"", "."}]
    if relative.startswith("/") or ".." in parts or "\0" in relative:
        raise BadData(f'"{relative}" is not a path below the NAS root.', ErrorCode.BAD_SETTINGS)
    return parts


@contextmanager
def _descend(start: int, parts: list[str], make: Access | None) -> Iterator[int]:
    fd = os.dup(start)
    try:
        for name in parts:
            below = _enter(fd, name, make)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


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
