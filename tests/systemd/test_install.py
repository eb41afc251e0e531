"""`make install`, an upgrade, `make uninstall`: which files are installed where, and which stay."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import until
from tests.systemd.conftest import CHECKOUT
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

# 1.6 without chown, with which a unit without capabilities may do one thing only, and needs it for the household:
# give its own files to a group that it is in.
SCORE = 1.7


@pytest.fixture(scope="module")
def resting(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host whose service is never started."""
    with new_host() as host:
        yield host


def test_what_is_installed_does_not_know_where_it_was_made(installed: Path) -> None:
    """No file names DESTDIR: scripts, compiled modules and links are those of /opt/scand."""
    named = subprocess.run(["grep", "-rlF", str(installed), installed], stdout=subprocess.PIPE, check=False)
    assert named.stdout == b""
    assert (installed / "usr/local/bin/scand").readlink().as_posix() == "/opt/scand/bin/scand"


def test_the_service_starts_at_once_as_installed(host: ScanHost) -> None:
    """Nothing is edited: systemctl start is enough; STATUS tells what it does, and everything has its owner."""
    (host.box.root / "etc/scand/profiles.d/default.toml").unlink()
    host.start()
    state = host.box.show(UNIT, "ActiveState", "SubState", "User", "NRestarts", "Type")
    assert state == {
        "ActiveState": "active", "SubState": "running", "User": "scand", "NRestarts": "0", "Type": "notify",
    }  # fmt: skip
    until(lambda: host.status().startswith("idle"), "it serves")
    modes = host.box.run(
        "stat",
        "--format=%A %U:%G %n",
        "/etc/scand/scand.toml",
        "/var/lib/scand",
        "/run/scand",
        "/run/scand-scan",
    ).stdout.splitlines()
    assert modes == [
        "-rw-r----- root:scand /etc/scand/scand.toml",
        "drwxr-x--- scand:scand /var/lib/scand",
        "drwxr-xr-x scand:scand /run/scand",
        "-rw-rw---- root:scand-users /run/scand-scan",
    ]
    groups = host.box.run("id", "--groups", "--name", "scand").stdout.split()
    assert sorted(groups) == ["lp", "scand", "scand-users", "scanner"]


def test_an_upgrade_keeps_config_and_queue(host: ScanHost) -> None:
    """New files under a running service: it is restarted, and has its config and its jobs."""
    pid = host.start()
    job = host.submit("before the upgrade")
    config = host.box.root / "etc/scand/scand.toml"
    config.write_text(mine := config.read_text() + "# mine\n")
    host.box.run("sh", "/src/systemd/install.sh", "files")
    said = host.box.run("sh", "/src/systemd/install.sh", "activate").stdout
    assert "runs again" in said
    assert host.pid() not in {0, pid}
    assert config.read_text() == mine
    assert host.job(job)["title"] == "before the upgrade"


def test_uninstall_keeps_data_and_says_so(host: ScanHost) -> None:
    """Program, units and service are gone; config, pages and queue are kept, and the output names them."""
    host.box.run("systemctl", "enable", "--quiet", "--now", "scand")
    said = host.box.run("make", "--directory=/src", "uninstall").stdout
    assert "Kept: /etc/scand/scand.toml" in said
    assert "/var/lib/scand" in said
    root = host.box.root
    assert (root / "etc/scand/scand.toml").exists()
    assert (root / "var/lib/scand/postgres/PG_VERSION").exists()
    assert not (root / "opt/scand").exists()
    left = [path for path in (root / "usr/local").rglob("*scand*") if not path.is_dir()]
    assert left == []
    assert host.box.show(UNIT, "LoadState", "ActiveState") == {
        "LoadState": "not-found",
        "ActiveState": "inactive",
    }


def test_bash_completes_commands(resting: ScanHost) -> None:
    """The completion that click makes, as bash-completion loads it."""
    script = """
        source /usr/local/share/bash-completion/completions/scand
        COMP_WORDS=(scand s) COMP_CWORD=1 COMP_LINE="scand s" COMP_POINT=7
        _scand_completion scand; echo "${COMPREPLY[@]}"
    """
    assert {"submit", "scan", "show"} <= set(resting.box.run("bash", "-c", script).stdout.split())
    for file, sign in {
        "zsh/site-functions/_scand": "#compdef",
        "fish/vendor_completions.d/scand.fish": "fish_",
    }.items():
        assert sign in (resting.box.root / "usr/local/share" / file).read_text()


def test_the_units_are_clean(resting: ScanHost) -> None:
    """systemd-analyze verify finds nothing, man pages included, with and without all example drop-ins."""
    units = [UNIT, "scand-scan.service", "scand-scan.path"]
    said = resting.box.run("systemd-analyze", "verify", "--man=yes", *units)
    assert said.stdout + said.stderr == ""
    examples = sorted((CHECKOUT / "systemd/examples").glob("*.conf"))
    assert examples
    for example in examples:
        resting.box.write(f"/etc/systemd/system/{UNIT}.d/{example.name}", example.read_text())
    said = resting.box.run("systemd-analyze", "verify", "--man=yes", UNIT)
    assert said.stdout + said.stderr == ""


def test_the_udev_rule_is_clean(resting: ScanHost) -> None:
    """udev accepts it without a warning, and its group exists."""
    said = resting.box.run("udevadm", "test", "--action=add", "/sys/class/mem/null")
    about = [line for line in (said.stdout + said.stderr).splitlines() if "60-scand.rules" in line]
    assert about == ["Reading rules file: /usr/local/lib/udev/rules.d/60-scand.rules"]


def test_the_exposure_is_low() -> None:
    """systemd-analyze security, of the unit file as it is."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", CHECKOUT / "systemd" / UNIT],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    verdict = said.splitlines()[-1]
    print(verdict)  # noqa: T201 - the issue wants to see it
    score = re.search(r"level for scand.service: ([\d.]+)", verdict)
    assert score
    assert float(score[1]) <= SCORE
