"""What an operator does with systemctl: scan now, reload, stop."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.systemd.box import until

if TYPE_CHECKING:
    from tests.systemd.host import ScanHost


def test_a_signal_makes_a_document(served: ScanHost) -> None:
    """USR1 to all of the unit, as systemctl does by default: a document; another in mid-batch harms nobody."""
    pid = served.pid()
    served.plug_in("--count=4")
    served.box.run("systemctl", "kill", "--signal=STOP", "scanner")
    served.signal("USR1")
    until(lambda: served.said("batch_started"), "it scans, and gets nothing yet")
    for name in ("USR1", "HUP"):
        served.signal(name)
    until(lambda: served.said("scan_refused"), "the signal in mid-batch is refused")
    served.box.run("systemctl", "kill", "--signal=CONT", "scanner")
    (document,) = until(served.inbox, "there is a document")
    assert document.name.startswith("Scan 20")
    assert served.pid() == pid
    served.wait(1, "committed")
    assert served.job(1)["page_count"] == 8


def test_a_key_makes_a_document(served: ScanHost) -> None:
    """`systemctl start scand-scan`, or the touch of a file by a member of scand-users."""
    served.plug_in("--count=1")
    before = len(served.inbox())
    served.box.run("systemctl", "start", "scand-scan")
    until(lambda: len(served.inbox()) == before + 1, "there is a document")
    until(lambda: served.status().startswith("idle"), "it is idle again")
    served.refill()
    served.box.run("systemctl", "start", "scand-scan.path")
    someone = ("setpriv", "--reuid=nobody", "--regid=nogroup")
    touched = served.box.run(*someone, "--clear-groups", "touch", "/run/scand-scan", check=False)
    assert "Permission denied" in touched.stderr
    served.box.run(*someone, "--groups=scand-users", "touch", "/run/scand-scan")
    until(lambda: len(served.inbox()) == before + 2, "there is another")
    until(lambda: served.status().startswith("idle"), "it is idle again")


def test_trigger_tells_what_came_of_it(served: ScanHost) -> None:
    """By root with the signal; by one of the key's group through the path unit, which must run."""
    served.plug_in("--count=1")
    before = len(served.inbox())
    said = served.box.run("scand", "trigger").stdout
    assert " scans" in said or "has scanned" in said
    until(lambda: len(served.inbox()) == before + 1, "there is a document")
    until(lambda: served.status().startswith("idle"), "it is idle again")
    served.refill()
    served.box.run("systemctl", "start", "scand-scan.path")
    group = served.box.run("stat", "--format=%G", "/run/scand-scan").stdout.strip()
    someone = ("setpriv", "--reuid=nobody", "--regid=nogroup")
    refused = served.box.run(*someone, "--clear-groups", "scand", "trigger", check=False)
    assert "Traceback" not in refused.stderr
    assert f"sudo usermod -aG {group} nobody" in refused.stderr
    assert len(served.inbox()) == before + 1
    asked = served.box.run(*someone, f"--groups={group}", "scand", "trigger", check=False)
    assert "Traceback" not in asked.stderr
    until(lambda: len(served.inbox()) == before + 2, asked.stdout + asked.stderr)
    until(lambda: served.status().startswith("idle"), "it is idle again")


def test_a_reload_takes_a_good_config_and_no_bad_one(served: ScanHost) -> None:
    """A changed profile counts for the next job; a bad file changes nothing, and the journal names the key."""
    pid = served.pid()
    served.plug_in("--count=1")
    served.box.write("/etc/scand/profiles.d/default.toml", 'resolution = 100\nmode = "gray"\n')
    served.box.run("systemctl", "reload", "scand")
    until(lambda: served.said("config_reloaded"), "it is reloaded")
    config = served.box.root / "etc/scand/scand.toml"
    config.write_text((good := config.read_text()).replace("[agent]", '[agent]\npol = "1s"'))
    assert served.box.run("systemctl", "reload", "scand", check=False).returncode != 0
    (refused, *_) = until(lambda: served.said("config_refused"), "it is refused")
    assert "agent.pol" in refused["MESSAGE"]
    assert refused["PRIORITY"] == "3"
    job = served.submit()
    served.wait(job, "committed")
    begin = json.loads((served.box.root / f"var/lib/scand/jobs/{job}/batch-0001/begin.json").read_text())
    assert ["resolution", 100] in [applied[:2] for applied in begin["applied"]]
    assert (served.pid(), served.restarts()) == (pid, 0)
    config.write_text(good)


def test_a_stop_in_mid_batch_keeps_the_sheet(served: ScanHost) -> None:
    """It waits for the sheet, however slow; what was scanned is on disk, and the row says why it stopped."""
    served.drop_in("impatient", "[Service]\nTimeoutStopSec=1\n")
    served.plug_in("--count=20", "--ppm=40")
    job = served.submit()
    until(served.fed, "the front of the first sheet is through")
    began = time.monotonic()
    served.box.run("systemctl", "stop", "scand")
    assert 1 < time.monotonic() - began < 10
    assert "scand.service: Deactivated successfully." in served.messages("UNIT=scand.service")
    batch = served.box.root / f"var/lib/scand/jobs/{job}/batch-0001"
    pages = len(list(batch.glob("page-*")))
    assert pages == len((batch / "pages.jsonl").read_text().splitlines()) == len(served.fed())
    assert pages == 2
    served.start()
    served.serves(times=2)
    assert served.wait(job, "ready")["error_code"] == "interrupted"
    assert [entry["SCAND_WHY"] for entry in served.said("daemon_stopping")] == ["SIGTERM"]
