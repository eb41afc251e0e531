"""The fstab lines are those of the documentation."""

from __future__ import annotations

from pathlib import Path, PurePath

from scand.cli.host import fstab

OPERATING = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()


def test_the_documentation_has_the_lines_that_setup_prints() -> None:
    """Both, for the default mountpoint and group, each a line of its own."""
    root = PurePath("/mnt/nas")
    for line in (fstab.cifs(root, user="scand", group="scand-users"), fstab.nfs(root)):
        assert line in OPERATING.splitlines()
        printed = fstab.advice(root, user="scand", uid=990, group="scand-users", gid=991, sudo="sudo ")
        assert line in printed.splitlines()


def test_a_mountpoint_with_a_space_stays_one_field() -> None:
    """As fstab(5) writes it."""
    assert fstab.nfs(PurePath("/srv/my nas")).split()[1] == "/srv/my\\040nas"
