"""The NAS proves itself before a byte is written, and nothing gets out of it."""

from __future__ import annotations

import errno
import grp
import os
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from scand import durable
from scand.courier import access, volume
from scand.courier.access import Access
from scand.courier.refusals import nas_errors
from scand.courier.volume import MARKER, Volume, init_volume
from scand.errors import BadData, ConfigError, ScandError, TryAgain, Unavailable
from scand.faults import ErrorCode
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated, mount_tmpfs, needs_mounts

READABLE = Access(0o640)


@pytest.fixture
def volume_id(tmp_path: Path) -> str:
    """The id of a volume in tmp_path."""
    return init_volume(tmp_path, require_mount=False)


def code_of(root: Path, volume_id: str, *, require_mount: bool = False) -> ErrorCode | None:
    """Why a volume cannot be opened."""
    with (
        pytest.raises(Unavailable) as caught,
        Volume.open(root, volume_id=volume_id, require_mount=require_mount),
    ):
        pass
    return caught.value.code


def everything(root: Path) -> list[str]:
    """All that is below a directory."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_marker_is_made_once(tmp_path: Path) -> None:
    """The marker holds a new UUID, and `nas init` on a volume that has one gives it back."""
    volume_id = init_volume(tmp_path, require_mount=False)
    assert str(UUID(volume_id)) == volume_id
    assert (tmp_path / MARKER).read_text() == f"{volume_id}\n"
    assert init_volume(tmp_path, require_mount=False) == volume_id
    assert everything(tmp_path) == [MARKER]


def test_what_does_not_prove_itself_is_not_opened(tmp_path: Path, volume_id: str) -> None:
    """No directory, no marker, another marker, a marker that is a link: each is told apart, nothing is written."""
    with Volume.open(tmp_path, volume_id=volume_id, require_mount=False):
        pass
    assert code_of(tmp_path / "nowhere", volume_id) is ErrorCode.NAS_UNAVAILABLE
    assert code_of(tmp_path, "another") is ErrorCode.NAS_WRONG_VOLUME
    empty = tmp_path / "empty"
    empty.mkdir()
    assert code_of(empty, volume_id) is ErrorCode.NAS_UNAVAILABLE
    (empty / MARKER).write_text("")
    assert code_of(empty, volume_id) is ErrorCode.NAS_UNAVAILABLE
    assert everything(empty) == [MARKER]


def test_a_bare_directory_is_not_mounted(tmp_path: Path, volume_id: str) -> None:
    """A directory on the same file system as / is refused where a mount is required, marker or not."""
    if tmp_path.stat().st_dev != Path("/").stat().st_dev:
        pytest.skip("the temporary directory is a mount of its own here")
    assert code_of(tmp_path, volume_id, require_mount=True) is ErrorCode.NAS_UNAVAILABLE
    with pytest.raises(Unavailable):
        init_volume(tmp_path, require_mount=True)


def with_mounts(directory: str) -> None:
    """Mount, unmount and exchange the NAS."""
    root = Path(directory)
    mount_tmpfs(root)
    volume_id = init_volume(root, require_mount=True)
    (root / "below").mkdir()
    below_id = init_volume(root / "below", require_mount=True)
    with Volume.open(root / "below", volume_id=below_id, require_mount=True):
        pass  # not the mountpoint itself, but mounted

    with Volume.open(root, volume_id=volume_id, require_mount=True) as opened:
        subprocess.run(("umount", "--lazy", str(root)), check=True)
        with opened.directory("PKM/Inbox", make=READABLE) as fd:
            os.close(os.open("file", os.O_CREAT, dir_fd=fd))
        assert everything(root) == []  # what was written is on the volume, not under the mountpoint
    assert code_of(root, volume_id, require_mount=True) is ErrorCode.NAS_UNAVAILABLE
    assert code_of(root, volume_id, require_mount=False) is ErrorCode.NAS_UNAVAILABLE

    # systemd's ReadWritePaths= binds the bare mountpoint onto itself: a mount, and still bare.
    subprocess.run(("mount", "--bind", str(root), str(root)), check=True)
    assert code_of(root, volume_id, require_mount=True) is ErrorCode.NAS_UNAVAILABLE
    mount_tmpfs(root)
    init_volume(root, require_mount=True)
    assert code_of(root, volume_id, require_mount=True) is ErrorCode.NAS_WRONG_VOLUME


@needs_mounts
def test_mounted_unmounted_exchanged(tmp_path: Path) -> None:
    """What is opened stays that volume when it is unmounted, and nothing is ever written under the mountpoint."""
    isolated(with_mounts, tmp_path, mounts=True)


def read_only(directory: str) -> None:
    """Use a NAS that is mounted read-only, and one that is full."""
    root = Path(directory)
    mount_tmpfs(root)
    volume_id = init_volume(root, require_mount=True)
    subprocess.run(("mount", "-o", "remount,ro", str(root)), check=True)
    with Volume.open(root, volume_id=volume_id, require_mount=True) as opened:
        with pytest.raises(ScandError) as caught, nas_errors(root), opened.directory("Inbox", make=READABLE):
            pass
        assert caught.value.code is ErrorCode.NAS_READONLY
    mount_tmpfs(root)
    subprocess.run(("mount", "-o", "remount,ro", str(root)), check=True)
    with pytest.raises(ScandError) as caught:
        init_volume(root, require_mount=True)
    assert caught.value.code is ErrorCode.NAS_READONLY


@needs_mounts
def test_read_only(tmp_path: Path) -> None:
    """A NAS that is mounted read-only is told as that."""
    isolated(read_only, tmp_path, mounts=True)


def make_directories(place: Path) -> None:
    """Mark a volume and make directories on it."""
    volume_id = init_volume(place, require_mount=False)
    with Volume.open(place, volume_id=volume_id, require_mount=False) as opened:
        for path in ("a/b", "a/c"):
            with opened.directory(path, make=READABLE.directory):
                pass


def make_at_every_instant(blow: str) -> None:
    """Strike at each instant of this, then do it again."""

    def check(place: Path) -> None:
        marker = (place / MARKER).read_text() if (place / MARKER).exists() else ""
        make_directories(place)
        assert (place / MARKER).read_text().startswith(marker)
        assert everything(place) == [MARKER, "a", "a/b", "a/c"]
        assert {path.stat().st_mode & 0o777 for path in place.rglob("*") if path.is_dir()} == {0o750}

    modules = (access, durable, volume)
    count = every_instant({"kill": kill, "fail": fail}[blow], make_directories, check, *modules)
    assert count > 100


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_every_instant(blow: str) -> None:
    """Whenever scand is killed or a call fails, marker and directories are right or not there, and then made."""
    isolated(make_at_every_instant, blow)


def test_directories_are_made_with_their_permissions(tmp_path: Path, volume_id: str) -> None:
    """Directories are made below the root, readable for whom the files are, whatever the umask."""
    mask = os.umask(0o077)
    try:
        with Volume.open(tmp_path, volume_id=volume_id, require_mount=False) as opened:
            with opened.directory("a/b", make=READABLE.directory):
                pass
            with opened.directory("a/Inbox", make=READABLE.inbox):
                pass
            with opened.directory("a/b", make=Access(0o777)) as fd:  # there already: left alone
                assert os.fstat(fd).st_mode & 0o777 == 0o750
    finally:
        os.umask(mask)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/Inbox")}
    assert modes == {"a": 0o750, "a/b": 0o750, "a/Inbox": 0o770}
    assert everything(tmp_path) == [MARKER, "a", "a/Inbox", "a/b"]


def test_a_directory_keeps_what_the_nas_gave_it(tmp_path: Path, volume_id: str) -> None:
    """A set-group-ID bit that a directory has from its parent stays."""
    tmp_path.chmod(0o2770)
    with (
        Volume.open(tmp_path, volume_id=volume_id, require_mount=False) as opened,
        opened.directory("Inbox", make=READABLE.inbox) as fd,
    ):
        assert os.fstat(fd).st_mode & 0o7777 == 0o2770


def test_nothing_leads_out_of_the_volume(tmp_path: Path) -> None:
    """Absolute paths, ".." and symbolic links are refused; a missing directory is not made unless asked."""
    root = tmp_path / "nas"
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    volume_id = init_volume(root, require_mount=False)
    with Volume.open(root, volume_id=volume_id, require_mount=False) as opened:
        for path in ("../elsewhere", "a/../../elsewhere", "/etc", "a\0b"):
            with pytest.raises(BadData) as refused, opened.directory(path, make=READABLE):
                pass
            assert refused.value.code is ErrorCode.BAD_SETTINGS
        with (
            pytest.raises(ConfigError) as followed,
            nas_errors(root),
            opened.directory("link/a", make=READABLE),
        ):
            pass
        assert followed.value.code is ErrorCode.NAS_UNAVAILABLE
        with pytest.raises(FileNotFoundError), opened.directory("Inbox"):
            pass
        with pytest.raises(BadData), opened.place(""):
            pass
        with opened.directory("") as fd:
            assert os.fstat(fd).st_ino == root.stat().st_ino
        with opened.place("./a//Inbox/", make=READABLE) as (_, name):
            assert name == "Inbox"
    assert everything(tmp_path / "elsewhere") == []


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, TryAgain, ErrorCode.NAS_FULL),
        (errno.EDQUOT, TryAgain, ErrorCode.NAS_FULL),
        (errno.EROFS, Unavailable, ErrorCode.NAS_READONLY),
        (errno.EACCES, Unavailable, ErrorCode.NAS_READONLY),
        (errno.EPERM, Unavailable, ErrorCode.NAS_READONLY),
        (errno.EIO, Unavailable, ErrorCode.NAS_UNAVAILABLE),
        (errno.ESTALE, Unavailable, ErrorCode.NAS_UNAVAILABLE),
        (errno.ENOTCONN, Unavailable, ErrorCode.NAS_UNAVAILABLE),
        (errno.EHOSTDOWN, Unavailable, ErrorCode.NAS_UNAVAILABLE),
        (errno.ETIMEDOUT, Unavailable, ErrorCode.NAS_UNAVAILABLE),
        (errno.EXDEV, ConfigError, ErrorCode.NAS_UNAVAILABLE),
    ],
)
def test_what_errors_mean(number: int, kind: type[ScandError], code: ErrorCode) -> None:
    """Each errno becomes a code, an exit status and a sentence with the system's own words and the root."""
    with pytest.raises(kind) as caught, nas_errors(Path("/mnt/nas")):
        raise OSError(number, os.strerror(number))
    assert caught.value.code is code
    assert "/mnt/nas" in caught.value.sentence


def test_a_taken_name_is_no_fault_of_the_nas() -> None:
    """FileExistsError goes through: it means another name."""
    with pytest.raises(FileExistsError), nas_errors(Path("/mnt/nas")):
        raise FileExistsError(errno.EEXIST, "")


def test_access() -> None:
    """Mode and group come from the config's words, and what they cannot mean is refused."""
    group = grp.getgrgid(os.getgid())
    assert Access.of("0640", "") == Access(0o640, None)
    assert Access.of("644", group.gr_name) == Access(0o644, group.gr_gid)
    assert Access.of("0644", "").directory.mode == 0o755
    assert Access.of("0600", "").inbox.mode == 0o700
    with pytest.raises(ConfigError, match="no-such-group"):
        Access.of("0640", "no-such-group")
    with pytest.raises(ConfigError, match="rw-r"):
        Access.of("rw-r-----", "")


def as_a_stranger(directory: str) -> None:
    """Give a file to a group as somebody who may not, and then to one that is theirs."""
    os.chown(directory, 12345, 12345)
    os.chdir(directory)
    os.setgid(12345)
    os.setuid(12345)
    fd = os.open("file", os.O_CREAT)
    assert not Access(0o640, 0).apply(fd)
    assert Access(0o640, 12345).apply(fd)
    assert os.fstat(fd).st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_group_that_is_not_ours_to_give(tmp_path: Path) -> None:
    """A group that scand's user is not in is told, and no error."""
    isolated(as_a_stranger, tmp_path)
