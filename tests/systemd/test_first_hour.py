"""The first hour: README's commands, run as printed by somebody who has just built the package."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import Box
from tests.systemd.conftest import CHECKOUT
from tests.systemd.host import ScanHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERSON = "kim"
_SUDO = """\
#!/bin/sh
# As sudo does it, as far as README goes: the box has none. It is started by root, on behalf of the person.
exec env SUDO_USER=kim HOME=/root "$@"
"""


def commands() -> list[str]:
    """The commands of README's first scan."""
    text = (CHECKOUT / "README.md").read_text()
    section = text.split("## The first scan")[1].split("\n## ")[0]
    [block] = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [line.removeprefix("$ ").partition("  #")[0].rstrip() for line in block.splitlines()]


@pytest.fixture(scope="module")
def host(package: Path) -> Iterator[ScanHost]:
    """A machine with a scanner, a NAS, and the package in a directory; scand is not installed."""
    with Box(shown={"/home/kim/scand/dist": package.parent}) as box:
        box.run("useradd", "--create-home", PERSON)
        box.write("/usr/local/bin/sudo", _SUDO, mode=0o755)
        box.run("mkdir", "-p", "/mnt/nas", "/srv/nas")
        box.run("mount", "-t", "tmpfs", "-o", "mode=777", "nas", "/mnt/nas")
        host = ScanHost(box, ("sh", "-c", f"cd /home/kim/scand && {commands()[0]}"))
        (box.root / "var/lib/scand/nas-volume").unlink()  # no NAS is known yet
        host.plug_in("--count=2")
        yield host


def do(host: ScanHost, command: str) -> str:
    """Run a command, and return its output."""
    shell = ("sh", "-c", f"cd /home/kim/scand && {command}")
    done = host.box.run(*shell, user="" if command.startswith("sudo ") else PERSON, timeout=300, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def read(host: ScanHost, path: str) -> None:
    """The person opens a file."""
    assert do(host, f"head -c 5 {shlex.quote(path)}") == "%PDF-"


def test_from_the_package_to_a_document_that_one_may_read(host: ScanHost) -> None:
    """At most eight commands: install, set up, scan, look, rename, file; only two of them with sudo."""
    lines = commands()
    assert len(lines) <= 8
    assert [line.split()[0] for line in lines].count("sudo") == 2
    assert "apt install" in lines[0]
    for line in lines[1:]:
        do(host, line)
        if line.startswith("scand finish"):
            host.wait(1, "preview")
            read(host, f"/mnt/nas/{host.job(1)['nas_staging_path']}")
    host.wait(1, "committed")
    read(host, "/mnt/nas/PKM/Inbox/Electricity 2026.pdf")


def test_it_goes_on_after_everything_was_switched_off(host: ScanHost) -> None:
    """Service, scanner and NAS gone and back, as after a reboot: enabled, it scans for a member without sudo."""
    enabled = host.box.run("systemctl", "is-enabled", "scand.service", "scand-scan.path").stdout
    assert enabled.split() == ["enabled", "enabled"]
    host.box.run("systemctl", "stop", "scand", "scanner")
    host.box.run("mkdir", "/run/kept")
    host.box.run("mount", "--bind", "/mnt/nas", "/run/kept")
    host.box.run("umount", "/mnt/nas")
    host.start()
    host.plug_in("--count=2")
    host.box.run("mount", "--bind", "/run/kept", "/mnt/nas")
    do(host, "scand submit Again --scan auto --finish commit --wait")
    read(host, "/mnt/nas/PKM/Inbox/Again.pdf")


def test_the_nas_may_be_elsewhere(host: ScanHost) -> None:
    """The same with the NAS at /srv/nas, which the sandbox knows only through setup; also after a restart."""
    host.box.run("mount", "-t", "tmpfs", "-o", "mode=777", "nas", "/srv/nas")
    do(host, "sudo scand setup --yes --nas-root /srv/nas")
    for title in ("Elsewhere", "After a restart"):
        host.refill()
        do(host, f"scand submit '{title}' --scan auto --finish commit --wait")
        read(host, f"/srv/nas/PKM/Inbox/{title}.pdf")
        host.box.run("systemctl", "restart", "scand")
