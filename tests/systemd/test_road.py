"""The whole road inside the unit's full sandbox: simulator, feeder, spool, embedded PostgreSQL, NAS, Inbox."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tests.systemd.box import until
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from tests.systemd.host import ScanHost

_AUTOMOUNTED = {
    "asleep.service": """
        [Unit]
        DefaultDependencies=no
        [Service]
        Type=oneshot
        ExecStart=sh -c "until [ -e /run/awake ]; do sleep 0.1; done"
        """,
    "mnt-nas.mount": """
        [Unit]
        DefaultDependencies=no
        Requires=asleep.service
        After=asleep.service
        [Mount]
        What=/srv
        Where=/mnt/nas
        Type=none
        Options=bind
        """,
    "mnt-nas.automount": """
        [Automount]
        Where=/mnt/nas
        """,
}


def test_a_stack_becomes_a_document(host: ScanHost) -> None:
    """With the config as installed and a mounted NAS, scand's user commits a job, and STATUS follows it."""
    (host.box.root / "var/lib/scand/nas-volume").unlink()
    host.mount_nas()
    (host.nas / ".scand-volume").unlink()
    host.box.run("scand", "nas", "init", user="scand")
    # Set-group-ID, as shares of several people have it: why RestrictSUIDSGID= stays open.
    host.box.run("install", "--directory", "--mode=2775", "--group=scanner", "/mnt/nas/PKM")
    host.plug_in("--count=3", "--ppm=240")
    host.start()
    job = host.submit("Invoices 2026")
    until(lambda: f"job {job} 'Invoices 2026': batch 1, sheet" in host.status(), "STATUS tells the sheet")
    processes = host.processes()
    user = int(host.box.run("id", "--user", "scand").stdout)
    assert {Path(f"/proc/{process}").stat().st_uid for process in processes} == {user}
    assert len(processes) > 3  # the daemon, its feeder, and PostgreSQL
    row = host.wait(job, "committed")
    (document,) = host.inbox()
    assert row["inbox_path"] == "PKM/Inbox/Invoices 2026.pdf"
    assert host.box.run("stat", "--format=%A %G", "/mnt/nas/PKM/Inbox").stdout.strip() == "drwxrws--- scanner"
    assert document.read_bytes().startswith(b"%PDF")
    assert row["page_count"] == len(host.fed()) == 6
    until(lambda: host.status().startswith("idle"), "it is idle again")
    assert host.restarts() == 0


def test_a_nas_that_comes_later_is_seen(host: ScanHost) -> None:
    """A NAS that is mounted after the start, or again later, is visible inside the sandbox."""
    (host.box.root / "mnt/nas").mkdir()
    host.plug_in("--count=1")
    host.start()
    host.mount_nas()
    host.wait(host.submit("First"), "committed")
    host.box.run("umount", "/mnt/nas")
    host.refill()
    job = host.submit("Second")
    until(lambda: host.job(job)["error_code"] == "nas_unavailable", "the NAS is missed")
    assert list(host.nas.iterdir()) == []
    host.mount_nas()
    host.wait(job, "committed")
    assert [path.name for path in host.inbox()] == ["Second.pdf"]


def test_an_automount_does_not_hold_up_the_start(host: ScanHost) -> None:
    """A NAS that is mounted on demand, and slowly: the service is active before, and delivers after."""
    host.mount_nas()
    host.box.run("mount", "--bind", "/mnt/nas", "/srv")
    host.box.run("umount", "/mnt/nas")
    for name, text in _AUTOMOUNTED.items():
        host.box.write(f"/etc/systemd/system/{name}", textwrap.dedent(text))
    host.box.run("systemctl", "daemon-reload")
    host.box.run("systemctl", "start", "mnt-nas.automount")
    host.plug_in("--count=1")
    host.start()
    assert host.box.show(UNIT, "ActiveState")["ActiveState"] == "active"
    assert host.box.show("mnt-nas.mount", "ActiveState")["ActiveState"] != "active"
    job = host.submit()
    host.wait(job, "assembling")
    host.box.write("/run/awake", "")
    host.wait(job, "committed")
