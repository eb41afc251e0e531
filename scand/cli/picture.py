"""A job as `scand watch` shows it on a terminal: its way to the Inbox, and what happens now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from scand.cli.parked import waits_for
from scand.cli.program import as_called
from scand.cli.progress import progress
from scand.cli.terminal import PARKED, span, status_text, visible
from scand.jobs.lifecycle import Status
from scand.wording import counted

if TYPE_CHECKING:
    from scand.queue.intents import Health, JobRow, JobView

_ROAD = (
    Status.QUEUED,
    Status.READY,
    Status.SCANNING,
    Status.ASSEMBLING,
    Status.PREVIEW,
    Status.COMMITTING,
    Status.COMMITTED,
)


def picture(view: JobView, health: Health, hint: str) -> Padding:
    """The title, the statuses on the way, and what happens now."""
    job = view.job
    title = Text.assemble(
        (f"job {job.id}  ", "dim"), (visible(job.title), "bold"), no_wrap=True, overflow="ellipsis"
    )
    return Padding(Group(title, _road(job), doing(view, health, hint)), (0, 0, 1, 0))


def _road(job: JobRow) -> Text:
    """The statuses on the way, the job's own in colour; one off the way (failed, draft) stands alone.

    A parked job stands where it goes on.
    """
    status = job.stage
    if status not in _ROAD:
        return status_text(status)
    here = _ROAD.index(Status(status))
    road = Text(no_wrap=True, overflow="ellipsis")
    for place, stop in enumerate(_ROAD):
        if place:
            road.append(" ── ", "" if place <= here else "dim")
        road.append_text(status_text(stop) if place == here else Text(stop, "" if place < here else "dim"))
        if place == here and job.resumes_in is not None:
            road.append(f" ({PARKED})", "cyan")
    return road


def doing(view: JobView, health: Health, hint: str) -> Text:
    """What happens now, or what is waited for.

    Args:
        hint: what a person does next.
    """
    job, now = view.job, progress(view)
    parked = f"{PARKED}: {waits_for(job)}" if job.resumes_in is not None else ""
    if job.error:
        return Text(visible(_joined(parked, as_called(job.error), hint)), "red")
    if job.status in set(_ROAD[:-1]) and not health.alive:
        waits = "no agent is alive: the job waits until one is (scand doctor tells more)"
        return Text(as_called(waits), "red")
    match job.status:
        case Status.SCANNING:
            parts = [f"batch {now.batch}", counted(now.batch_pages or 0, "page")]
            if sheets := _sheets(view, now.batch_pages or 0):
                parts.append(sheets)
            if now.per_minute:
                parts.append(f"{now.per_minute:.0f} images/min")
            if now.left is not None:
                parts.append(f"at most {span(now.left)} left")
            return Text(_joined(*parts))
        case Status.ASSEMBLING | Status.COMMITTING if now.step:
            parts = [_amount(view), f"{now.step} {now.share:.0%}"]
            if now.left is not None:
                parts.append(f"about {span(now.left)} left")
            return Text(_joined(*parts))
        case Status.COMMITTED:
            return Text(_joined(_amount(view), visible(job.inbox_path or "")))
        case _:
            return Text(_joined(parked, _amount(view), hint))


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _sheets(view: JobView, pages: int) -> str:
    """How many sheets, where the job itself says duplex; what its profile says is known to the agent only."""
    duplex = view.job.setting("sides") == "duplex"
    return counted((pages + 1) // 2, "sheet") if duplex else ""


def _amount(view: JobView) -> str:
    pages = counted(progress(view).pages, "page")
    amount = f"{pages} in {counted(view.job.batch_count, 'batch')}" if view.batches else ""
    return _joined(amount, str(view.edits))
