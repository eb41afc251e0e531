"""A database that is away, and one that must be mended first; and that its password never shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import until
from tests.systemd.host import UNIT
from tests.systemd.server import SECRET, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

CREDENTIAL = "/etc/credstore/scand.database-url"


@pytest.fixture(scope="module")
def server(new_host: NewHost) -> Iterator[tuple[ScanHost, Server]]:
    """A scan host whose database is a server with a password, which the unit has as a credential."""
    with new_host() as host:
        server = Server(host.box)
        host.login = server.login
        host.drop_in("quick", "[Service]\nRestartSec=100ms\n")
        host.box.write(CREDENTIAL, server.url, 0o600)
        host.mount_nas()
        yield host, server


def _refused(host: ScanHost) -> str:
    """Start the service, which must end with 78 without a restart; returns its warnings."""
    warnings = ("SYSLOG_IDENTIFIER=scand", "--priority=warning")
    before = len(host.messages(*warnings))
    host.box.run("systemctl", "start", "scand", check=False)
    until(lambda: host.box.show(UNIT, "ActiveState")["ActiveState"] == "failed", "it has given up")
    time.sleep(0.5)  # five times RestartSec
    state = host.box.show(UNIT, "ActiveState", "ExecMainStatus", "NRestarts")
    assert state == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}
    return "\n".join(host.messages(*warnings)[before:])


def test_a_bad_config_is_not_tried_again(server: tuple[ScanHost, Server]) -> None:
    """Exit status 78, once, and the journal names the key."""
    host, _ = server
    config = host.box.root / "etc/scand/scand.toml"
    config.write_text((good := config.read_text()) + "\n[scaner]\n")
    assert "scaner is not a" in _refused(host)
    config.write_text(good)


def test_what_a_database_lacks_is_not_tried_again(server: tuple[ScanHost, Server]) -> None:
    """A missing schema or a wrong password ends the daemon with 78, and no message shows a password."""
    host, database = server
    database.start()
    assert "scand migrate" in _refused(host)
    wrong = "wrong-horse-battery-staple"
    host.box.write(CREDENTIAL, database.url.replace(SECRET, wrong), 0o600)
    said = _refused(host)
    assert "password authentication failed" in said
    assert wrong not in said
    host.box.write(CREDENTIAL, database.url, 0o600)
    database.stop()


def test_a_database_that_comes_later(server: tuple[ScanHost, Server]) -> None:
    """While it is away the service is active and STATUS says what it waits for; then it serves, and stays."""
    host, database = server
    database.start()
    host.box.run("env", f"SCAND_DATABASE_URL={database.url}", "scand", "migrate")
    database.stop()
    pid = host.start()
    assert host.box.show(UNIT, "ActiveState")["ActiveState"] == "active"
    assert host.status().startswith("waiting for the database")
    (said, *_) = host.said("waiting_for_database")
    assert said["PRIORITY"] == "4"
    database.start()
    host.serves()
    host.plug_in("--count=1")
    host.wait(host.submit("First"), "committed")
    database.stop()
    until(lambda: host.said("database_away"), "it is missed")
    until(lambda: host.status().startswith("waiting for the database"), "STATUS says so")
    database.start()
    host.serves(times=2)
    assert len(host.said("database_back")) == 1
    host.box.run("systemctl", "reload", "scand")  # its check has the credential, too
    host.refill()
    host.wait(host.submit("Second"), "committed")
    assert (host.pid(), host.restarts()) == (pid, 0)


def test_the_password_is_nowhere_to_be_seen(server: tuple[ScanHost, Server]) -> None:
    """It is neither in the journal nor in environment or command line of a process; others cannot read it."""
    host, _ = server
    host.plug_in("--count=5", "--ppm=240")
    host.submit("Third")
    until(lambda: len(host.fed()) > 2, "a feeder is at work")
    seen = [_of_processes(host)]
    until(lambda: host.freeze("scand.courier"), "a courier is at work")
    seen.append(_of_processes(host))
    assert b"scand.feeder" in seen[0]
    assert b"scand.courier" in seen[1]
    seen.append(host.box.run("journalctl", "--output=verbose", "--all", f"--unit={UNIT}").stdout.encode())
    seen.append(host.box.run("systemctl", "show", UNIT).stdout.encode())
    assert b"SCAND_JOB_ID" in seen[2]
    assert not any(SECRET.encode() in text for text in seen)
    someone = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    for place in (CREDENTIAL, f"/run/credentials/{UNIT}/database-url"):
        assert "Permission denied" in host.box.run(*someone, "cat", place, check=False).stderr


def _of_processes(host: ScanHost) -> bytes:
    """Environment and command line of every process of the unit."""
    return b"".join(
        Path(f"/proc/{pid}/{what}").read_bytes()
        for pid in host.processes()
        for what in ("environ", "cmdline")
    )
