"""What a courier is commanded, from the job's row, its settings and the config."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scand import wire
from scand.agent.tasks import task
from scand.config import Config
from scand.decide.actions import Send
from scand.decide.state import Task
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job, UnreadDocument
from scand.jobs.settings import resolve
from scand.spool.directories import JobDirectory

SHA = "0" * 64
DIRECTORY = JobDirectory(Path("/spool/jobs/42"))
JOB = Job(
    id=42,
    title="Invoices",
    settings={},
    status=Status.ASSEMBLING,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    batches=(
        BatchRow(1, "/spool/jobs/42/batch-0001/batch.pdf", 4, BatchStatus.SCANNED, file_hash=SHA),
        BatchRow(2, None, 2, BatchStatus.SCANNED, file_hash=SHA),
        BatchRow(3, None, 9, BatchStatus.DISCARDED),
    ),
)


@pytest.fixture(scope="module")
def config() -> Config:
    """A config with a NAS."""
    values = {
        "database": {"url": "embedded"},
        "nas": {"root": "/nas", "inbox": "Inbox"},
        "staging": {"dir": "/spool"},
    }
    return Config.model_validate(values)


def test_a_merge_takes_the_kept_batches_in_order(config: Config) -> None:
    """A batch whose row has no path is looked for in its own directory; a discarded one is left out."""
    command = task(Send(Task.ASSEMBLE, 42, job=JOB), DIRECTORY, resolve({}, {}), config, "volume")
    assert isinstance(command, wire.Assemble)
    assert [(part.path, part.pages) for part in command.parts] == [
        ("/spool/jobs/42/batch-0001/batch.pdf", 4),
        ("/spool/jobs/42/batch-0002/batch.pdf", 2),
    ]
    assert (command.target, command.halves) == ("/spool/jobs/42/merged.pdf", False)
    assert command.created == "2026-01-01T00:00:00+00:00"
    assert (command.nas.root, command.nas.volume_id) == ("/nas", "volume")


@pytest.mark.parametrize("path", [None, "elsewhere/merged.pdf"])
def test_the_staged_path_is_the_rows_where_it_has_one(config: Config, path: str | None) -> None:
    """The config may have changed since the row was written: what is staged already is still found."""
    job = replace(JOB, nas_staging_path=path)
    command = task(Send(Task.PUBLISH, 42, job=job), DIRECTORY, resolve({}, {}), config, "")
    assert isinstance(command, wire.Publish)
    assert command.staged == (path or f"{config.nas.staging_from_root}/job-42/merged.pdf")


@pytest.mark.parametrize(("asked", "inbox"), [({}, "Inbox"), ({"inbox": "Tax"}, "Tax")])
def test_the_job_may_choose_its_inbox(config: Config, asked: dict[str, str], inbox: str) -> None:
    """Its settings come before the config."""
    command = task(Send(Task.PUBLISH, 42, job=JOB), DIRECTORY, resolve(asked, {}), config, "")
    assert isinstance(command, wire.Publish)
    assert command.inbox == inbox


@pytest.mark.parametrize(
    ("send", "kind", "fields"),
    [
        (Send(Task.BIND, 42, seq=2), wire.Bind, {"directory": "/spool/jobs/42/batch-0002"}),
        (Send(Task.SWEEP, 0), wire.Sweep, {"jobs": "/spool/jobs"}),
        (Send(Task.CHECK, 0), wire.Check, {}),
        (Send(Task.UNSTAGE, 42, staged="x/merged.pdf"), wire.Unstage, {"staged": "x/merged.pdf"}),
        (
            Send(Task.READ_BACK, 42, unread=UnreadDocument(42, "d/a.pdf", SHA)),
            wire.ReadBack,
            {"inbox_path": "d/a.pdf", "sha256": SHA, "staged": ".scan-staging/job-42/merged.pdf"},
        ),
    ],
)
def test_each_task_has_its_command(
    config: Config, send: Send, kind: type[wire.Task], fields: dict[str, str]
) -> None:
    """Local tasks know nothing of the NAS."""
    command = task(send, DIRECTORY, None, config, "")
    assert isinstance(command, kind)
    assert {name: getattr(command, name) for name in fields} == fields
    assert hasattr(command, "nas") is not send.task.local
