"""The rows of a job's pages, as the agent writes them: copies of what is on its disk.

What a client wants done with a page (choice, turn, place) is never touched here; the guards see to that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.json import Json

from scand.jobs.rows import PageRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scand.decide.actions import Rebound
    from scand.jobs.lifecycle import Status
    from scand.queue.results import AgentQueue
    from scand.spool.records import SpooledPage

_MOST_BYTES = 1 << 20
"""Of pictures in one statement; they take twice as much on their way, in hex."""

_MOST_ROWS = 1000


def pages(queue: AgentQueue, job_id: int) -> tuple[PageRow, ...]:
    """A job's pages as fed."""
    return tuple(PageRow(**row) for row in queue.run("pages", id=job_id))


def write(queue: AgentQueue, job_id: int, status: Status, found: Iterable[SpooledPage]) -> bool:
    """Write pages as they are on disk, in as many statements as keep each of them small.

    Returns:
        Whether it was done; False: the job is not in this status any more, or another daemon leads.
    """
    return all(_write(queue, job_id, status, part) for part in _parts(found))


def _write(queue: AgentQueue, job_id: int, status: Status, found: Sequence[SpooledPage]) -> bool:
    return bool(queue.run("write_pages", id=job_id, expected=status, pages=Json(list(map(_row, found)))))


def _row(one: SpooledPage) -> dict[str, object]:
    width, height = one.page.size_mm
    return {
        "batch_seq": one.batch_seq,
        "page": one.number,
        "sheet": one.page.sheet,
        "side": one.page.side,
        "width_mm": width,
        "height_mm": height,
        "blank": one.page.blank,
        "sha256": one.page.sha256,
        "age": one.age,
        "picture": None if one.picture is None else one.picture.hex(),
    }


def forget(queue: AgentQueue, job_id: int, status: Status, gone: Sequence[PageRow]) -> None:
    """Remove the rows of pages that are not on disk."""
    found = [{"batch_seq": row.batch_seq, "page": row.page} for row in gone]
    queue.run("forget_pages", id=job_id, expected=status, pages=Json(found))


def rebound(queue: AgentQueue, batch: Rebound) -> bool:
    """A recorded batch has a new PDF."""
    return bool(
        queue.run(
            "rebound",
            id=batch.job_id,
            expected=batch.status,
            seq=batch.seq,
            path=batch.pdf.path,
            pages=batch.pdf.pages,
            blank=batch.blank,
            sha256=batch.pdf.sha256,
        )
    )


def _parts(found: Iterable[SpooledPage]) -> Iterator[list[SpooledPage]]:
    part: list[SpooledPage] = []
    size = 0
    for one in found:
        if part and (size + len(one.picture or b"") > _MOST_BYTES or len(part) == _MOST_ROWS):
            yield part
            part, size = [], 0
        part.append(one)
        size += len(one.picture or b"")
    if part:
        yield part
