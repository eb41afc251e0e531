"""The command for a courier: (`Send`, job, settings, config) → a task on the wire. Pure."""

from __future__ import annotations

from datetime import UTC
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Send
from scand.decide.state import Task

if TYPE_CHECKING:
    from scand.config import Config
    from scand.jobs.rows import Job
    from scand.jobs.settings import Settings
    from scand.spool.directories import JobDirectory


def task(
    send: Send, directory: JobDirectory, settings: Settings | None, config: Config, volume_id: str
) -> wire.Task:
    """The task for a courier.

    Args:
        send: what is wanted.
        directory: the job's, on local disk.
        settings: the job's, for ASSEMBLE and PUBLISH; None: it has none, or they cannot be used.
        config: as it is now.
        volume_id: the id that the NAS must show.
    """
    nas = nas_task(config, volume_id)
    match send:
        case Send(task=Task.BIND, seq=seq):
            return wire.Bind(directory=str(directory.batch(seq).path))
        case Send(task=Task.ASSEMBLE, job=job) if job is not None:
            return _assemble(job, directory, settings, config, nas)
        case Send(task=Task.PUBLISH, job=job) if job is not None:
            return wire.Publish(
                job_id=job.id,
                title=job.title,
                merged=str(directory.merged),
                staged=job.nas_staging_path or staged_path(job.id, config),
                inbox=(settings and settings.inbox) or config.nas.inbox,
                inbox_path=job.inbox_path,
                sha256=job.file_hash,
                nas=nas,
            )
        case Send(task=Task.READ_BACK, unread=unread) if unread is not None:
            return wire.ReadBack(
                inbox_path=unread.inbox_path or "",
                sha256=unread.sha256 or "",
                staged=staged_path(send.job_id, config),
                nas=nas,
            )
        case Send(task=Task.SWEEP):
            return wire.Sweep(jobs=str(directory.path.parent))
        case Send(task=Task.CHECK):
            return wire.Check(nas=nas)
        case _:
            return wire.Unstage(staged=send.staged, nas=nas)


def nas_task(config: Config, volume_id: str) -> wire.Nas:
    """The part of a task that says which NAS.

    Args:
        config: as it is now.
        volume_id: the id that the NAS must show.
    """
    return wire.Nas(
        root=str(config.nas_root),
        outside=str(config.nas.outside) if config.nas.outside else None,
        volume_id=volume_id,
        require_mount=config.nas.require_mount,
        file_mode=f"{config.nas.file_mode:04o}",
        group=config.nas.group,
    )


def _assemble(
    job: Job, directory: JobDirectory, settings: Settings | None, config: Config, nas: wire.Nas
) -> wire.Assemble:
    parts = tuple(
        wire.MergePart(
            path=batch.staging_path or str(directory.batch(batch.seq).pdf),
            pages=batch.page_count,
            sha256=batch.file_hash,
            label=batch.label,
        )
        for batch in job.merged
    )
    return wire.Assemble(
        parts=parts,
        halves=settings is not None and settings.sides == "manual-duplex",
        title=job.title,
        created=job.created_at.astimezone(UTC).isoformat(),
        target=str(directory.merged),
        staged=job.nas_staging_path or staged_path(job.id, config),
        nas=nas,
    )


def staged_path(job_id: int, config: Config) -> str:
    """Where a job's merge is staged, relative to the NAS root: not by its title, whose name may be too long."""
    return str(PurePosixPath(config.nas.staging_from_root) / f"job-{job_id}" / "merged.pdf")
