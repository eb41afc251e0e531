"""What journalctl shows of scand: fields, the story of a job, and the catalog's texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scand.agent.log.events import MESSAGES, Event
from tests.systemd.box import until
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost


@pytest.fixture(scope="module")
def told(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host with two stories: job 1 met a jam and was fed the rest, job 2 is thirty sheets and clean."""
    with new_host() as host:
        host.mount_nas()
        host.start()
        host.serves()
        host.plug_in("--count=3", "--fault=jam@2")
        jammed = host.submit("Jammed")
        until(lambda: host.job(jammed)["error_code"], "it jams")
        host.refill()
        host.step(jammed, "scanning")
        host.wait(jammed, "preview")  # a person looks, since it was not said that the batch is to be kept
        host.step(jammed, "committing")
        host.wait(jammed, "committed")
        host.box.write("/etc/scand/profiles.d/default.toml", 'resolution = 75\nmode = "lineart"\n')
        host.box.run("systemctl", "reload", "scand")
        host.plug_in("--count=30")
        host.wait(host.submit("Clean"), "committed", patience=60)
        yield host


def test_every_entry_has_its_fields(told: ScanHost) -> None:
    """Job, event, id and priority, as JSON: a jam is a warning that says code, batch and job."""
    entries = told.box.journal(f"--unit={UNIT}", "SCAND_JOB_ID=1")
    for entry in entries:
        message = MESSAGES[Event(entry["SCAND_EVENT"])]
        assert entry["MESSAGE_ID"] == message.id
        assert entry["PRIORITY"] == str(message.level.priority)
        assert entry["SYSLOG_IDENTIFIER"] == "scand"
        assert entry["_SYSTEMD_UNIT"] == UNIT
    (jam,) = told.said("batch_fault")
    assert jam in entries
    assert (jam["SCAND_ERROR_CODE"], jam["SCAND_BATCH"], jam["PRIORITY"]) == ("feeder_jammed", "1", "4")
    assert [entry["SCAND_JOB_ID"] for entry in told.said("committed")] == ["1", "2"]


def test_a_jobs_story_reads_by_itself(told: ScanHost) -> None:
    """journalctl and scand logs show it in order, one line for each step."""
    story = told.messages(f"--unit={UNIT}", "SCAND_JOB_ID=1")
    assert all(line.startswith("job 1: ") for line in story)
    places = [story.index(next(line for line in story if part in line)) for part in (
        "claimed: Jammed", "batch 1 scans", "batch 1 ended early", "batch 2 scans", "batch 2 recorded, 4 pages",
        "merging", "preview ready", "committing", "committed: ",
    )]  # fmt: skip
    assert places == sorted(places)
    logs = told.box.run("scand", "logs", "1", "--json").stdout
    assert [json.loads(line)["MESSAGE"] for line in logs.splitlines()] == story


def test_a_clean_stack_is_a_handful_of_lines(told: ScanHost) -> None:
    """At level info, thirty sheets give one line for each step and none for a page."""
    assert told.job(2)["page_count"] == 60
    story = told.messages(f"--unit={UNIT}", "SCAND_JOB_ID=2")
    assert len(story) <= 7, story


def test_the_catalog_says_what_to_do(told: ScanHost) -> None:
    """journalctl -x of the jam: what happened and which commands help, with the job's and the batch's number."""
    query = (f"--unit={UNIT}", f"MESSAGE_ID={MESSAGES[Event.BATCH_FAULT].id}")
    text = told.box.run("journalctl", "--catalog", "--output=short", *query).stdout
    assert "Subject: Batch 1 of job 1 ended early" in text
    assert "(feeder_jammed)" in text
    assert "scand restore 1 1" in text
    assert "@" not in text


def test_every_entry_of_the_catalog_is_known_to_the_journal(told: ScanHost) -> None:
    """journald has read the whole file: no entry was lost to its syntax."""
    known = told.box.run("journalctl", "--list-catalog").stdout
    for message in MESSAGES.values():
        if f"-- {message.id}" in (told.box.root / "usr/local/lib/systemd/catalog/scand.catalog").read_text():
            assert f"{message.id} scand:" in known
