"""`scand trigger`: the daemon is asked to scan, and what came of it is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import pytest

from scand.cli.trigger import touch
from scand.errors import ConfigError
from tests.support.site import Site, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


def triggered(site: Site, status: int = os.EX_OK) -> dict[str, Any]:
    """What it says in JSON."""
    done = site.scand("trigger", "--json", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_job_is_made_and_scans(site: Site) -> None:
    """With none ready: a new one of [manual]; its number and title are told."""
    site.serving()
    said = triggered(site)
    assert said["came"] == "scans"
    assert said["job"]["id"] == 1
    assert said["sentence"].startswith("job 1 'Scan 2")
    site.wait(1, "committed")


def test_it_goes_into_the_job_that_is_ready_and_an_empty_feeder_is_told(
    site: Site, scanner: Simulator
) -> None:
    """In words that a person reads; and once there is paper it scans."""
    site.serving()
    job = site.submit("Invoices")
    site.wait(job, "ready")
    site.scan(job)
    said = triggered(site, os.EX_TEMPFAIL)
    assert (said["came"], said["error_code"]) == ("fault", "feeder_empty")
    assert f"job {job} 'Invoices': The feeder is empty" in said["sentence"]
    scanner.reload()
    done = site.scand("trigger").stdout
    assert done.startswith(f"job {job} 'Invoices' ")
    assert f"scand --config {site.config} " in done
    until(lambda: len(site.batches(job)) == 2, "a second batch")


def test_while_a_batch_runs_or_a_preview_waits_nothing_changes(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """And what would is named."""
    site = Site(tmp_path, migrated_url, simulate("--count", "30", "--ppm", "240").config)
    try:
        site.serving()
        job = site.submit(finish="preview")
        site.wait(job, "ready")
        site.step(job, "scanning")
        until(lambda: site.job(job)["pages_scanned"], "a page")
        said = triggered(site, os.EX_TEMPFAIL)
        assert (said["came"], said["job"]["status"]) == ("nothing", "scanning")
        assert f"job {job} is scanning a batch already" in said["sentence"]
        site.wait(job, "preview")
        said = triggered(site, os.EX_TEMPFAIL)
        assert said["came"] == "nothing"
        assert f"scand commit {job}" in said["sentence"]
        assert f"scand reopen {job}" in said["sentence"]
        assert [row["id"] for row in site.sql("SELECT id FROM scan_jobs")] == [job]
    finally:
        site.close()


def test_a_scanner_that_is_gone_is_told(site: Site, scanner: Simulator) -> None:
    """With what to do, and that it is tried again."""
    site.serving()
    os.kill(scanner.process.pid, signal.SIGSTOP)
    os.kill(scanner.process.pid, signal.SIGCONT)
    site.configure("")
    site.config.write_text(site.config.read_text().replace('device = ""', 'device = "net:gone:*"'))
    until(lambda: site.daemons[-1].said("config_reloaded"), "it knows")
    said = triggered(site, os.EX_TEMPFAIL)
    assert (said["came"], said["error_code"]) == ("fault", "device_not_found")
    assert "not found" in said["sentence"]


def test_without_a_daemon_it_is_69(site: Site) -> None:
    """None has started, or it was killed: no process is signaled for its number."""
    assert "start it" in site.scand("trigger", check=False).stderr
    daemon = site.serving()
    until(lambda: daemon.child("scand.feeder"), "a feeder")
    daemon.kill()
    with subprocess.Popen(["sleep", "60"]) as innocent:
        until(lambda: _let_go(site), "the feeder has ended, too")
        (site.staging / "lock").write_text(f"host, pid {innocent.pid}")
        done = site.scand("trigger", check=False)
        assert done.returncode == os.EX_UNAVAILABLE, done.stderr
        time.sleep(0.1)
        assert innocent.poll() is None
        innocent.kill()


def _let_go(site: Site) -> bool:
    return site.scand("trigger", check=False).returncode == os.EX_UNAVAILABLE


def test_a_daemon_that_does_not_answer_is_told(site: Site) -> None:
    """It is stopped: within some seconds a person knows, and when it goes on it scans after all."""
    daemon = site.serving()
    daemon.signal(signal.SIGSTOP)
    try:
        said = triggered(site, os.EX_UNAVAILABLE)
    finally:
        daemon.signal(signal.SIGCONT)
    assert said["came"] == "not_taken"
    until(lambda: site.sql("SELECT id FROM scan_jobs"), "a job")


def test_a_key_is_touched(tmp_path: Path) -> None:
    """It is never made, and a link is not followed; who may not is told who may."""
    key = tmp_path / "scand-scan"
    with pytest.raises(ConfigError, match="sudo scand trigger"):
        touch(key)
    assert not key.exists()
    key.write_text("")
    os.utime(key, (0, 0))
    touch(key)
    assert key.stat().st_mtime > 1_000_000_000
    link = tmp_path / "link"
    link.symlink_to(key)
    with pytest.raises(ConfigError):
        touch(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_may_not_touch_the_key_is_told_how_to_become_one_who_may(tmp_path: Path) -> None:
    """The group is the file's own."""
    import grp  # noqa: PLC0415
    import pwd  # noqa: PLC0415

    key = tmp_path / "scand-scan"
    key.write_text("")
    key.chmod(0o660)
    group = grp.getgrnam("games")
    os.chown(key, 0, group.gr_gid)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent.is_relative_to(tempfile.gettempdir()):
            parent.chmod(parent.stat().st_mode | 0o055)
    nobody = pwd.getpwnam("nobody")
    code = (
        "import os, sys, pathlib; from scand.cli.trigger import touch; from scand.errors import ConfigError\n"
        f"os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})\n"
        "try: touch(pathlib.Path(sys.argv[1]))\nexcept ConfigError as error: print(error.sentence)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(key)], capture_output=True, text=True, check=True)
    said = done.stdout
    assert "sudo usermod -aG games nobody" in said
    assert "sudo scand trigger" in said
