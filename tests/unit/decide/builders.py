"""Rows, batches, children and states, as decisions need them, and what is wanted of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scand.decide import decide
from scand.decide.actions import (
    Action,
    Advance,
)
from scand.decide.job_pages import JobPages
from scand.decide.limits import Limits
from scand.decide.occurrences import (
    Occurrence,
    Tick,
)
from scand.decide.state import (
    CourierChild,
    FeederChild,
    Run,
    Snapshot,
    State,
    Task,
)
from scand.jobs.rows import BatchRow, BatchStatus, Job, PageRow
from scand.jobs.settings import Settings, resolve
from scand.jobs.staged import StagedPlace
from scand.spool.leaves import FedBatch
from scand.spool.records import BatchPdf, End, Page, Side, SpooledBatch

if TYPE_CHECKING:
    from scand.jobs.lifecycle import Status

NOW = 1000.0
SHA = "0" * 64
PDF = BatchPdf(path="/spool/batch.pdf", pages=4, sha256=SHA)
PAGE = Page(sheet=1, side=Side.FRONT, file="page-0001.jpg", sha256=SHA, size=9, width=9, height=9, dpi=300)


def settings(**asked: Any) -> Settings:
    """The settings of a job."""
    return resolve(asked, {})


STAGED = ".scan-staging/1a2b3c4d/job-42-0/merged.pdf"
"""Where the merge of job 42 is staged, as long as it has had no stay."""


def job(status: Status, **fields: Any) -> Job:
    """A row of `scan_jobs`; the pages of its batches have their rows."""
    values: dict[str, Any] = {"id": 42, "title": "T", "settings": {}, "created_at": datetime.now(UTC)}
    values["listed"] = {1: 4, 2: 4}
    return Job(status=status, **{**values, **fields})


def row(seq: int = 1, *, kept: bool = True, pages: int = 4) -> BatchRow:
    """A recorded batch."""
    status = BatchStatus.SCANNED if kept else BatchStatus.DISCARDED
    return BatchRow(seq, f"/spool/{seq}.pdf", pages, status)


def on_disk(
    seq: int = 1, end: End | None = None, *, captured: int = 4, bindable: int | None = None
) -> SpooledBatch:
    """A batch on disk that the database does not know."""
    return SpooledBatch(
        seq=seq,
        duplex=True,
        keep_on_fault=False,
        halves=False,
        end=end,
        captured=captured,
        bindable=captured if bindable is None else bindable,
        blank=0,
        sheets=captured // 2,
    )


def pages(of: Job, *, halves: bool = False, choice: str | None = None) -> JobPages:
    """What the merge of a job is made from, as it was read."""
    batches = tuple(
        FedBatch(
            batch.seq,
            batch.label,
            tuple(range(1, (batch.page_count or 0) + 1)),
            tuple(
                PageRow(batch.seq, page, page, "front", False, False, SHA, choice)
                for page in range(1, (batch.page_count or 0) + 1)
            ),
            halves=halves,
        )
        for batch in of.merged
    )
    return JobPages(of.id, of.entered, of.merged, batches)


def steps(actions: list[Action]) -> list[Advance]:
    """The steps among the actions."""
    return [action for action in actions if isinstance(action, Advance)]


def state(snapshot: Snapshot | None = None, **fields: Any) -> State:
    """The state of a daemon that leads, with a fresh snapshot, and has compared the job's pages with the disk."""
    values: dict[str, Any] = {"serving": True, "fresh": True, "progressed": NOW, "pages_repaired": 42}
    return State(**{"limits": Limits(), "snapshot": snapshot or Snapshot(), **values, **fields})


def snapshot(active: Job, *, unrecorded: tuple[SpooledBatch, ...] = (), asked: Any = None) -> Snapshot:
    """A snapshot with an active job."""
    return Snapshot(
        job=active,
        settings=asked if asked is not None else settings(),
        unrecorded=unrecorded,
        place=StagedPlace(".scan-staging/1a2b3c4d", active.id, active.stay),
        next_seq=max([b.seq for b in active.batches] + [b.seq for b in unrecorded], default=0) + 1,
    )


def wants(before: State, occurrence: Occurrence | None = None, now: float = NOW) -> list[Action]:
    """The actions after an occurrence, or after a tick."""
    return decide(before, occurrence or Tick(), now)[1]


WAITING = FeederChild(heard=NOW)
"""A feeder that has nothing to do."""

IDLE = 901.0
"""Seconds of idling that are more than the default `ready_timeout`."""


def scanning(**fields: Any) -> FeederChild:
    """A feeder that is scanning batch 1 of job 42."""
    return FeederChild(heard=NOW, run=replace(Run(42, 1), **fields))


def courier(task: Task, **fields: Any) -> CourierChild:
    """A courier that does a task for job 42."""
    return replace(CourierChild(task, 42, NOW), **fields)
