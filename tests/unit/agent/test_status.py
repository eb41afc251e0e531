"""The line that systemd shows, and `scan_agent_status.state`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from scand.agent.log.status import status_line
from scand.decide.limits import Limits
from scand.decide.state import Snapshot, State
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job

TORN = BatchRow(1, "/b.pdf", 8, BatchStatus.SCANNED, error_code="feeder_jammed", answered=False)
OUT = replace(TORN, status=BatchStatus.DISCARDED, answered=True)


@pytest.mark.parametrize(
    ("status", "batch", "code", "line"),
    [
        (Status.READY, TORN, "feeder_jammed", "ready (feeder_jammed); batch 1 waits for an answer"),
        (Status.READY, OUT, None, "ready"),
        (Status.PREVIEW, OUT, None, "preview; batch 1: 8 safe pages are not in it"),
        (Status.COMMITTING, OUT, None, "committing; batch 1: 8 safe pages are not in it"),
        (Status.PREVIEW, replace(OUT, page_count=0), None, "preview"),
        (Status.PREVIEW, replace(OUT, error_code="page_limit"), None, "preview"),
    ],
)
def test_what_a_batch_after_a_fault_means_is_told(
    status: Status, batch: BatchRow, code: str | None, line: str
) -> None:
    """Before the merge that somebody has to answer; afterwards what is not in the document."""
    job = Job(42, "T", {}, status, datetime.now(UTC), error_code=code, batches=(batch,))
    state = State(Limits(), Snapshot(job=job), serving=True, fresh=True)
    assert status_line(state, 1.0) == f"job 42 'T': {line}"
