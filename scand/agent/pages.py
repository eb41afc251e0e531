"""Compares the rows of a job's pages with its disk, and mends them: the disk is right.

Rows are written while a batch runs, and are complete when it is recorded (`decide.pages`). What is missing or
wrong after that comes from an older database that was restored, from pages that scand 0.1 recorded, or from a disk
that was mended by hand.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from scand.queue import pages
from scand.spool.disk import disk_errors

if TYPE_CHECKING:
    from scand.jobs.rows import Job, PageRow
    from scand.queue.results import AgentQueue
    from scand.spool.directories import JobDirectory
    from scand.spool.records import Page, SpooledPage


def spooled(directory: JobDirectory, seq: int, after: int, upto: int | None = None) -> list[SpooledPage]:
    """Pages of a batch as they are on disk, from number `after` + 1 to number `upto`.

    Raises:
        ScandError: pages.jsonl cannot be read, or is damaged.
    """
    batch = directory.batch(seq)
    with disk_errors():
        return [
            batch.spooled(number, page) for number, page in enumerate(batch.pages(after, upto), after + 1)
        ]


def repair_pages(queue: AgentQueue, directory: JobDirectory, job: Job) -> tuple[PageRow, ...]:
    """Make a job's rows say what its disk says; choice, turn and place stay as a client has written them.

    Rows that are missing or wrong are written, and those of pages that are not on disk are removed, in all of the
    job's batches, whether they are recorded or not.

    Args:
        queue: of the daemon that leads.
        directory: the job's.
        job: as it was read; if its status is another by now, nothing is written.

    Returns:
        The job's pages as fed, as the rows have them now.

    Raises:
        ScandError: the disk cannot be read, or a pages.jsonl is damaged (see `disk_errors`).
        psycopg.Error: the database did not do it, or did not answer.
    """
    rows = pages.pages(queue, job.id)
    left = {(row.batch_seq, row.page): row for row in rows}
    with disk_errors():
        wrong = []
        for batch in directory.batches():
            for number, page in enumerate(batch.pages(), 1):
                row = left.pop((batch.seq, number), None)
                if (
                    row is None
                    or not _says(row, page)
                    or (not row.pictured and batch.picture(number).exists())
                ):
                    wrong.append((batch, number, page))
        spooled = (batch.spooled(number, page) for batch, number, page in wrong)
        if not (wrong or left):
            return rows
        with queue.connection.transaction():
            pages.write(queue, job.id, job.status, spooled)
            pages.forget(queue, job.id, job.status, list(left.values()))
    return pages.pages(queue, job.id)


def _says(row: PageRow, page: Page) -> bool:
    """Whether a row says of a page what its line in pages.jsonl says."""
    said = (row.sheet, row.side, row.blank, row.sha256, row.width_mm, row.height_mm)
    return said == (
        page.sheet,
        page.side,
        page.blank,
        page.sha256,
        *(Decimal(str(size)) for size in page.size_mm),
    )
