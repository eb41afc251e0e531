"""Staged pages on a real disk: after a kill at any instant, they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scand.faults import ErrorCode
from scand.spool.directories import Spool
from scand.spool.records import Begin, End, JobRecord, Page, Side

if TYPE_CHECKING:
    from pathlib import Path

    from scand.spool.batches import BatchDirectory

RECORD = JobRecord(id=42, created_at="2026-11-21T10:00:00+00:00", database="d")
BEGIN = Begin(device="test:0", duplex=True)


def page(number: int) -> Page:
    """Side `number`, from 1, of a duplex batch."""
    side = Side.FRONT if number % 2 else Side.BACK
    return Page(
        sheet=(number + 1) // 2, side=side, file=f"page-{number:04d}.jpg",
        sha256="0" * 64, size=3, width=1, height=1, dpi=300.0,
    )  # fmt: skip


def batch(tmp_path: Path, pages: int, end: End | None = None) -> BatchDirectory:
    """A batch of job 42 with `pages` sides, ended if `end` is given."""
    directory = Spool(tmp_path).job(RECORD)[0].batch(1)
    directory.begin(BEGIN)
    for number in range(1, pages + 1):
        directory.add(page(number), b"jpg")
    if end:
        directory.finish(end)
    return directory


def test_a_job_gets_its_directory_once(tmp_path: Path) -> None:
    """The same row gets the same directory again."""
    spool = Spool(tmp_path)
    first, aside = spool.job(RECORD)
    again, _ = spool.job(RECORD)
    assert (first.path, aside) == (again.path, None)
    assert JobRecord.model_validate_json((first.path / "job.json").read_bytes()) == RECORD


@pytest.mark.parametrize("change", [{"database": "other"}, {"created_at": "2020-01-01T00:00:00+00:00"}])
def test_another_jobs_pages_are_put_aside(tmp_path: Path, change: dict[str, str]) -> None:
    """A restored or new database never uses them, and never deletes them."""
    batch(tmp_path, 2, End())
    spool = Spool(tmp_path)
    directory, aside = spool.job(RECORD.model_copy(update=change))
    assert aside is not None
    assert (aside / "batch-0001" / "page-0002.jpg").read_bytes() == b"jpg"
    assert directory.look(set()) == ([], 0)
    assert spool.put_aside() == [aside]


def test_an_unreadable_job_json_fits_no_row(tmp_path: Path) -> None:
    """A directory with a damaged job.json is put aside."""
    spool = Spool(tmp_path)
    directory, _ = spool.job(RECORD)
    (directory.path / "job.json").write_text("{")
    assert spool.job(RECORD)[1] is not None


def test_a_batch_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """The pages come in feeding order, and the end says how the batch ended."""
    directory = batch(tmp_path, 3, End(code=ErrorCode.FEEDER_JAMMED, detail="x"))
    assert directory.pages() == [page(1), page(2), page(3)]
    read = directory.read()
    assert read is not None
    assert (read.captured, read.bindable, read.sheets) == (3, 2, 1)
    assert read.end == End(code=ErrorCode.FEEDER_JAMMED, detail="x")


def test_a_torn_last_line_is_no_page(tmp_path: Path) -> None:
    """After a kill in the middle of a write, the page is not captured."""
    directory = batch(tmp_path, 2)
    with (directory.path / "pages.jsonl").open("ab") as file:
        file.write(page(3).model_dump_json().encode()[:40])
    assert directory.pages() == [page(1), page(2)]


def test_a_batch_that_was_never_begun_is_none(tmp_path: Path) -> None:
    """After a kill between mkdir and begin.json, no paper had been asked for."""
    job, _ = Spool(tmp_path).job(RECORD)
    (job.path / "batch-0001").mkdir()
    assert job.look(set()) == ([], 0)


def test_a_look_finds_what_the_database_does_not_know(tmp_path: Path) -> None:
    """Recorded batches are not read again; the highest number is that of all batches."""
    batch(tmp_path, 2, End())
    job, _ = Spool(tmp_path).job(RECORD)
    job.batch(3).begin(BEGIN)
    for recorded, unrecorded, highest in ((set[int](), [1, 3], 3), ({1}, [3], 3), ({1, 7}, [3], 7)):
        batches, last = job.look(recorded)
        assert ([found.seq for found in batches], last) == (unrecorded, highest)


def test_a_dropped_batch_frees_its_number_and_loses_no_page(tmp_path: Path) -> None:
    """A page file without its line stays on disk, under another name."""
    directory = batch(tmp_path, 0, End(code=ErrorCode.FEEDER_EMPTY))
    directory.drop()
    job, _ = Spool(tmp_path).job(RECORD)
    assert list(job.path.glob("*0001*")) == []
    torn = batch(tmp_path, 0)
    (torn.path / "page-0001.jpg").write_bytes(b"jpg")
    torn.drop()
    assert job.look(set()) == ([], 0)
    assert [path.read_bytes() for path in job.path.glob("dropped-0001-*/page-0001.jpg")] == [b"jpg"]
