"""A config that is refused, under systemd: at the start, at a reload, when it is saved, after an upgrade."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import until
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

CONFIG = "/etc/scand/scand.toml"
ROOT = 'root = "/mnt/nas"'


@pytest.fixture(scope="module")
def resting(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host whose service does not run; each test puts the config back."""
    with new_host() as host:
        yield host


def file(host: ScanHost) -> Path:
    """The config, seen from outside."""
    return host.box.root / CONFIG.lstrip("/")


def spoil(host: ScanHost) -> None:
    """The first edit of a person, and the second."""
    path = file(host)
    path.write_text(
        path.read_text().replace(ROOT, 'root = "mnt/nas"').replace("[agent]", '[agent]\npol = "1s"')
    )


def line(host: ScanHost, text: str) -> int:
    """The line number of a text in the config."""
    return next(n for n, one in enumerate(file(host).read_text().splitlines(), 1) if text in one)


def a_fifo(host: ScanHost) -> None:
    """Reading one waits for a writer."""
    host.box.run("mkfifo", "--mode=640", CONFIG)
    host.box.run("chgrp", "scand", CONFIG)


BAD: dict[str, tuple[Callable[[ScanHost], object], str]] = {
    "closed": (
        lambda host: host.box.write(CONFIG, "", mode=0o600),
        f"(Permission denied) by user scand: sudo chown root:scand {CONFIG} && sudo chmod 0640 {CONFIG}.",
    ),
    "directory": (lambda host: host.box.run("mkdir", CONFIG), "is a directory, and cannot be a config."),
    "fifo": (a_fifo, "is not a file, and cannot be a config."),
    "zero": (
        lambda host: host.box.run("ln", "-s", "/dev/zero", CONFIG),
        "is not a file, and cannot be a config.",
    ),
    "huge": (lambda host: host.box.run("truncate", "--size=1G", CONFIG), "is larger than 1 MiB"),
    "latin": (lambda host: file(host).write_bytes(b'[nas]\nroot = "/mnt/\xfc"\n'), ":2: is not UTF-8 text."),
    "gone": (lambda _: None, "there is no such config file."),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_is_not_tried_again(resting: ScanHost, kind: str) -> None:
    """It exits with 78 at once, with no restart and no traceback; the journal says why, and what mends it."""
    good = file(resting).read_text()
    file(resting).unlink()
    make, said = BAD[kind]
    try:
        make(resting)
        before = len(resting.messages(f"--unit={UNIT}"))
        began = time.monotonic()
        assert resting.box.run("systemctl", "start", "scand", check=False).returncode != 0
        assert time.monotonic() - began < 10
        state = resting.box.show(UNIT, "ActiveState", "NRestarts", "ExecMainStatus")
        assert state == {"ActiveState": "failed", "NRestarts": "0", "ExecMainStatus": "78"}
        told = [one for one in resting.messages(f"--unit={UNIT}")[before:] if one.startswith("scand: ")]
        assert len(told) == 1
        assert told[0].startswith(f"scand: {CONFIG}")
        assert said in told[0]
        if kind == "closed":  # the mend, as it is printed
            mend = told[0].split(": ", 3)[-1].removesuffix(".").replace("sudo ", "")
            file(resting).write_text(good)
            resting.box.run("sh", "-c", mend)
            resting.box.run("systemctl", "start", "scand")
            resting.box.run("systemctl", "stop", "scand")
    finally:
        resting.box.run("rm", "-rf", CONFIG)
        resting.box.write(CONFIG, good, mode=0o640)
        resting.box.run("chgrp", "scand", CONFIG)
        resting.box.run("systemctl", "reset-failed", "scand", check=False)


def test_everything_that_is_wrong_is_in_the_journal(resting: ScanHost) -> None:
    """A line each, with file and line, also in what `systemctl status` shows."""
    good = file(resting).read_text()
    spoil(resting)
    try:
        assert resting.box.run("systemctl", "start", "scand", check=False).returncode != 0
        status = resting.box.run("systemctl", "status", "--full", "scand", check=False).stdout
        root = line(resting, 'root = "mnt/nas"')
        wrong = f'scand: {CONFIG}:{root}: nas.root is "mnt/nas", but must be absolute, such as "/mnt/nas".'
        assert wrong in status
        assert f"scand: {CONFIG}:{line(resting, 'pol =')}: agent.pol is not a key" in status
        checked = resting.box.run("scand", "--config", CONFIG, "config", "check", check=False)
        assert checked.returncode == 78
        assert wrong in checked.stderr
    finally:
        file(resting).write_text(good)
        resting.box.run("systemctl", "reset-failed", "scand")
    assert "the daemon takes it" in resting.box.run("scand", "--config", CONFIG, "config", "check").stdout


def test_a_reload_of_a_refused_config_fails(host: ScanHost) -> None:
    """systemctl fails, the journal says why, the daemon keeps its config; once mended, the config is taken."""
    host.mount_nas()
    pid = host.start()
    host.serves()
    good = file(host).read_text()
    host.box.run("systemctl", "reload", "scand")
    until(lambda: host.said("config_reloaded"), "a good one is taken")
    spoil(host)
    failed = host.box.run("systemctl", "reload", "scand", check=False)
    assert failed.returncode != 0
    assert "failed" in failed.stderr
    assert any("nas.root is" in one and one.startswith("scand: ") for one in host.messages(f"--unit={UNIT}"))
    # Saving it was enough: it is told once, and STATUS tells it until it is mended.
    (refused,) = until(lambda: host.said("config_refused"), "the daemon has seen it, too")
    assert f"{CONFIG}:{line(host, 'pol =')}: agent.pol is not a key" in refused["MESSAGE"]
    until(lambda: "config not taken" in host.status(), "STATUS says so")
    assert "nas.root" in host.status()
    file(host).write_text(file(host).read_text() + "# saved once more\n")
    time.sleep(1.5)
    assert len(host.said("config_refused")) == 1
    assert (host.pid(), host.restarts()) == (pid, 0)
    assert host.box.show(UNIT, "ActiveState")["ActiveState"] == "active"
    file(host).write_text(good)
    host.box.run("systemctl", "reload", "scand")
    until(lambda: host.status().startswith("idle") and "config" not in host.status(), "STATUS is clear again")


def test_an_upgrade_that_does_not_come_up_says_so(host: ScanHost) -> None:
    """The installer's exit status, and what the service said; mended, the next one is well."""
    activate = ("sh", "/src/systemd/install.sh", "activate")
    assert "sudo scand setup" in host.box.run(*activate).stdout
    host.start()
    good = file(host).read_text()
    spoil(host)
    for _ in ("it runs", "it has failed before"):
        failed = host.box.run(*activate, check=False)
        assert failed.returncode != 0
        assert "scand is installed, but does not come up. It says:" in failed.stderr
        assert f"{CONFIG}:{line(host, 'pol =')}: agent.pol is not a key" in failed.stderr
        assert "Next:" not in failed.stdout
        assert "runs again" not in failed.stdout
    file(host).write_text(good)
    assert "runs again" in host.box.run(*activate).stdout
    until(host.pid, "it runs")
