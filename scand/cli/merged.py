"""What the merge of a job will hold, as far as its rows and its settings tell. Pure.

The agent computes the same from what is on its disk, which clients may not read (`scand.spool.leaves`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scand.errors import BadData, ScandError
from scand.jobs.rows import BatchStatus, PageRow
from scand.jobs.settings import Settings, resolve
from scand.spool.leaves import FedBatch, own_places, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from typing import Any

    from scand.queue.intents import JobView


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page of the merge.

    Attributes:
        row: None: a whole batch that has no rows of its pages, since another program made it.
        turn: degrees clockwise by which its picture must be turned.
    """

    batch_seq: int
    row: PageRow | None
    turn: int = 0


def leaves(view: JobView, rows: Sequence[PageRow], profiles: Mapping[str, Mapping[str, Any]]) -> list[Leaf]:
    """The pages of the merge in order; those of a batch under way, too, as if it were kept.

    Fronts that still wait for their backs are in it as they were fed.

    Args:
        rows: the job's.
        profiles: of the config.
    """
    batches = _fed(view, rows, profiles)
    try:
        runs = plan(batches).runs
    except BadData:
        runs = plan([replace(batch, halves=False) for batch in batches]).runs
    of_batch = {(row.batch_seq, row.page): row for row in rows}
    found = []
    for run in runs:
        batch = batches[run.batch]
        if batch.bound is None or run.last is None:
            found.append(Leaf(batch.seq, None))
            continue
        numbers = batch.bound[run.first : run.last + 1]
        found += [Leaf(batch.seq, of_batch[batch.seq, number], run.turn) for number in numbers]
    return found


def places(
    view: JobView, rows: Sequence[PageRow], profiles: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[int, int], Decimal]:
    """By what each page is ordered, whether it is in the merge or not: (batch, page) → place."""
    own = {(row.batch_seq, row.page): row.key for row in rows}
    with suppress(BadData):  # fronts without their backs yet: as fed
        own |= own_places(_fed(view, rows, profiles))
    return {
        (row.batch_seq, row.page): own[row.batch_seq, row.page] if row.place is None else row.place
        for row in rows
    }


def _fed(view: JobView, rows: Sequence[PageRow], profiles: Mapping[str, Mapping[str, Any]]) -> list[FedBatch]:
    """The batches that are kept, and the one under way."""
    try:
        settings = resolve(view.job.settings, profiles)
    except ScandError:
        settings = Settings()  # a profile that is not known here: the agent knows it
    known = {batch.batch_seq: batch for batch in view.batches}
    kept = {seq for seq, batch in known.items() if batch.status == BatchStatus.SCANNED and batch.page_count}
    under_way = {row.batch_seq for row in rows} - set(known)
    found = []
    for seq in sorted(kept | under_way):
        pages = tuple(row for row in rows if row.batch_seq == seq)
        # A PDF begins with the first page; the front of a torn sheet is the last, and not in it.
        most = known[seq].page_count if seq in known else None
        found.append(
            FedBatch(
                seq,
                f"Batch {seq}",
                tuple(row.page for row in pages[:most]) if pages else None,
                pages,
                halves=settings.sides == "manual-duplex",
                rotate_back=settings.rotate_back,
                drop_blank_sheets=settings.blank_sheets == "drop",
            )
        )
    return found
