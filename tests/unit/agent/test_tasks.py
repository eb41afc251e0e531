"""What a courier is commanded, from the job's row, its settings and the config."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scand import wire
from scand.agent import tasks
from scand.config import Config
from scand.decide.actions import Send
from scand.decide.state import Task
from scand.jobs.lifecycle import Status
from scand.jobs.rows import BatchRow, BatchStatus, Job, UnreadDocument
from scand.jobs.settings import Settings, resolve
from scand.jobs.staged import StagedPlace
from scand.spool.directories import JobDirectory
from scand.spool.leaves import Run

SHA = "0" * 64
ID = "1a2b3c4d-0000-4000-8000-000000000000"
FOLDER = ".scan-staging/1a2b3c4d"
DIRECTORY = JobDirectory(Path("/spool/jobs/42"))
JOB = Job(
    id=42,
    title="Invoices",
    settings={},
    status=Status.ASSEMBLING,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    batches=(
        BatchRow(1, "/etc/another.pdf", 4, BatchStatus.SCANNED, file_hash=SHA),
        BatchRow(2, None, 2, BatchStatus.SCANNED, file_hash=SHA),
        BatchRow(3, None, 9, BatchStatus.DISCARDED),
    ),
)


def task(send: Send, directory: JobDirectory, asked: Settings | None, config: Config) -> wire.Task:
    """The command."""
    return tasks.task(send, directory, asked, config, installation=ID, volume_id="volume")


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
    """Each is looked for in its own directory, whatever its row says; a discarded one is left out."""
    runs = (Run(1, 0, 1), Run(0, 0, 3, 90))
    command = task(Send(Task.ASSEMBLE, 42, job=JOB, runs=runs), DIRECTORY, resolve({}, {}), config)
    assert isinstance(command, wire.Assemble)
    assert [(part.path, part.pages) for part in command.parts] == [
        ("/spool/jobs/42/batch-0001/batch.pdf", 4),
        ("/spool/jobs/42/batch-0002/batch.pdf", 2),
    ]
    assert (command.target, command.runs) == ("/spool/jobs/42/merged.pdf", runs)
    assert command.created == "2026-01-01T00:00:00+00:00"
    assert (command.nas.root, command.nas.volume_id) == ("/nas", "volume")


@pytest.mark.parametrize("kind", [Task.ASSEMBLE, Task.PUBLISH])
@pytest.mark.parametrize(
    ("told", "former", "odd"),
    [
        (None, None, None),
        (f"{FOLDER}/job-42-7/merged.pdf", None, None),
        (f"{FOLDER}/job-42-6/merged.pdf", None, None),
        (".scan-staging/job-42/merged.pdf", ".scan-staging/job-42/merged.pdf", None),
        *(
            (path, None, path)
            for path in (
                "Inbox/Last will.pdf",
                "/etc/passwd",
                f"{FOLDER}/job-42-7/../../../Inbox/x/merged.pdf",
                f"{FOLDER}/job-43-7/merged.pdf",
                f"{FOLDER}/job-42-7/other.pdf",
                ".scan-staging/9f9f9f9f/job-42-7/merged.pdf",
                ".scan-staging/job-43/merged.pdf",
                "",
            )
        ),
    ],
)
def test_where_a_merge_is_staged_is_computed(
    config: Config, kind: Task, told: str | None, former: str | None, odd: str | None
) -> None:
    """The row's path is never used; only where scand 0.1 would have staged this very job it is recognized."""
    job = replace(JOB, nas_staging_path=told, stay=7)
    command = task(Send(kind, 42, job=job), DIRECTORY, resolve({}, {}), config)
    assert isinstance(command, wire.Assemble | wire.Publish)
    assert command.place == StagedPlace(FOLDER, 42, 7, former, odd)
    assert command.place.path == f"{FOLDER}/job-42-7/merged.pdf"


@pytest.mark.parametrize(("asked", "inbox"), [({}, "Inbox"), ({"inbox": "Tax"}, "Tax")])
def test_the_job_may_choose_its_inbox(config: Config, asked: dict[str, str], inbox: str) -> None:
    """Its settings come before the config."""
    command = task(Send(Task.PUBLISH, 42, job=JOB), DIRECTORY, resolve(asked, {}), config)
    assert isinstance(command, wire.Publish)
    assert command.inbox == inbox


@pytest.mark.parametrize(
    ("send", "kind", "fields"),
    [
        (Send(Task.BIND, 42, seq=2), wire.Bind, {"directory": "/spool/jobs/42/batch-0002"}),
        (Send(Task.SWEEP, 0), wire.Sweep, {"jobs": "/spool/jobs"}),
        (Send(Task.CHECK, 0), wire.Check, {}),
        (
            Send(Task.UNSTAGE, 42, staged="x/merged.pdf"),
            wire.Unstage,
            {"place": StagedPlace(FOLDER, 42, odd="x/merged.pdf")},
        ),
        (
            Send(Task.READ_BACK, 42, unread=UnreadDocument(42, "d/a.pdf", SHA)),
            wire.ReadBack,
            {"inbox_path": "d/a.pdf", "sha256": SHA, "place": StagedPlace(FOLDER, 42)},
        ),
    ],
)
def test_each_task_has_its_command(
    config: Config, send: Send, kind: type[wire.Task], fields: dict[str, str]
) -> None:
    """Local tasks know nothing of the NAS."""
    command = task(send, DIRECTORY, None, config)
    assert isinstance(command, kind)
    assert {name: getattr(command, name) for name in fields} == fields
    assert hasattr(command, "nas") is not send.task.local
