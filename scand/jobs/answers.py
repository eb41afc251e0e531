"""What a person has to say about the batches of a job that ended in a fault; in words, too. Pure.

Until it is said, the job is not merged: `sql/migrations/0018_answers.sql` refuses that with the same words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from scand.faults import ErrorCode
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable


class RecordedBatch(Protocol):
    """What the agent's row of a batch and a client's have in common."""

    @property
    def seq(self) -> int:
        """Its number in the job, from 1."""

    @property
    def page_count(self) -> int | None:
        """Pages of its PDF."""

    @property
    def kept(self) -> bool:
        """Whether it goes into the merge."""

    @property
    def error_code(self) -> str | None:
        """The fault that ended it."""

    @property
    def answered(self) -> bool:
        """Whether nobody has to say any more what becomes of its pages."""


_Batch = TypeVar("_Batch", bound=RecordedBatch)


def unanswered(batches: Iterable[_Batch]) -> list[_Batch]:
    """The batches about which a person has to say what becomes of their pages."""
    return [batch for batch in batches if batch.page_count and not batch.answered]


def _torn(batches: Iterable[_Batch], *, kept: bool) -> list[_Batch]:
    """The batches with pages that ended in a fault, of those that go into the merge or of those that do not."""
    return [
        batch
        for batch in batches
        if batch.page_count and batch.error_code not in {None, ErrorCode.PAGE_LIMIT} and batch.kept is kept
    ]


def pieced(batches: Iterable[RecordedBatch]) -> list[int]:
    """The kept batches that ended in a fault: the document is whole only if the rest was fed behind them."""
    return [batch.seq for batch in _torn(batches, kept=True)]


def left_out(batches: Iterable[RecordedBatch]) -> str:
    """What whoever looks at the document must know: for example "batch 1: 8 safe pages are not in it"; or ""."""
    return "; ".join(
        f"batch {batch.seq}: {counted(batch.page_count or 0, 'safe page')} "
        f"{'is' if batch.page_count == 1 else 'are'} not in it"
        for batch in _torn(batches, kept=False)
    )


def question(job_id: int, batch: RecordedBatch) -> str:
    """What is to become of a batch's pages, with the commands that answer it.

    Args:
        job_id: `scan_jobs.id`.
        batch: one that is `unanswered`.
    """
    seq, pages = batch.seq, counted(batch.page_count or 0, "page")
    if batch.kept:
        return (
            f"batch {seq}: its {pages} are kept, and the rest may be missing: feed the rest with "
            f"scand scan {job_id}; if that was all, scand restore {job_id} {seq}; to start over, "
            f"scand discard {job_id} {seq}"
        )
    return (
        f"batch {seq}: its {pages} are not in the document: scand restore {job_id} {seq} takes them in, "
        f"scand discard {job_id} {seq} leaves them out"
    )
