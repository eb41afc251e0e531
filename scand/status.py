"""What the daemon is at, in one line: for systemd's STATUS= and `scan_agent_status.state`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.jobs import Status

if TYPE_CHECKING:
    from scand.view import View


def status_line(view: View) -> str:
    """For example "job 42 'Invoices 2026': scanning batch 2, 34 pages"."""
    job = view.look.job
    run = view.feeder and view.feeder.run
    if not view.serving:
        return f"scanning job {run.job_id}, batch {run.seq}, {run.captured} pages" if run else "starting"
    if job is None:
        return "idle"
    title = job.title if len(job.title) <= 40 else job.title[:39] + "…"
    doing = f"{job.status.value}"
    if run and job.status is Status.SCANNING:
        doing = f"scanning batch {run.seq}, {run.captured} pages"
    trouble = f" ({job.error_code})" if job.error_code else ""
    return f"job {job.id} {title!r}: {doing}{trouble}"
