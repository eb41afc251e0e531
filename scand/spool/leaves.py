"""Which pages a merge holds, how they are turned, and their order. Pure.

An edit is a row of `scan_job_pages` (choice, turn, place), and a batch's PDF has every side. So what a merge holds
follows from rows and disk alone, and is the same whenever it is made.

In manual duplex, a batch of fronts and one of backs, fed in turn, become one sequence of sheets: of the batches in
order, the first, third … are fronts, and the second, fourth … are their backs. A stack that is turned over as a
whole comes out last sheet first, so the backs are taken from their end.

Source: docs/design.md "What a merge holds".
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.spool.sheets import unmatched, without_blanks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH_PLACES = 10_000
"""The place of page 3 of batch 2 is 20,003, unless it was given another."""


class EditablePage(Protocol):
    """A row of `scan_job_pages`."""

    @property
    def page(self) -> int:
        """Its number within the batch, as fed, from 1."""

    @property
    def sheet(self) -> int:
        """Number of its sheet within the batch, from 1."""

    @property
    def blank(self) -> bool:
        """It is blank, in a job that drops blank sides."""

    @property
    def suspect(self) -> bool:
        """Its sheet may have hidden another."""

    @property
    def choice(self) -> str | None:
        """`kept`, `dropped`; None: as the settings say."""

    @property
    def turn(self) -> int:
        """Degrees clockwise: 0, 90, 180 or 270."""

    @property
    def place(self) -> Decimal | None:
        """Its place in the order of the merge; None: its own."""


@dataclass(frozen=True, slots=True)
class FedBatch:
    """A kept batch, as a merge takes it.

    Attributes:
        seq: its number within the job.
        label: its name for people.
        bound: the numbers of the pages in its PDF, in order; None: another program made it, and it goes in whole.
        pages: the rows of its pages; those that are not in its PDF are ignored.
        halves, rotate_back, drop_blank_sheets: from its begin.json.
    """

    seq: int
    label: str
    bound: tuple[int, ...] | None = None
    pages: tuple[EditablePage, ...] = ()
    halves: bool = False
    rotate_back: int = 0
    drop_blank_sheets: bool = False


class Run(NamedTuple):
    """Pages of a batch's PDF that follow each other in the merge, too, all turned alike.

    Attributes:
        batch: index of the batch, from 0.
        first: index of the first page in its PDF, from 0.
        last: index of the last page; None: the PDF's last.
        turn: degrees clockwise by which viewers turn them, besides what the PDF says.
    """

    batch: int
    first: int
    last: int | None
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a merge holds, and what it leaves out.

    Attributes:
        runs: its pages, in order.
        blank: how many sides are left out as blank.
        dropped: how many a client has dropped.
        suspect: how many are left out because their sheet may have hidden another.
    """

    runs: tuple[Run, ...]
    blank: int = 0
    dropped: int = 0
    suspect: int = 0


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A page of a batch's PDF."""

    batch: int
    index: int
    row: EditablePage
    place: Decimal
    turn: int

    @property
    def blank(self) -> bool:
        return self.row.blank


def plan(batches: Sequence[FedBatch]) -> Plan:
    """What the merge of these batches holds.

    Args:
        batches: the kept ones, in order.

    Raises:
        BadData: `sides_mismatch`: the batches cannot be fronts and backs of the same sheets; or `spool_damaged`: a
            page of a PDF has no row.
    """
    runs = [
        (Decimal(batch.seq * BATCH_PLACES), Run(number, 0, None))
        for number, batch in enumerate(batches)
        if batch.bound is None
    ]
    blank = dropped = suspect = 0
    for sheets, drop_blank_sheets in _stacks(batches):
        trusted = [[leaf for leaf in sheet if not leaf.row.suspect] for sheet in sheets]
        usual = {
            (leaf.batch, leaf.index)
            for sheet in without_blanks([sheet for sheet in trusted if sheet], sheets_too=drop_blank_sheets)
            for leaf in sheet
        }
        for leaf in (leaf for sheet in sheets for leaf in sheet):
            if leaf.row.choice == "dropped":
                dropped += 1
            elif leaf.row.choice == "kept" or (leaf.batch, leaf.index) in usual:
                place = leaf.place if leaf.row.place is None else leaf.row.place
                runs.append((place, Run(leaf.batch, leaf.index, leaf.index, leaf.turn)))
            elif leaf.row.suspect:
                suspect += 1
            else:
                blank += 1
    runs.sort(key=lambda placed: (placed[0], placed[1].batch, placed[1].first))
    return Plan(tuple(_joined([run for _place, run in runs])), blank, dropped, suspect)


def own_places(batches: Sequence[FedBatch]) -> dict[tuple[int, int], Decimal]:
    """The place that each page has of its own, (number of the batch, of the page) → place.

    Raises:
        BadData: as `plan`.
    """
    return {
        (batches[leaf.batch].seq, leaf.row.page): leaf.place
        for sheets, _ in _stacks(batches)
        for sheet in sheets
        for leaf in sheet
    }


def _stacks(batches: Sequence[FedBatch]) -> Iterator[tuple[list[list[_Leaf]], bool]]:
    """The sheets of each stack, and whether those that are blank on both sides are dropped.

    A stack is a batch; in manual duplex it is all fronts with their backs. A batch all of whose pages have been
    given a place stands outside the pairs: it is a sheet that was scanned again.
    """
    leaves = [_leaves(number, batch) for number, batch in enumerate(batches)]
    halves = [
        number
        for number, batch in enumerate(batches)
        if batch.halves and any(leaf.row.place is None for leaf in leaves[number])
    ]
    for number, batch in enumerate(batches):
        if leaves[number] and number not in halves:
            sheets = [list(sides) for _, sides in groupby(leaves[number], lambda leaf: leaf.row.sheet)]
            yield sheets, batch.drop_blank_sheets
    # The sides that were fed are compared: which of them are kept says nothing about the sheets.
    if why := unmatched([(batches[number].label, len(leaves[number])) for number in halves]):
        raise BadData(why, ErrorCode.SIDES_MISMATCH)
    pairs = list(zip(halves[::2], halves[1::2], strict=True))
    if pairs:
        sheets = [list(sheet) for pair in pairs for sheet in _collated(batches, leaves, *pair)]
        yield sheets, any(batches[number].drop_blank_sheets for number in halves)


def _leaves(number: int, batch: FedBatch) -> list[_Leaf]:
    rows = {row.page: row for row in batch.pages}
    if lost := [page for page in batch.bound or () if page not in rows]:
        pages = ", ".join(f"{batch.seq}.{page}" for page in lost)
        raise BadData(f"{batch.label} has pages that no record tells of: {pages}.", ErrorCode.SPOOL_DAMAGED)
    return [
        _Leaf(number, index, rows[page], _own_place(batch.seq, page), rows[page].turn)
        for index, page in enumerate(batch.bound or ())
    ]


def _own_place(seq: int, page: int) -> Decimal:
    """As fed. Of a batch with more pages than there are places, those beyond still come before the next batch."""
    last = BATCH_PLACES - 1
    return Decimal(seq * BATCH_PLACES + min(page, last)) + Decimal(max(0, page - last)) / 10**9


def _collated(
    batches: Sequence[FedBatch], leaves: Sequence[list[_Leaf]], fronts: int, backs: int
) -> Iterator[tuple[_Leaf, _Leaf]]:
    """The sheets of a pair of batches; a back comes just behind its front."""
    rotate_back = max(batches[fronts].rotate_back, batches[backs].rotate_back)
    for front, back in zip(leaves[fronts], reversed(leaves[backs]), strict=True):
        place = front.place + Decimal("0.5") / (1 if front.index < BATCH_PLACES - 2 else 10**9)
        yield front, _Leaf(back.batch, back.index, back.row, place, (back.turn + rotate_back) % 360)


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    """Runs of single pages, as few as possible."""
    so_far: Run | None = None
    for run in runs:
        if (
            so_far
            and so_far.last is not None
            and run == (so_far.batch, so_far.last + 1, run.last, so_far.turn)
        ):
            so_far = so_far._replace(last=run.last)
        else:
            if so_far:
                yield so_far
            so_far = run
    if so_far:
        yield so_far
