"""Reads what a job's merge is made from: the rows of its pages and its batches on disk, together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.decide.job_pages import JobPages
from scand.spool.disk import disk_errors
from scand.spool.leaves import FedBatch
from scand.spool.sheets import bindable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scand.jobs.rows import BatchRow, Job, PageRow
    from scand.spool.directories import JobDirectory
    from scand.spool.records import SpooledBatch


def job_pages(job: Job, directory: JobDirectory, rows: Iterable[PageRow]) -> JobPages:
    """What a job's merge is made from.

    Args:
        job: its kept batches with pages are read.
        directory: the job's.
        rows: of its pages, after they were compared with the disk.

    Raises:
        ScandError: the disk cannot be read, or a record on it is damaged (see `disk_errors`).
    """
    of_batch: dict[int, list[PageRow]] = {}
    for row in rows:
        of_batch.setdefault(row.batch_seq, []).append(row)
    with disk_errors():
        read = [_read(batch, directory, of_batch.get(batch.seq, ())) for batch in job.merged]
    unbound = tuple(spooled for _, spooled in read if spooled is not None)
    return JobPages(job.id, job.entered, job.merged, tuple(fed for fed, _ in read), unbound)


def _read(
    batch: BatchRow, directory: JobDirectory, rows: Iterable[PageRow]
) -> tuple[FedBatch, SpooledBatch | None]:
    """A batch; and what the disk holds of it where its PDF has yet to be made, or to be made anew."""
    spooled = directory.batch(batch.seq)
    begin, end, pages = spooled.begun(), spooled.ended(), spooled.pages()
    if begin is None or not pages:
        return FedBatch(batch.seq, batch.label), None
    whole = bindable(pages, begin, complete=end is not None and end.complete)
    bound, wanted = spooled.bound(), tuple(range(1, len(whole) + 1))
    fed = FedBatch(
        batch.seq,
        batch.label,
        wanted,
        tuple(rows),
        halves=begin.halves,
        rotate_back=begin.rotate_back,
        drop_blank_sheets=begin.drop_blank_sheets,
    )
    if bound is not None and (bound.pages, bound.sha256) == (wanted, batch.file_hash):
        return fed, None
    return fed, spooled.read()
