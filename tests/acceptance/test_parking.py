"""Nothing that waits holds the scanner: not a NAS that is away, not a preview that nobody answers."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_nas_away import in_order
from tests.support.isolated import needs_fuse, needs_mounts
from tests.support.nas import fill
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.nas import FaultyVolume, Nas
    from tests.support.site import Simulator

SOAK = bool(os.environ.get("SCAND_SOAK"))

OUTAGE = 600.0 if SOAK else 4.0
"""Seconds for which the NAS is away, at least."""

BACK = 30.0
"""Seconds after its return by which all documents are in the Inbox."""

PEOPLE = 5

pytestmark = [needs_mounts, pytest.mark.timeout(900 if SOAK else 120)]


@pytest.fixture
def scanner(simulate: MakeSimulator) -> Simulator:
    """A scanner with one sheet in its feeder."""
    return simulate("--count", "1")


@pytest.fixture
def patient(tmp_path: Path, migrated_url: str, scanner: Simulator) -> Iterator[Site]:
    """A site in which a preview keeps the scanner for a second."""
    site = Site(tmp_path, migrated_url, scanner.config, '[agent]\npreview_hold = "1s"')
    yield site
    site.close()


def feed(site: Site, scanner: Simulator, title: str, **settings: str) -> int:
    """Put a sheet in and scan it into a new job, as somebody at the scanner does; it is finished by itself."""
    scanner.reload()
    job = site.submit(title, **{"finish": "commit", **settings})
    site.wait(job, "ready")
    site.step(job, "scanning")
    until(lambda: site.batches(job), f"{title} is scanned")
    return job


def where(site: Site, job: int) -> tuple[str, str | None]:
    """The job's status, and where it goes on."""
    row = site.job(job)
    return row["status"], row["resumes_in"]


def committed(site: Site, jobs: list[int], patience: float) -> None:
    """Wait until they are all in the Inbox, and check that they came in order."""
    end = time.monotonic() + patience
    for job in jobs:
        site.wait(job, "committed", max(0.1, end - time.monotonic()))
    came = site.sql("SELECT job_id FROM scan_job_events WHERE to_status = 'committed' ORDER BY id")
    assert [row["job_id"] for row in came] == jobs


def unplugged(nas: Nas, _faulty: FaultyVolume) -> Callable[[], None]:
    """The NAS is not mounted; the function mounts it."""
    nas.unmount()
    return lambda: void(nas.mount("faulty"))


def void(_value: object) -> None:
    """Nothing."""


def refusing(_nas: Nas, faulty: FaultyVolume) -> Callable[[], None]:
    """Every call gets EIO; the function ends that."""
    faulty.fault(refuses=dict.fromkeys(("lookup", "open", "create", "mkdir", "getattr"), 5))
    return lambda: faulty.fault(refuses={})


def hanging(_nas: Nas, faulty: FaultyVolume) -> Callable[[], None]:
    """No call is answered; the function ends that."""
    faulty.fault(hangs=["lookup", "open", "read", "write", "create", "getattr", "fsync", "rename"])
    return lambda: faulty.fault(hangs=[])


@needs_fuse
@pytest.mark.parametrize("goes", [unplugged, refusing, hanging] if SOAK else [unplugged, hanging])
def test_five_people_scan_while_the_nas_is_away(
    mounted: Site,
    nas: Nas,
    faulty: FaultyVolume,
    scanner: Simulator,
    goes: Callable[[Nas, FaultyVolume], Callable[[], None]],
) -> None:
    """All stacks are scanned meanwhile; once it is back all documents are in the Inbox, in order, none twice."""
    daemon = mounted.serving()
    comes_back, went = goes(nas, faulty), time.monotonic()
    jobs = [feed(mounted, scanner, f"Person {number}") for number in range(1, PEOPLE + 1)]
    waiting = mounted.submit("Next")  # somebody who has paper, and nothing that waits is in the way
    mounted.wait(waiting, "ready")
    assert {where(mounted, job) for job in jobs} == {("queued", "assembling")}
    mounted.step(waiting, "canceled")
    until(lambda: time.monotonic() - went > OUTAGE, "the outage is over", OUTAGE + 30)
    comes_back()
    committed(mounted, jobs, BACK)
    assert [numbers(mounted.nas / mounted.job(job)["inbox_path"]) for job in jobs] == [
        [2 * number - 1, 2 * number] for number in range(1, PEOPLE + 1)
    ]
    assert len(daemon.said("job_parked")) >= PEOPLE
    assert in_order(mounted, nas, scanner)


@needs_fuse
def test_a_click_comes_before_parked_deliveries(
    mounted: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator
) -> None:
    """They take turns: whoever wants to scan waits for one document at most, however many are parked."""
    mounted.serving()
    comes_back = refusing(nas, faulty)
    jobs = [feed(mounted, scanner, f"Parked {number}") for number in range(4)]
    last = mounted.submit("Last")
    mounted.wait(last, "ready")
    clicks = [mounted.submit(f"Click {number}") for number in range(2)]
    comes_back()
    until(lambda: mounted.job(jobs[-1])["resumes_in"] == "assembling", "all are parked")
    time.sleep(5.5)  # the check that runs while somebody is at the scanner
    mounted.step(last, "canceled")
    for click in clicks:
        mounted.wait(click, "ready")
        mounted.step(click, "canceled")
    claims = mounted.sql(
        "SELECT job_id FROM scan_job_events WHERE from_status = 'queued' AND actor = 'agent' ORDER BY id"
    )
    turns = [row["job_id"] for row in claims][len(jobs) + 1 :]
    assert turns[:4] in ([clicks[0], jobs[0], clicks[1], jobs[1]], [jobs[0], clicks[0], jobs[1], clicks[1]])
    committed(mounted, jobs, BACK)
    assert in_order(mounted, nas, scanner)


@needs_fuse
def test_a_full_nas_is_not_filled_in_vain(mounted: Site, nas: Nas, scanner: Simulator) -> None:
    """Parked jobs do not take turns copying: nothing is copied before there is room for the next merge."""
    daemon = mounted.serving()
    (mounted.nas / "Inbox").mkdir()
    filler = mounted.nas / "filler"
    fill(filler)
    jobs = [feed(mounted, scanner, f"Full {number}") for number in range(3)]
    next_job = mounted.submit("Next")
    mounted.wait(next_job, "ready")
    mounted.step(next_job, "canceled")
    assert {where(mounted, job) for job in jobs} == {("queued", "assembling")}
    tries = sum(line["task"] == "assemble" for line in daemon.said("courier_started"))
    assert tries <= 2  # the first one found out
    until(lambda: sum(line["task"] == "check" for line in daemon.said("courier_started")) >= 2, "it asks")
    assert sum(line["task"] == "assemble" for line in daemon.said("courier_started")) == tries
    filler.unlink()
    committed(mounted, jobs, BACK)
    assert in_order(mounted, nas, scanner)


@needs_fuse
def test_a_nas_that_goes_in_the_very_rename(
    mounted: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator
) -> None:
    """The name is in the row: the job is parked, cannot be taken away, and is published once."""
    (faulty.backing / "Inbox").mkdir()
    mounted.serving()
    job = feed(mounted, scanner, "Letter", finish="preview")
    mounted.wait(job, "preview")
    renames = faulty.calls().count("rename")
    faulty.fault(hangs=["rename"])
    mounted.step(job, "committing")
    until(lambda: faulty.calls().count("rename") > renames, "the one rename is under way")
    other = mounted.submit("Other")
    mounted.wait(other, "ready")
    assert where(mounted, job) == ("queued", "committing")
    refused = mounted.scand("cancel", str(job), check=False)
    assert "its document may be there already" in refused.stderr
    faulty.fault(hangs=[])
    mounted.step(other, "canceled")
    row = mounted.wait(job, "committed")
    assert [path.name for path in (faulty.backing / "Inbox").iterdir()] == [
        f"Letter (job {job}).pdf"
    ]  # there is no RENAME_NOREPLACE
    assert numbers(faulty.backing / row["inbox_path"]) == [1, 2]
    assert in_order(mounted, nas, scanner)


@needs_fuse
@pytest.mark.parametrize("published", [False, True])
def test_a_document_on_its_way_is_taken_back(
    mounted: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator, *, published: bool
) -> None:
    """Only once the agent has seen that it is not in the Inbox; else it is committed."""
    (faulty.backing / "Inbox").mkdir()
    daemon = mounted.serving()
    job = feed(mounted, scanner, "Letter", finish="preview")
    staged = mounted.wait(job, "preview")["nas_staging_path"]
    if published:
        faulty.fault(loses=["rename"], refuses={"fsyncdir": 5})
    else:
        faulty.fault(refuses={"rename": 5})
    mounted.step(job, "committing")
    until(lambda: mounted.job(job)["inbox_path"] and mounted.job(job)["error_code"], "it is tried in vain")
    other = mounted.submit("Other")
    mounted.wait(other, "ready")
    mounted.step(job, "preview")
    row = mounted.job(job)
    assert (row["status"], row["resumes_in"], row["withdraw"]) == ("queued", "committing", "preview")
    faulty.fault(loses=[], refuses={})
    mounted.step(other, "canceled")
    row = mounted.wait(job, "committed" if published else "preview")
    if not published:
        assert (row["inbox_path"], row["withdraw"], row["error"]) == (None, None, None)
        assert numbers(faulty.backing / staged) == [1, 2]
        assert [line["job"] for line in daemon.said("withdrawn")] == [job]
        mounted.step(job, "committing")
        mounted.wait(job, "committed")
    assert [path.name for path in (faulty.backing / "Inbox").iterdir()] == [
        f"Letter (job {job}).pdf"
    ]  # there is no RENAME_NOREPLACE
    assert in_order(mounted, nas, scanner)


@needs_fuse
def test_a_nas_that_never_comes_back(
    mounted: Site, nas: Nas, faulty: FaultyVolume, scanner: Simulator
) -> None:
    """An operator gives the job up; tried again, it is published only after a look into the Inbox."""
    (faulty.backing / "Inbox").mkdir()
    mounted.serving()
    job = feed(mounted, scanner, "Letter", finish="preview")
    mounted.wait(job, "preview")
    faulty.fault(loses=["rename"], refuses={"fsyncdir": 5})
    mounted.step(job, "committing")
    until(lambda: mounted.job(job)["inbox_path"] and mounted.job(job)["error_code"], "it is tried in vain")
    mounted.sql("UPDATE scan_jobs SET withdraw = 'failed' WHERE id = %s", job)
    row = mounted.wait(job, "failed")
    assert row["error_code"] == "publication_unknown"
    assert mounted.spool(job).exists()
    mounted.step(job, "queued")
    assert mounted.job(job)["withdraw"] == "preview"
    faulty.fault(loses=[], refuses={})
    mounted.wait(job, "committed")
    assert [path.name for path in (faulty.backing / "Inbox").iterdir()] == [
        f"Letter (job {job}).pdf"
    ]  # there is no RENAME_NOREPLACE
    assert in_order(mounted, nas, scanner)


def held(site: Site, scanner: Simulator) -> int:
    """A preview that gave way to another job, which is canceled again."""
    job = feed(site, scanner, "Held", finish="preview")
    site.wait(job, "preview")
    other = site.submit("Other")
    site.wait(other, "ready")
    assert where(site, job) == ("queued", "preview")
    assert (site.nas / site.job(job)["nas_staging_path"]).exists()
    site.step(other, "canceled")
    return job


def test_a_preview_that_nobody_answers_gives_way(patient: Site, scanner: Simulator) -> None:
    """Commit, reopen, another title and cancel of the parked one by the same commands as ever."""
    patient.serving()
    job = held(patient, scanner)
    beat = patient.sql("SELECT last_heartbeat AS at FROM scan_agent_status")[0]["at"]
    until(lambda: patient.sql("SELECT last_heartbeat AS at FROM scan_agent_status")[0]["at"] > beat, "a beat")
    assert where(patient, job) == ("queued", "preview")  # it waits for a person, also with the scanner free
    patient.scand("commit", str(job))
    patient.wait(job, "committed")
    job = held(patient, scanner)
    patient.scand("reopen", str(job))
    patient.wait(job, "ready")
    assert len(patient.batches(job)) == 1
    patient.scand("finish", str(job))
    patient.wait(job, "preview")
    patient.scand("cancel", str(job))
    job = held(patient, scanner)
    patient.scand("rename", str(job), "Another")
    row = patient.wait(job, "preview")
    assert row["title"] == "Another"
    patient.scand("commit", str(job))
    assert patient.wait(job, "committed")["inbox_path"] == "Inbox/Another.pdf"
    job = held(patient, scanner)
    patient.scand("cancel", str(job))
    until(lambda: patient.job(job)["nas_staging_path"] is None, "its staged file goes")
    assert patient.job(job)["status"] == "canceled"


def test_the_signal_finds_the_scanner_free(patient: Site, scanner: Simulator) -> None:
    """Whoever presses the button scans, though somebody else's preview is there; and its job is not touched."""
    daemon = patient.serving()
    job = feed(patient, scanner, "Held", finish="preview")
    patient.wait(job, "preview")
    time.sleep(1.1)
    scanner.reload()
    daemon.signal(signal.SIGUSR1)
    (made,) = until(lambda: daemon.said("manual_job_made"), "a job is made")
    until(lambda: patient.batches(made["job"]), "it is scanned")
    assert where(patient, job) == ("queued", "preview")


def test_after_a_restart_a_parked_delivery_waits_for_a_check(
    mounted: Site, nas: Nas, scanner: Simulator
) -> None:
    """With the NAS away nothing is tried; once a check went well, it goes on."""
    daemon = mounted.serving()
    nas.unmount()
    job = feed(mounted, scanner, "Parked")
    other = mounted.submit("Other")
    mounted.wait(other, "ready")
    mounted.step(other, "canceled")
    daemon.kill()
    daemon = mounted.serving()
    until(lambda: any(line["task"] == "check" for line in daemon.said("courier_started")), "it asks")
    until(lambda: daemon.said("nas_away"), "it is away")
    assert where(mounted, job) == ("queued", "assembling")
    assert [line for line in daemon.said("courier_started") if line["task"] == "assemble"] == []
    nas.mount("ours")
    mounted.wait(job, "committed")
    assert in_order(mounted, nas, scanner)


def test_a_folder_that_refuses_one_document_holds_up_no_other(patient: Site, scanner: Simulator) -> None:
    """A file lies where its folder should be: the job is told so at its preview, and others are delivered."""
    daemon = patient.serving()
    (patient.nas / "Taxes").write_text("no folder")
    job = feed(patient, scanner, "Refused", inbox="Taxes")
    row = until(lambda: (row := patient.job(job))["error_code"] == "place_refused" and row, "it is told")
    assert row
    assert (row["status"], row["inbox_path"]) == ("preview", None)
    assert 'takes no document in "Taxes"' in row["error"]
    other = feed(patient, scanner, "Another")
    patient.wait(other, "committed")
    assert daemon.said("nas_away") == []
    (patient.nas / "Taxes").unlink()
    patient.scand("commit", str(job))
    assert patient.wait(job, "committed")["inbox_path"] == "Taxes/Refused.pdf"
