"""What is written is whole and stays, on real file systems, whatever fails at whatever instant."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from scand import durable
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated, mount_tmpfs, needs_fuse, needs_mounts
from tests.support.nas_fs import NasFs

OLD, NEW = b"old " * 1000, b"new! " * 2000


def names(directory: Path) -> list[str]:
    """The names in a directory."""
    return sorted(path.name for path in directory.iterdir())


def test_write_atomic_replaces(tmp_path: Path) -> None:
    """A file appears, is replaced by blocks from an iterable, and leaves no other file behind."""
    durable.write_atomic(tmp_path / "f", OLD)
    durable.write_atomic(tmp_path / "f", (b"a", b"b", b""), 0o640)
    assert (tmp_path / "f").read_bytes() == b"ab"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["f"]


def test_what_fails_while_it_is_written_never_appears(tmp_path: Path) -> None:
    """An error in the middle of a write leaves the former file as it was, and no other file."""
    durable.write_atomic(tmp_path / "f", OLD)
    with pytest.raises(ZeroDivisionError):
        durable.write_atomic(tmp_path / "f", (bytes(1 // n) for n in (1, 0)))
    assert (tmp_path / "f").read_bytes() == OLD
    assert names(tmp_path) == ["f"]


def test_a_killed_writer_is_no_obstacle(tmp_path: Path) -> None:
    """The part of a file that a killed writer left is removed by the next writer."""
    (tmp_path / ".f.part").write_bytes(b"torn")
    durable.write_atomic(tmp_path / "f", NEW)
    assert (tmp_path / "f").read_bytes() == NEW
    assert names(tmp_path) == ["f"]


def test_below_a_descriptor(tmp_path: Path) -> None:
    """A path may be relative to an open directory, and may name directories below it."""
    (tmp_path / "d").mkdir()
    with durable.open_directory(tmp_path) as fd:
        durable.write_atomic("d/f", NEW, dir_fd=fd)
    assert (tmp_path / "d/f").read_bytes() == NEW


def write(place: Path) -> None:
    """Replace a file."""
    durable.write_atomic(place / "f", NEW)


def write_at_every_instant(blow: str) -> None:
    """Kill or fail at each instant of a write, then write again."""

    def check(place: Path) -> None:
        if (place / "f").exists():
            assert (place / "f").read_bytes() == NEW
        write(place)
        assert (place / "f").read_bytes() == NEW
        assert names(place) == ["f"]

    count = every_instant({"kill": kill, "fail": fail}[blow], write, check, durable)
    assert count > 20


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_write_atomic_at_every_instant(blow: str) -> None:
    """Whenever a writer is killed or a call fails, the file is whole or not there, and the next try works."""
    isolated(write_at_every_instant, blow)


def append(place: Path) -> None:
    """Append three lines."""
    for line in ("one", "two", "three"):
        durable.append_line(place / "lines", line)


def append_at_every_instant(blow: str) -> None:
    """Kill or fail at each instant of three appends, then append another line."""

    def check(place: Path) -> None:
        durable.append_line(place / "lines", "more")
        *lines, rest = (place / "lines").read_text().split("\n")
        assert rest == ""
        assert lines == [*["one", "two", "three"][: len(lines) - 1], "more"]

    count = every_instant({"kill": kill, "fail": fail}[blow], append, check, durable)
    assert count > 20


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_append_line_at_every_instant(blow: str) -> None:
    """Whenever a writer is killed or a call fails, the lines are those appended before, in order and whole."""
    isolated(append_at_every_instant, blow)


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    """A new line is never joined to the incomplete line that a killed writer left."""
    lines = tmp_path / "lines"
    for torn in ("whole\nto", "to"):
        lines.write_text(torn)
        durable.append_line(lines, "äöü")
        assert lines.read_text() == torn.removesuffix("to") + "äöü\n"


def test_a_line_is_one_line(tmp_path: Path) -> None:
    """A line that contains a newline is refused before anything is written."""
    with pytest.raises(ValueError, match="newline"):
        durable.append_line(tmp_path / "lines", "a\nb")
    assert names(tmp_path) == []


def on_a_full_disk(directory: str) -> None:
    """Fill a disk of 1 MiB, first with a file, then with lines."""
    place = Path(directory)
    mount_tmpfs(place)
    durable.write_atomic(place / "f", OLD)
    with pytest.raises(OSError, match="No space") as caught:
        durable.write_atomic(place / "f", (bytes(1 << 16) for _ in range(100)))
    assert caught.value.errno == errno.ENOSPC
    assert (place / "f").read_bytes() == OLD
    assert names(place) == ["f"]

    line, written = "x" * 3000, 0
    with suppress(OSError):
        for written in range(1000):  # noqa: B007 - how many there were
            durable.append_line(place / "lines", line)
    assert 300 < written < 400
    assert (place / "lines").read_text() == f"{line}\n" * written


@needs_mounts
def test_a_full_disk(tmp_path: Path) -> None:
    """On a full disk, the former file and all lines written so far are there, and no part of another."""
    isolated(on_a_full_disk, tmp_path, mounts=True)


def order_of_calls(directory: str) -> None:
    """Write to a file system that records the calls it gets, and whose fsync then fails."""
    backing, place = Path(directory) / "backing", Path(directory) / "mounted"
    backing.mkdir()
    place.mkdir()
    with NasFs(backing, place) as nas:
        durable.write_atomic(place / "f", OLD)
        steps = ("create", "write", "fsync", "rename", "fsyncdir")
        assert [call for call in nas.calls if call in steps] == list(steps)
        nas.refuses = {"fsync": errno.EIO}
        with pytest.raises(OSError, match="Input/output error"):
            durable.write_atomic(place / "f", NEW)
        with pytest.raises(OSError, match="Input/output error"):
            durable.append_line(place / "lines", "lost")
        assert nas.calls.count("fsync") == 3  # never again for the same data
        nas.refuses = {}
        assert (place / "f").read_bytes() == OLD
        assert (place / "lines").read_bytes() == b""
        assert names(place) == ["f", "lines"]


@needs_fuse
def test_the_order_of_calls(tmp_path: Path) -> None:
    """The data are on the disk before the name, and the name before the call returns; fsync is never repeated."""
    isolated(order_of_calls, tmp_path, mounts=True)


def test_a_directory_that_cannot_be_synced() -> None:
    """EINVAL is no error: CIFS, and here procfs, answer it to fsync on a directory."""
    with pytest.raises(OSError, match="Invalid"), durable.open_directory("/proc/self") as fd:
        os.fsync(fd)
    durable.sync_directory("/proc/self")


def test_rename_noreplace(tmp_path: Path) -> None:
    """A file is moved to a name that is free, and never over another file."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/one").write_text("one")
    (tmp_path / "a/two").write_text("two")
    with durable.open_directory(tmp_path / "a") as a, durable.open_directory(tmp_path / "b") as b:
        durable.rename_noreplace("one", "ö", src_dir_fd=a, dst_dir_fd=b)
        with pytest.raises(FileExistsError):
            durable.rename_noreplace("two", "ö", src_dir_fd=a, dst_dir_fd=b)
        with pytest.raises(FileNotFoundError):
            durable.rename_noreplace("one", "else", src_dir_fd=a, dst_dir_fd=b)
    assert names(tmp_path / "a") == ["two"]
    assert (tmp_path / "b/ö").read_text() == "one"


@pytest.mark.skipif(not os.access("/sys/kernel", os.W_OK), reason="needs a sysfs that may be written")
def test_rename_noreplace_where_there_is_none() -> None:
    """A file system that refuses the flag (sysfs, like NFS) raises an exception of its own."""
    with durable.open_directory("/sys/kernel") as fd, pytest.raises(durable.NoReplaceUnsupported):
        durable.rename_noreplace("uevent_seqnum", "other", src_dir_fd=fd, dst_dir_fd=fd)
