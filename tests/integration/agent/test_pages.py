"""Rows of pages are mended from the disk, which is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scand.agent import retention
from scand.agent.pages import repair_pages
from scand.decide.actions import Claim
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.queue.connection import connect, take_role
from scand.queue.results import AgentQueue
from scand.queue.statements import load
from scand.spool.directories import Spool
from scand.spool.records import Begin, Page, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scand.jobs.rows import Job
    from scand.spool.batches import BatchDirectory
    from scand.spool.directories import JobDirectory


@pytest.fixture
def queue(migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, with a job that is ready."""
    with connect(migrated_url, name="scand-test") as connection:
        take_role(connection, "scand_client")
        connection.execute("INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued')")
        take_role(connection, "scand_agent")
        queue = AgentQueue(connection, load())
        assert queue.elect()
        assert queue.claim("/jobs", Claim())
        yield queue


@pytest.fixture
def job(queue: AgentQueue) -> Job:
    """That job."""
    found = queue.look().job
    assert found
    return found


@pytest.fixture
def directory(tmp_path: Path, job: Job) -> JobDirectory:
    """Its directory."""
    return Spool(tmp_path).job(retention.record(job.id, job.created_at, "a"))[0]


def picture(seq: int, number: int) -> bytes:
    """What stands for a JPEG: it ends like one."""
    return b"%d.%d\xff\xd9" % (seq, number)


def feed(directory: JobDirectory, seq: int, pages: int, *, sha256: str = "a") -> BatchDirectory:
    """A simplex batch of so many pages, each with a picture."""
    batch = directory.batch(seq)
    batch.begin(Begin(device="test:0", duplex=False))
    for number in range(1, pages + 1):
        page = Page(
            sheet=number, side=Side.FRONT, file=f"page-{number:04d}.jpg", sha256=sha256 * 64, size=4, width=2480,
            height=3508, dpi=300.0, blank=number == 2,
        )  # fmt: skip
        batch.picture(number).write_bytes(picture(seq, number))
        batch.add(page, b"page")
    return batch


def stored(queue: AgentQueue) -> list[tuple[object, ...]]:
    """What is in the rows."""
    rows = queue.connection.execute(
        "SELECT batch_seq, page, sheet, blank, left(sha256, 1) AS sha256, picture, choice, turn, place::int"
        " FROM scan_job_pages ORDER BY batch_seq, page"
    ).fetchall()
    return [tuple(row.values()) for row in rows]


def test_what_is_missing_comes_from_the_disk(queue: AgentQueue, job: Job, directory: JobDirectory) -> None:
    """A kill between pages.jsonl and the rows, pages that scand 0.1 recorded, an older database."""
    feed(directory, 1, 2)
    feed(directory, 3, 1)
    found = repair_pages(queue, directory, job)
    assert [(row.name, row.blank, row.pictured) for row in found] == [
        ("1.1", False, True), ("1.2", True, True), ("3.1", False, True),
    ]  # fmt: skip
    assert stored(queue) == [
        (1, 1, 1, False, "a", picture(1, 1), None, 0, None),
        (1, 2, 2, True, "a", picture(1, 2), None, 0, None),
        (3, 1, 1, False, "a", picture(3, 1), None, 0, None),
    ]
    (row,) = queue.connection.execute("SELECT max(xmin::text) AS written FROM scan_job_pages").fetchall()
    assert repair_pages(queue, directory, job) == found
    (again,) = queue.connection.execute("SELECT max(xmin::text) AS written FROM scan_job_pages").fetchall()
    assert again == row, "nothing is written where nothing is wrong"


def test_what_is_wrong_or_not_on_disk_goes_and_edits_stay(
    queue: AgentQueue, job: Job, directory: JobDirectory
) -> None:
    """Rows of another stack, of pages that are not there, without a picture: as after a restored older disk."""
    feed(directory, 1, 3)
    repair_pages(queue, directory, job)
    with queue.connection.transaction():
        queue.connection.execute("SET LOCAL scand.actor = 'client'")
        queue.connection.execute("UPDATE scan_job_pages SET choice = 'dropped', turn = 90, place = 5")
    queue.connection.execute("UPDATE scan_job_pages SET sheet = 7, sha256 = repeat('f', 64) WHERE page = 1")
    queue.connection.execute("UPDATE scan_job_pages SET picture = NULL WHERE page = 2")
    lines = directory.batch(1).path / "pages.jsonl"
    lines.write_text("".join(lines.read_text().splitlines(keepends=True)[:2]) + '{"sheet": 3, "si')
    found = repair_pages(queue, directory, job)
    assert [row.name for row in found] == ["1.1", "1.2"]
    assert stored(queue) == [
        (1, 1, 1, False, "a", picture(1, 1), "dropped", 90, 5),
        (1, 2, 2, True, "a", picture(1, 2), "dropped", 90, 5),
    ]


def test_a_picture_that_is_gone_is_no_reason_to_lose_the_one_in_the_row(
    queue: AgentQueue, job: Job, directory: JobDirectory
) -> None:
    """It still shows the page."""
    batch = feed(directory, 1, 1)
    repair_pages(queue, directory, job)
    batch.picture(1).unlink()
    repair_pages(queue, directory, job)
    assert stored(queue)[0][5] == picture(1, 1)


def test_a_picture_that_a_power_cut_has_torn_is_none(
    queue: AgentQueue, job: Job, directory: JobDirectory
) -> None:
    """It is not fsynced: what is left of it may be empty, short or zeros."""
    batch = feed(directory, 1, 3)
    for number, left in enumerate((b"", b"\xff\xd8", bytes(4)), 1):
        batch.picture(number).write_bytes(left)
    repair_pages(queue, directory, job)
    assert [row[5] for row in stored(queue)] == [None] * 3


def test_a_damaged_record_is_told_and_nothing_is_written(
    queue: AgentQueue, job: Job, directory: JobDirectory
) -> None:
    """Not even the rows of other batches: whoever merges must know first."""
    feed(directory, 1, 1)
    feed(directory, 2, 1)
    (directory.batch(2).path / "pages.jsonl").write_text("{}\n")
    with pytest.raises(BadData) as caught:
        repair_pages(queue, directory, job)
    assert caught.value.code is ErrorCode.SPOOL_DAMAGED
    assert stored(queue) == []


def test_another_daemon_writes_nothing(queue: AgentQueue, job: Job, directory: JobDirectory) -> None:
    """The rows come out as they are."""
    feed(directory, 1, 1)
    queue.epoch -= 1
    assert repair_pages(queue, directory, job) == ()
