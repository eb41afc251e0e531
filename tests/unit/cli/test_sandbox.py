"""What a unit's settings let the daemon do at a path, and the drop-in that opens more."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from scand.cli.host.sandbox import MARK, Reach, decide, drop_in, opened, rules

SHIPPED = {
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "ReadWritePaths": "-/mnt",
    "ReadOnlyPaths": "/run",
    "StateDirectory": "scand",
    "RuntimeDirectory": "scand",
}


@pytest.mark.parametrize(
    ("path", "reach", "setting"),
    [
        ("/mnt/nas", Reach.WRITE, "ReadWritePaths=/mnt"),
        ("/mnt", Reach.WRITE, "ReadWritePaths=/mnt"),
        ("/srv/nas", Reach.READ, "ProtectSystem=strict"),
        ("/mnt2/nas", Reach.READ, "ProtectSystem=strict"),
        ("/var/lib/scand", Reach.WRITE, "StateDirectory=scand"),
        ("/var/lib/other", Reach.READ, "ProtectSystem=strict"),
        ("/run/media/nas", Reach.READ, "ReadOnlyPaths=/run"),
        ("/home/kim/nas", Reach.HIDDEN, "ProtectHome=yes"),
        ("/tmp/nas", Reach.HIDDEN, "PrivateTmp=yes"),
    ],
)
def test_the_shipped_unit(path: str, reach: Reach, setting: str) -> None:
    """Each place has the rule of the longest path that is named."""
    rule = decide(PurePath(path), rules(SHIPPED))
    assert (rule.reach, rule.setting) == (reach, setting)


def test_nothing_comes_back_below_what_is_hidden() -> None:
    """ReadWritePaths= below /home changes nothing while ProtectHome= hides it."""
    settings = SHIPPED | {"ReadWritePaths": "-/mnt -/home/kim/nas"}
    assert decide(PurePath("/home/kim/nas"), rules(settings)).reach is Reach.HIDDEN


def test_a_drop_in_of_the_administrator_counts() -> None:
    """Homes that are shown, a path with spaces, a place that is closed again."""
    settings = SHIPPED | {
        "ProtectHome": "no",
        "ReadWritePaths": '-/mnt "-/srv/my nas" +/data',
        "InaccessiblePaths": "/data/secret",
    }
    found = {path: decide(PurePath(path), rules(settings)).reach for path in (
        "/home/kim", "/srv/my nas/in", "/data/nas", "/data/secret/nas",
    )}  # fmt: skip
    assert list(found.values()) == [Reach.READ, Reach.WRITE, Reach.WRITE, Reach.HIDDEN]


def test_a_unit_without_a_sandbox_writes_everywhere() -> None:
    """No setting makes no rule but the first."""
    assert decide(PurePath("/srv/nas"), rules({})).reach is Reach.WRITE


@pytest.mark.parametrize(
    ("path", "mountpoint", "fstype", "named"),
    [
        ("/srv/nas", "/", "ext4", "/srv/nas"),
        ("/srv/nas", "/srv/nas", "ext4", "/srv/nas"),
        ("/srv/nas", "/srv/nas", "cifs", "/srv"),
        ("/srv/nas", "/srv/nas", "autofs", "/srv"),
        ("/srv/nas/documents", "/srv/nas", "nfs4", "/srv"),
        ("/srv/nas", "/srv/nas", "fuse.sshfs", "/srv"),
        ("/nas", "/nas", "nfs", "/nas"),
        ("/var/nas", "/var/nas", "cifs", "/var/nas"),
    ],
)
def test_the_path_that_is_named(path: str, mountpoint: str, fstype: str, named: str) -> None:
    """A network file system is opened from above its mountpoint, but never by one of the system's directories."""
    assert opened(PurePath(path), PurePath(mountpoint), fstype) == PurePath(named)


def test_the_drop_in_opens_what_it_names() -> None:
    """systemd's quoting and its percent signs; and it is known as ours."""
    text = drop_in([PurePath('/srv/100% "my" nas'), PurePath("/data")])
    assert text.startswith(MARK)
    assert 'ReadWritePaths="-/srv/100%% \\"my\\" nas"\nReadWritePaths="-/data"\n' in text
