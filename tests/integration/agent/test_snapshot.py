"""The job's part of a snapshot, read from a real directory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scand.agent import retention
from scand.agent.snapshot import Spooled, read_spool
from scand.errors import TryAgain
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job
from scand.queue.agent_rows import MOST_BATCHES
from scand.spool.directories import Spool
from scand.spool.records import Begin, End

if TYPE_CHECKING:
    from pathlib import Path

    from scand.spool.batches import BatchDirectory

JOB = Job(
    id=42,
    title="T",
    settings={},
    status=Status.SCANNING,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    batches=(BatchRow(1, "/x.pdf", 4, BatchStatus.SCANNED),),
)


def begun(spool: Spool, seq: int, installation: str = "a") -> BatchDirectory:
    """A batch that has begun in the directory of job 42."""
    directory, _ = spool.job(retention.record(JOB.id, JOB.created_at, installation))
    batch = directory.batch(seq)
    batch.begin(Begin(device="test:0", duplex=False))
    return batch


def test_a_job_with_absurdly_many_batches_fails(tmp_path: Path) -> None:
    """Each look would read them all: it is told, and the directory is left alone."""
    many = tuple(BatchRow(seq, None, 1, BatchStatus.SCANNED) for seq in range(1, MOST_BATCHES + 2))
    spooled = read_spool(replace(JOB, batches=many), Spool(tmp_path), "a")
    assert spooled.trouble
    assert "more than 10000 batches" in spooled.trouble.sentence
    assert not (tmp_path / "jobs" / "42").exists()


def test_only_batches_that_the_rows_lack_are_read(tmp_path: Path) -> None:
    """The next batch's number follows the highest of both."""
    spool = Spool(tmp_path)
    begun(spool, 1)
    begun(spool, 2).finish(End(code=ErrorCode.FEEDER_EMPTY))
    found = read_spool(JOB, spool, "a")
    assert [batch.seq for batch in found.unrecorded] == [2]
    assert (found.last, found.trouble, found.aside) == (2, None, None)


def test_the_directory_of_another_database_is_put_aside(tmp_path: Path) -> None:
    """Its pages are nobody's here, but they stay on disk."""
    spool = Spool(tmp_path)
    begun(spool, 2, installation="b")
    found = read_spool(JOB, spool, "a")
    assert (found.unrecorded, found.last) == ((), 1)
    assert found.aside is not None
    assert (found.aside / "batch-0002" / "begin.json").exists()


def test_a_damaged_record_is_the_jobs_trouble(tmp_path: Path) -> None:
    """It does not stop the daemon."""
    spool = Spool(tmp_path)
    (begun(spool, 2).path / "end.json").write_text('{"code": "rust"}')
    trouble = read_spool(JOB, spool, "a").trouble
    assert trouble is not None
    assert trouble.code is ErrorCode.SPOOL_DAMAGED


def test_a_directory_that_cannot_be_made_is_the_jobs_trouble(tmp_path: Path) -> None:
    """The sentence names the file."""
    (tmp_path / "jobs").write_text("in the way")
    trouble = read_spool(JOB, Spool(tmp_path), "a").trouble
    assert trouble is not None
    assert trouble.code is ErrorCode.STAGING_FULL
    assert str(tmp_path / "jobs") in trouble.sentence


def test_what_the_disk_has_refused_is_told_before_it_is_read_again(tmp_path: Path) -> None:
    """end.json could not be written: the job waits, and the batch is not taken as it is."""
    spool = Spool(tmp_path)
    begun(spool, 2)
    full = TryAgain("The staging disk is full: make room there.", ErrorCode.STAGING_FULL)
    assert read_spool(JOB, spool, "a", full) == Spooled(last=1, trouble=full)
