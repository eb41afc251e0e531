"""What the daemon is doing, in one line: for systemd's STATUS= and `scan_agent_status.state`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.jobs.answers import left_out, unanswered
from scand.jobs.lifecycle import Status

if TYPE_CHECKING:
    from scand.decide.state import Run, State
    from scand.jobs.rows import Job

_TITLE_LENGTH = 40  # characters
_MERGED = frozenset({Status.PREVIEW, Status.COMMITTING})


def status_line(state: State, now: float) -> str:
    """For example "job 42 'Invoices 2026': batch 2, sheet 17, 118 images/min".

    Args:
        state: what the daemon knows.
        now: `monotonic()` seconds.
    """
    job = state.snapshot.job
    run = state.feeder and state.feeder.run
    if not state.serving:
        return f"job {run.job_id}: {_progress(run, now)}" if run else "starting"
    if job is None:
        missing = [
            f"{what}: {trouble.sentence or trouble.code}"
            for what, trouble in (("no scanner", state.scanner_trouble), ("no NAS", state.nas_trouble))
            if trouble
        ]
        delivery = state.snapshot.delivery
        parked = [f"job {delivery.job_id} is parked: waits for the NAS"] if delivery else []
        return "; ".join(["idle", *missing, *parked])
    title = job.title if len(job.title) <= _TITLE_LENGTH else job.title[: _TITLE_LENGTH - 1] + "…"
    doing = _progress(run, now) if run and job.status is Status.SCANNING else job.status.value
    if job.status is Status.COMMITTING and not state.limits.commits and job.inbox_path is None:
        doing = "a client commits"
    trouble = f" ({job.error_code})" if job.error_code else ""
    return f"job {job.id} {title!r}: {doing}{trouble}{_open(job)}"


def _open(job: Job) -> str:
    """What a person has to say about its batches, or what whoever looks at the document must know."""
    if job.status is Status.READY:
        return "".join(f"; batch {batch.seq} waits for an answer" for batch in unanswered(job.batches))
    missing = left_out(job.batches) if job.status in _MERGED else ""
    return f"; {missing}" if missing else ""


def _progress(run: Run, now: float) -> str:
    sheet = (run.captured // 2 if run.duplex else run.captured) + 1
    line = f"batch {run.seq}, sheet {sheet}"
    seconds = now - run.started
    return f"{line}, {run.captured * 60 / seconds:.0f} images/min" if run.captured and seconds > 1 else line
