"""What the merge will hold, as a client sees it from the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scand.cli.merged import leaves
from scand.jobs.rows import PageRow
from scand.queue.intents import BatchRow, JobView
from tests.unit.cli.test_progress import JOB, NOW

SHA = "0" * 64


def batch(seq: int, pages: int | None, status: str = "scanned", error: str | None = None) -> BatchRow:
    """A batch whose PDF has so many pages."""
    return BatchRow(seq, status, pages, 0, "/x", error, SHA, NOW)


def pages(seq: int, count: int, **fields: Any) -> list[PageRow]:
    """The pages of a duplex batch."""
    return [
        PageRow(seq, page, (page + 1) // 2, ("back", "front")[page % 2], False, False, SHA, **fields)
        for page in range(1, count + 1)
    ]


def shown(batches: list[BatchRow], rows: list[PageRow], **settings: Any) -> list[str]:
    """The names of the pages in the merge; of a batch without rows its number."""
    view = JobView(replace(JOB, settings=settings), batches, [])
    return [leaf.row.name if leaf.row else f"all of {leaf.batch_seq}" for leaf in leaves(view, rows, {})]


def test_discarded_batches_and_torn_fronts_are_not_in_it() -> None:
    """Of a batch that a fault ended, the front whose back never came is on disk and in no PDF."""
    rows = [*pages(1, 3), *pages(2, 2), *pages(3, 1)]
    batches = [
        batch(1, 2, error="feeder_jammed"),
        batch(2, 2, "discarded"),
        batch(3, 0, error="feeder_jammed"),
    ]
    assert shown(batches, rows) == ["1.1", "1.2"]


def test_the_batch_under_way_and_another_programs_batch_are() -> None:
    """The one as if it were kept; the other whole, since nothing is known of its pages."""
    assert shown([batch(1, 2), batch(2, 7)], [*pages(1, 2), *pages(3, 2)]) == [
        "1.1",
        "1.2",
        "all of 2",
        "3.1",
        "3.2",
    ]


def test_blank_sides_are_left_out_as_the_settings_say() -> None:
    """A sheet that is blank on both sides stays, unless those are dropped, too; the agent has judged each side."""
    rows = [replace(row, blank=row.page != 1) for row in pages(1, 4)]
    assert shown([batch(1, 4)], rows) == ["1.1", "1.3", "1.4"]
    assert shown([batch(1, 4)], rows, blank_sheets="drop") == ["1.1"]


def test_unknown_settings_are_no_obstacle() -> None:
    """A profile that is known to the agent only; settings that nobody can read."""
    assert shown([batch(1, 1)], pages(1, 1), profile="of the agent") == ["1.1"]
