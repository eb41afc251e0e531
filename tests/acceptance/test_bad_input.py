"""Bad input gets a sentence that says what to do, and the right code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.site import until

if TYPE_CHECKING:
    from typing import Any

    from tests.support.site import Site

BAD_SETTINGS = [
    ({"sidez": "duplex"}, "sidez", "sides"),
    ({"sides": "duplx"}, "duplx", "duplex"),
    ({"resolution": "300"}, "resolution", "whole number"),
    ({"resolution": 5}, "resolution", "5"),
    ({"profile": "no-such"}, "no-such", "default"),
    ({"quality": 100}, "quality", "95"),
    ({"inbox": "../elsewhere"}, "inbox", "below"),
    ({"source": "flatbed", "sides": "duplex"}, "flatbed", "duplex"),
]


@pytest.mark.parametrize(
    ("settings", "named", "remedy"), BAD_SETTINGS, ids=[json.dumps(s) for s, _, _ in BAD_SETTINGS]
)
def test_bad_settings_fail_the_job_with_the_key_and_what_it_may_be(
    site: Site, settings: dict[str, Any], named: str, remedy: str
) -> None:
    """Bad settings fail the job with the key and its possible values, and no paper moves."""
    daemon = site.serving()
    job = site.submit(scan="auto", **settings)
    row = site.wait(job, "failed")
    assert row["error_code"] == "bad_settings"
    assert named in row["error"]
    assert remedy in row["error"]
    assert daemon.said("batch_started") == []
    again = site.submit()
    site.wait(again, "ready")


CONFIGS = [
    ("[agent]\npol = '1s'", "agent.pol"),
    ("[agent]\npoll = 'soon'", "agent.poll"),
    ("[staging]\nmin_free = true", "staging"),
    ("[nonsense]\n", "nonsense"),
    ("[profiles.x]\nsides = 'both'", "profiles.x"),
    ("not toml at all", 'has no "="'),
]


@pytest.mark.parametrize(("extra", "named"), CONFIGS, ids=[named for _, named in CONFIGS])
def test_a_bad_config_stops_the_daemon_with_78(site: Site, extra: str, named: str) -> None:
    """A bad config ends the daemon with exit status 78, so that systemd does not restart it, and names the key."""
    text = site.config.read_text()
    if extra.startswith("[staging]"):
        text = text.replace('min_free = "1MiB"', "min_free = true")
        extra = ""
    site.config.write_text(text + "\n" + extra)
    result = site.scand("run", check=False)
    assert result.returncode == 78
    assert named in result.stderr


def test_a_config_without_a_nas_stops_the_daemon_with_78(site: Site) -> None:
    """A config without nas.root ends the daemon with exit status 78, since there is no default."""
    lines = [line for line in site.config.read_text().splitlines() if not line.startswith("root =")]
    site.config.write_text("\n".join(lines))
    result = site.scand("run", check=False)
    assert result.returncode == 78
    assert "nas.root" in result.stderr


def test_a_nas_without_its_marker_is_not_written_to(site: Site) -> None:
    """Nothing is written under what may be a bare mountpoint, and the job waits and says why."""
    site.serving()
    job = site.submit(scan="auto", finish="hold")
    until(lambda: site.batches(job), "the batch")
    (site.nas / ".scand-volume").unlink()
    site.step(job, "assembling")
    until(lambda: site.job(job)["error_code"] == "nas_unavailable", "the NAS is away")
    assert list(site.nas.iterdir()) == []
    assert "nas init" in site.job(job)["error"]
    site.scand("nas", "init")
    site.wait(job, "preview")


def test_another_volume_is_not_written_to(site: Site) -> None:
    """A NAS with another id than the one that scand knows is not written to."""
    site.serving()
    job = site.submit(scan="auto", finish="hold")
    until(lambda: site.batches(job), "the batch")
    (site.nas / ".scand-volume").write_text("3b1f0e4e-0000-4000-8000-000000000000\n")
    site.step(job, "assembling")
    until(lambda: site.job(job)["error_code"] == "nas_wrong_volume", "the wrong NAS")
    assert [path.name for path in site.nas.iterdir()] == [".scand-volume"]


def test_a_database_that_refuses_the_login_ends_the_daemon(site: Site) -> None:
    """A login that does not exist ends the daemon with exit status 78, since trying again would not help."""
    url = urlsplit(site.database_url)
    stranger = url._replace(netloc=f"no-such-login:x@{url.netloc.rpartition('@')[2]}").geturl()
    site.config.write_text(site.config.read_text().replace(site.database_url, stranger))
    daemon = site.start()
    assert daemon.process.wait(30) == 78
    assert "refuses the login" in daemon.log_path.read_text()


def test_an_older_schema_ends_the_daemon(site: Site) -> None:
    """A schema that is older than the code ends the daemon with the advice to run `scand migrate`."""
    site.sql("DELETE FROM scand_migrations WHERE version = (SELECT max(version) FROM scand_migrations)")
    daemon = site.start()
    assert daemon.process.wait(30) == 78
    assert f"scand --config {site.config} migrate" in daemon.log_path.read_text()


def test_steps_that_differ_from_the_code_end_the_daemon(site: Site) -> None:
    """Steps in SQL that differ from those in the code end the daemon."""
    site.sql("DELETE FROM scan_job_transitions WHERE to_status = 'canceled' AND from_status = 'draft'")
    daemon = site.start()
    assert daemon.process.wait(30) == 78
    assert "scan_job_transitions" in daemon.log_path.read_text()
