"""What the unit may and may not do, tried inside its sandbox."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.systemd.box import until
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from tests.systemd.conftest import NewHost

_OPEN = ["/etc/open", "/usr/open", "/opt/scand/open", "/var/open", "/srv/open", "/run/open"]
"""Directories that everybody may write to, so that it is not their permissions that keep anybody out."""

ALLOWED = [
    ("write", "/var/lib/scand"),
    ("write", "/run/scand"),
    ("write", "/mnt/nas"),
    ("write", "/tmp"),
    ("write", "/dev/shm"),
    # nas.group, and the household's socket.
    ("give", "scand-users"),
    # A scanner: its devices are there to be seen, libusb hears of them, and others are on the network.
    ("look", "/dev/bus/usb"),
    ("look", "/sys/class"),
    ("look", "/run/udev"),
    *(("reach", family) for family in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")),
]
DENIED = {
    **{("write", place): "EROFS" for place in _OPEN},
    ("look", "/home"): "EACCES",
    ("look", "/root"): "EACCES",
    ("read", "/home/someone/letter"): "EACCES",
    ("read", "/dev/ttyS0"): "EPERM",  # a device that is no scanner, though everybody may read it
    ("look", "/proc/1"): "ENOENT",
    ("look", "/proc/sys"): "ENOENT",
    ("reach", "AF_PACKET"): "EAFNOSUPPORT",
    ("become", "root"): "EPERM",
    ("borrow", "/usr/local/bin/id-as-root"): "EPERM",
    ("enter", "namespaces"): "EPERM",
    ("mount", "/mnt/nas"): "EPERM",
    ("give", "shadow"): "EPERM",
    ("trace", "1"): "EPERM",
    ("name", "host"): "EPERM",
    ("generate", "code"): "EPERM",
}


@pytest.fixture(scope="module")
def probed(new_host: NewHost) -> dict[str, Any]:
    """The results of the probe, which ran in the unit instead of the daemon."""
    with new_host() as host:
        box = host.box
        host.mount_nas()
        box.run("mkdir", "--parents", "--mode=777", *_OPEN)
        box.run("mkdir", "--parents", "/dev/bus/usb/001", "/run/udev")
        box.run("chmod", "755", "/root")
        box.write("/home/someone/letter", "private")
        box.run("mknod", "--mode=666", "/dev/ttyS0", "c", "4", "64")
        box.run("install", "--mode=4755", "/usr/bin/id", "/usr/local/bin/id-as-root")
        tries = shlex.quote(json.dumps([*ALLOWED, *DENIED]))
        probe = f"/opt/scand/bin/python /src/tests/systemd/probe.py {tries}"
        host.drop_in(
            "probe", f"[Service]\nType=exec\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart={probe}\n"
        )
        host.start()
        until(lambda: host.box.show(UNIT, "ActiveState")["ActiveState"] != "active", "the probe has ended")
        said = host.messages("SYSLOG_IDENTIFIER=python")
        assert len(said) == 1, "\n".join(said)
        result: dict[str, Any] = json.loads(said[0])
        return result


@pytest.mark.parametrize("tried", ALLOWED, ids=" ".join)
def test_it_may(probed: dict[str, Any], tried: tuple[str, str]) -> None:
    """Its own directories, the NAS, scanners and the network."""
    assert probed["outcome"][" ".join(tried)] == "done"


@pytest.mark.parametrize("tried", DENIED, ids=" ".join)
def test_it_may_not(probed: dict[str, Any], tried: tuple[str, str]) -> None:
    """Other directories, homes, other devices and processes, more rights."""
    assert probed["outcome"][" ".join(tried)] == DENIED[tried]


def test_it_has_no_privilege(probed: dict[str, Any]) -> None:
    """It has no capability, cannot gain one, and its system calls are filtered."""
    status = probed["status"]
    assert {int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert "0" not in status["Uid"].split()
