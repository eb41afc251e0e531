"""What people learn from the daemon: the hook, the log of a job, the ready flag, and messages about the config."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

from tests.support.site import Site, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


def hook(site: Site, script: str) -> str:
    """Write a program for hooks.on_event, and return the config section that names it."""
    program = site.directory / "hook.py"
    program.write_text(script)
    return f'[hooks]\non_event = "{sys.executable} {program}"'


def test_the_hook_is_told_what_a_person_should_know(site: Site) -> None:
    """The hook gets one JSON object on stdin for a preview, a commit and a fault, and none for a claim."""
    heard = site.directory / "heard"
    site.configure(hook(site, f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read())"))
    site.serving()
    job = site.submit("Told", scan="auto", finish="commit")
    site.wait(job, "committed")
    job = site.submit("Empty", scan="auto")
    until(lambda: site.job(job)["error_code"] == "feeder_empty", "the fault")
    until(lambda: heard.exists() and len(heard.read_text().splitlines()) == 3, "three events")
    events = [json.loads(line) for line in heard.read_text().splitlines()]
    assert {event["event"] for event in events} == {"preview_ready", "committed", "job_ready_with_error"}
    (committed,) = [event for event in events if event["event"] == "committed"]
    assert committed["path"] == "Inbox/Told.pdf"
    assert {event["title"] for event in events} == {"Told", "Empty"}
    assert [event["pages"] for event in events if event["title"] == "Told"] == [6, 6]
    assert [event["pages"] for event in events if event["title"] == "Empty"] == [0]
    assert "committed" in committed["message"]


def test_a_hook_that_fails_or_is_missing_is_only_logged(site: Site) -> None:
    """A hook that fails or is missing is logged, and the document is in the Inbox all the same."""
    site.configure(hook(site, "import sys; sys.exit(3)"))
    daemon = site.serving()
    job = site.submit(scan="auto", finish="commit")
    site.wait(job, "committed")
    until(lambda: daemon.said("hook_failed"), "the log says so")
    assert "exit status 3" in daemon.said("hook_failed")[0]["message"]
    site.configure('[hooks]\non_event = "/no/such/program"')
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.said("config_reloaded"), "reloaded")
    job = site.submit(scan="auto")
    until(lambda: "No such file" in daemon.said("hook_failed")[-1]["message"], "the log says that, too")


def test_a_changed_profile_file_is_read_by_itself(site: Site) -> None:
    """A changed profile or config file is read without a signal, and a bad one keeps the old config."""
    daemon = site.serving()
    profiles = site.directory / "profiles.d"
    profiles.mkdir()
    (profiles / "fronts.toml").write_text('sides = "simplex"\n')
    until(lambda: daemon.said("config_reloaded"), "read again")
    job = site.submit(profile="fronts", scan="auto", finish="preview")
    assert site.wait(job, "preview")["page_count"] == 3
    new = site.directory / "scand.toml.new"
    new.write_text(site.config.read_text().replace('mode = "gray"', 'mode = "grey-ish"'))
    new.rename(site.config)
    (refused,) = until(lambda: daemon.said("config_refused"), "refused")
    assert "grey-ish" in refused["message"]
    assert daemon.process.poll() is None


def test_a_change_that_needs_a_restart_is_logged(site: Site, tmp_path: Path) -> None:
    """A new staging directory is not used before a restart, which the log says; other changes are used at once."""
    daemon = site.serving()
    text = site.config.read_text().replace(str(site.staging), str(tmp_path / "other"))
    site.config.write_text(text.replace('inbox = "Inbox"', 'inbox = "Other"'))
    until(lambda: daemon.said("config_reloaded"), "read again")
    (said,) = daemon.said("config_needs_restart")
    assert "[staging]" in said["message"]
    job = site.submit("T", scan="auto", finish="commit")
    assert site.wait(job, "committed")["inbox_path"] == "Other/T.pdf"
    assert not (tmp_path / "other").exists()


def test_ready_is_more_than_alive(tmp_path: Path, migrated_url: str, simulate: MakeSimulator) -> None:
    """Without scanner or NAS the daemon is alive but not ready, and its state says what is missing."""
    scanner = simulate()
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        (scanner.config / "net.conf").write_text("127.0.0.254\n")
        marker, hidden = site.nas / ".scand-volume", site.nas / "hidden"
        marker.rename(hidden)
        daemon = site.serving()

        def health() -> dict[str, object]:
            return site.sql("SELECT * FROM scan_agent_health")[0]

        until(lambda: daemon.said("scanner_missing") and daemon.said("nas_away"), "both are missed")
        until(lambda: not health()["ready"], "the row says so")
        assert health()["alive"]
        until(lambda: "no NAS" in str(health()["state"]), "the state names the NAS")
        until(lambda: "no scanner" in str(health()["state"]), "the state names the scanner")
    finally:
        site.close()


def test_the_log_of_a_job_is_short(site: Site, scanner: Simulator) -> None:
    """The log lines of one job are in order, understandable by themselves, and few."""
    daemon = site.serving()
    job = site.submit("Logged", finish="hold")
    site.wait(job, "ready")
    site.scan(job)
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "ready")
    until(lambda: daemon.said("job_reopened"), "the daemon has seen it")
    site.step(job, "canceled")
    until(lambda: daemon.said("job_canceled"), "the last line")
    lines = [line for line in daemon.log() if line.get("job") == job and line["level"] != "debug"]
    assert [line["event"] for line in lines] == [
        "job_claimed",
        "batch_started",
        "batch_recorded",
        "assembling",
        "preview_ready",
        "job_reopened",
        "job_canceled",
    ]


def test_trigger_finds_the_daemon(site: Site) -> None:
    """`scand trigger` makes the daemon scan, and without a daemon says how to start one."""
    result = site.scand("trigger", check=False)
    assert result.returncode == 69
    assert "systemctl start" in result.stderr
    site.serving()
    site.scand("trigger")
    until(lambda: site.sql("SELECT id FROM scan_jobs WHERE status = 'committed'"), "a document")
