"""The NAS goes, comes back, hangs, corrupts and fills up: the document waits, and gets into the Inbox once.

Each test ends with the checker, and with a bare mountpoint under which no name was ever made.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.checker import Checker
from tests.support.isolated import needs_fuse, needs_mounts
from tests.support.nas import fill
from tests.support.site import PATIENCE, Site, numbers, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.nas import FaultyVolume, Nas
    from tests.support.site import Simulator

MARKER = ".scand-volume"
SIDES = [1, 2, 3, 4]

pytestmark = needs_mounts


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A scanner with two sheets in its feeder."""
    return simulate("--count", "2")


@pytest.fixture
def site(mounted: Site) -> Site:
    """A site that requires a mount."""
    return mounted


def in_order(site: Site, nas: Nas, scanner: Simulator) -> bool:
    """Check every invariant at the end; False: something was written under the bare mountpoint."""
    found = Checker(site.connection, site.staging, site.nas, scanner.fed).settled()
    assert found == [], site.last_log()
    return nas.untouched()


def trouble(site: Site, job: int, code: str, *words: str) -> None:
    """Wait until a job says that it waits for the NAS, and why."""

    def said() -> bool:
        row = site.job(job)
        return row["error_code"] == code and all(word in row["error"] for word in words)

    until(said, f"{code} {words}, not {site.job(job)['error']}")


def at_once(site: Site, job: int) -> None:
    """Take the job back and assemble again, instead of waiting for the next try."""
    site.step(job, "ready")
    site.step(job, "assembling")


def beats(site: Site) -> None:
    """Wait for the next heartbeat."""

    def beat() -> object:
        return site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"]

    before = beat()
    until(lambda: beat() != before, "the heartbeat goes on")


def test_only_its_own_volume_will_do(site: Site, nas: Nas, scanner: Simulator) -> None:
    """With no volume, one without a marker, or another's, the document waits and is tried again."""
    nas.unmount()
    blank, stranger = nas.add("blank"), nas.add("stranger")
    (stranger / MARKER).write_text("another\n")
    site.serving()
    job = site.submit("Letter", scan="auto", finish="commit")
    trouble(site, job, "nas_unavailable", "mounted")
    until(lambda: site.job(job)["attempts"] >= 2, "it is tried again by itself")
    nas.mount("blank")
    at_once(site, job)
    trouble(site, job, "nas_unavailable", f"has no {MARKER}")
    nas.exchange("stranger")
    at_once(site, job)
    trouble(site, job, "nas_wrong_volume", "another volume")
    assert site.job(job)["status"] == "assembling"
    nas.exchange("ours")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == SIDES
    assert [path.name for path in (*blank.iterdir(), *stranger.iterdir())] == [MARKER]
    assert in_order(site, nas, scanner)


def test_what_is_on_the_nas_is_looked_at_each_time(site: Site, nas: Nas, scanner: Simulator) -> None:
    """A full or read-only NAS, a staged file that is changed or gone, and a name that is taken are all handled."""
    site.serving()
    inbox = site.nas / "Inbox"
    inbox.mkdir()
    (inbox / "Letter.pdf").write_text("somebody else's")
    filler = site.nas / "filler"
    fill(filler)
    job = site.submit("Letter", scan="auto", finish="preview")
    trouble(site, job, "nas_full", "make room")
    assert list(site.nas.rglob("*.pdf")) == [inbox / "Letter.pdf"]
    filler.unlink()
    flip(site.nas / site.wait(job, "preview")["nas_staging_path"])
    site.step(job, "committing")
    until(lambda: site.job(job)["error_code"] == "staged_file_gone", "another file is refused")
    row = site.wait(job, "preview")
    assert (row["inbox_path"], site.inbox()) == (None, [inbox / "Letter.pdf"])
    site.step(job, "ready")
    site.step(job, "assembling")
    # One that is gone is staged again: the row's hash shows that the local merge is what was previewed.
    (site.nas / site.wait(job, "preview")["nas_staging_path"]).unlink()
    nas.read_only("ours", yes=True)
    site.step(job, "committing")
    trouble(site, job, "nas_readonly", "read-write")
    assert site.job(job)["status"] == "committing"
    nas.read_only("ours", yes=False)
    row = site.wait(job, "committed")
    assert row["inbox_path"] == "Inbox/Letter (2).pdf"
    assert (inbox / "Letter.pdf").read_text() == "somebody else's"
    (inbox / "Letter.pdf").unlink()
    assert in_order(site, nas, scanner)


def flip(file: Path) -> None:
    """Flip one bit of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@needs_fuse
def test_what_happens_in_mid_copy(site: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator) -> None:
    """After a flipped bit the copy is made again, and after a change of volumes it goes to the right one."""
    stranger = nas.add("stranger")
    (stranger / MARKER).write_text("another\n")
    site.serving()
    faulty.fault(spoils=True)
    job = site.submit("Letter", scan="auto", finish="preview")
    until(lambda: site.job(job)["attempts"] == 2, "it is copied again")
    assert site.job(job)["error_code"] == "verify_failed"
    assert list(faulty.backing.rglob("*.pdf")) == []
    reads, writes = (faulty.calls().count(call) for call in ("read", "write"))
    faulty.fault(spoils=False, hangs=["read"])
    until(lambda: faulty.calls().count("read") > reads, "the marker is being read")
    nas.unmount()
    faulty.fault(hangs=["write"])
    until(lambda: faulty.calls().count("write") > writes, "a copy is under way")
    nas.mount("stranger")
    faulty.fault(hangs=[])
    row = site.wait(job, "preview")
    assert numbers(faulty.backing / row["nas_staging_path"]) == SIDES
    site.step(job, "committing")
    trouble(site, job, "nas_wrong_volume")
    nas.exchange("faulty")
    site.wait(job, "committed")
    assert [path.name for path in stranger.iterdir()] == [MARKER]
    assert in_order(site, nas, scanner)


@needs_fuse
def test_nothing_waits_for_a_nas_that_hangs(
    site: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator
) -> None:
    """While a courier hangs and cannot even be killed, heartbeat, cancel and the next scan go on."""
    site.serving()
    faulty.fault(hangs=["write"])
    first = site.submit("First", scan="auto", finish="commit")
    until(lambda: "write" in faulty.calls(), "a courier hangs")
    beats(site)
    scanner.reload()
    second = site.submit("Second", scan="auto", finish="commit")
    site.step(first, "canceled")
    trouble(site, second, "nas_hung", "does not answer")
    until(lambda: site.job(second)["attempts"] >= 2, "it is tried again by itself")
    beats(site)
    assert site.job(second)["status"] == "assembling"
    faulty.fault(hangs=[])
    at_once(site, second)
    row = site.wait(second, "committed")
    assert numbers(site.nas / row["inbox_path"]) == [5, 6, 7, 8]
    until(lambda: not list(faulty.backing.glob(".scan-staging/*/*")), "nothing of the canceled job stays")
    assert nas.untouched()


@needs_fuse
def test_a_consumer_that_takes_the_file_at_once(
    site: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator
) -> None:
    """A job is committed once even if a consumer takes the file just before the daemon is killed."""
    (faulty.backing / "Inbox").mkdir()
    daemon = site.serving()
    job = site.submit("Letter", scan="auto", finish="preview")
    site.wait(job, "preview")
    renames = faulty.calls().count("rename")
    faulty.fault(hangs=["rename"])
    site.step(job, "committing")
    until(lambda: faulty.calls().count("rename") > renames, "the one rename is under way")
    document = faulty.backing / site.job(job)["inbox_path"]
    taken = site.directory / "taken.pdf"
    with psycopg.connect(site.database_url) as client:
        client.execute("SELECT FROM scan_jobs WHERE id = %s FOR UPDATE", (job,))
        faulty.fault(hangs=[])
        until(document.exists, "it is in the Inbox")
        document.rename(taken)
        daemon.kill()
    assert site.job(job)["status"] == "committing"
    site.serving()
    site.wait(job, "committed")
    assert site.inbox() == []
    taken.rename(document)
    assert in_order(site, nas, scanner)


def test_mounted_and_unmounted_at_random(site: Site, nas: Nas, scanner: Simulator) -> None:
    """With the NAS mounted and unmounted and the daemon killed at random, every document arrives once."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    nas.add("blank")
    for number in range(3):
        daemon = site.serving()
        job = site.submit(f"seed {seed}, round {number}", scan="auto", finish="commit")
        end = time.monotonic() + PATIENCE
        until(lambda job=job: site.batches(job), "the batch")  # type: ignore[misc]
        for _ in range(chance.randrange(3, 7)):
            nas.unmount()
            time.sleep(chance.uniform(0, 0.15))
            if chance.random() < 0.3:
                nas.mount("blank")
                time.sleep(chance.uniform(0, 0.1))
                nas.unmount()
            nas.mount("ours")
            time.sleep(chance.uniform(0, 0.3))
        assert time.monotonic() < end
        site.wait(job, "committed")
        daemon.kill()
        scanner.reload()
    assert in_order(site, nas, scanner)
