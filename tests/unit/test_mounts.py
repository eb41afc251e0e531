"""What /proc/self/mountinfo says of a path."""

from __future__ import annotations

from pathlib import Path, PurePath

from scand.mounts import expects_mount, holding, parse, resolved

TABLE = parse(
    r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/my\040nas rw,relatime shared:2 - autofs systemd-1 rw,fd=28
31 30 0:41 / /srv/my\040nas rw,relatime shared:3 - cifs //nas.lan/my\040documents rw,vers=3.1.1
32 22 8:1 /data /data rw,relatime shared:4 - ext4 /dev/sda1 rw
""".strip()
)


def test_the_uppermost_mount_holds_a_path() -> None:
    """An automount that has mounted lies below what it mounted; names have their spaces back."""
    mount = holding(PurePath("/srv/my nas/PKM"), TABLE)
    assert mount is not None
    assert (mount.target, mount.kind, mount.source) == (
        PurePath("/srv/my nas"),
        "cifs",
        "//nas.lan/my documents",
    )


def test_mounted_is_another_file_system_than_the_root() -> None:
    """A directory and a bind mount of the root's own file system are not."""
    assert not expects_mount(PurePath("/srv/my nas"), TABLE)
    assert expects_mount(PurePath("/srv/other"), TABLE)
    assert expects_mount(PurePath("/data/nas"), TABLE)


def test_links_are_followed_up_to_the_mountpoint(tmp_path: Path) -> None:
    """A link on the way to it is resolved; what is mounted is not looked at."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert resolved(tmp_path / "link" / "x", TABLE) == tmp_path / "real" / "x"
    assert resolved(Path("/srv/my nas/link/x"), TABLE) == Path("/srv/my nas/link/x")
