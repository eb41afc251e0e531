"""What `scand doctor` makes of facts: sound or not, and the command that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scand import wire
from scand.cli.checks.check import Check
from scand.cli.checks.nas import barred
from scand.cli.checks.service import check_groups, check_member, check_sandbox, check_unit
from scand.cli.host.people import Person
from scand.cli.host.unit import Unit
from tests.unit.cli.test_sandbox import SHIPPED

KIM = Person("kim", 1000, 1000, frozenset({"kim", "scand-users"}))
ROOT = Person("root", 0, 0, frozenset({"root"}), sudo="")
SCAND = Person("scand", 990, 990, frozenset({"scand", "scanner"}))
_GOOD = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}


@pytest.mark.parametrize(
    ("differs", "mend"),
    [
        ({}, ""),
        ({"UnitFileState": "disabled"}, "sudo systemctl enable scand"),
        ({"ActiveState": "failed"}, "sudo systemctl restart scand"),
        ({"ActiveState": "inactive", "UnitFileState": "disabled"}, "sudo scand setup"),
        ({"NeedDaemonReload": "yes"}, "sudo systemctl daemon-reload && sudo systemctl restart scand"),
    ],
)
def test_the_unit(differs: dict[str, str], mend: str) -> None:
    """Enabled and running, or what is missing."""
    check = check_unit(Unit(_GOOD | differs), KIM)
    assert (check.ok, check.mend) == (not mend, mend)


@pytest.mark.parametrize(
    ("root", "staging", "says"),
    [
        ("/mnt/nas", "/var/lib/scand", ""),
        ("/srv/nas", "/var/lib/scand", "may not write below /srv/nas (ProtectSystem=strict)"),
        ("/mnt/nas", "/data/scand", "may not write below /data/scand"),
        ("/home/kim/nas", "/var/lib/scand", "does not see /home/kim/nas (ProtectHome=yes)"),
    ],
)
def test_the_sandbox_and_what_the_daemon_writes_to(root: str, staging: str, says: str) -> None:
    """NAS5: a NAS that the unit will find read-only at its next start is told now; root needs no sudo."""
    check = check_sandbox(Unit(_GOOD | SHIPPED), {"nas.root": Path(root), "staging.dir": Path(staging)}, ROOT)
    assert check.ok == (not says)
    assert says in check.detail
    assert check.ok or check.mend.startswith("scand setup")


def test_groups_of_the_user_and_of_its_process() -> None:
    """A group that it lacks, one that its process has not yet, and all in order."""
    lacks = check_groups(SCAND, ["scanner", "family"], None, KIM)
    assert lacks.mend == "sudo usermod -aG family scand && sudo systemctl restart scand"
    late = check_groups(SCAND, ["scanner"], frozenset({"scand"}), KIM)
    assert late.mend == "sudo systemctl restart scand"
    assert check_groups(SCAND, ["scanner"], frozenset({"scanner"}), KIM).ok


def test_a_member_and_a_stranger() -> None:
    """Who may use the command line, and the command by which others may."""
    assert check_member(KIM) == Check("member", ok=True, detail="kim is in scand-users")
    stranger = check_member(Person("lee", 1001, 1001, frozenset({"lee"})))
    assert stranger.mend == "sudo usermod -aG scand-users lee"


def test_folders_that_bar_a_group() -> None:
    """Its own must be open for it, another group's for everybody."""
    folders = [
        wire.Folder(path=path, mode=mode, uid=990, gid=gid)
        for path, mode, gid in (
            ("", 0o755, 0),
            ("a", 0o750, 7),
            ("b", 0o740, 7),
            ("c", 0o750, 8),
            ("d", 0o700, 7),
        )
    ]
    assert barred(folders, 7) == ["b", "c", "d"]
