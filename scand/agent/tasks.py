"""The command for a courier: (`Send`, job, settings, config) → a task on the wire. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Send
from scand.decide.state import Task
from scand.jobs.lifecycle import Status
from scand.jobs.staged import StagedPlace, own_folder

if TYPE_CHECKING:
    from scand.config import Config
    from scand.jobs.rows import Job
    from scand.jobs.settings import Settings
    from scand.spool.directories import JobDirectory


def task(
    send: Send,
    directory: JobDirectory,
    settings: Settings | None,
    config: Config,
    *,
    installation: str,
    volume_id: str,
) -> wire.Task:
    """The task for a courier.

    Args:
        send: what is wanted.
        directory: the job's, on local disk.
        settings: the job's, for PUBLISH; None: it has none, or they cannot be used.
        config: as it is now.
        installation: the database's own id.
        volume_id: the id that the NAS must show.
    """
    nas = nas_task(config, volume_id)
    match send:
        case Send(task=Task.BIND, seq=seq):
            return wire.Bind(directory=str(directory.batch(seq).path))
        case Send(task=Task.ASSEMBLE, job=job) if job is not None:
            return _assemble(send, job, directory, staged_place(job, config, installation), nas)
        case Send(task=Task.PUBLISH, job=job) if job is not None:
            return wire.Publish(
                job_id=job.id,
                title=job.title,
                merged=str(directory.merged),
                pages=job.page_count or 0,
                attempt=str(directory.publishing),
                place=staged_place(job, config, installation),
                inbox=(settings and settings.inbox) or config.nas.inbox,
                inbox_path=job.inbox_path,
                sha256=job.file_hash,
                nas=nas,
                withdraw=job.withdraw == Status.PREVIEW,
            )
        case Send(task=Task.READ_BACK, unread=unread) if unread is not None:
            return wire.ReadBack(
                inbox_path=unread.inbox_path or "",
                sha256=unread.sha256 or "",
                place=StagedPlace.of(
                    config.nas.staging_from_root, installation, send.job_id, 0, unread.nas_staging_path
                ),
                merged=str(directory.merged),
                nas=nas,
            )
        case Send(task=Task.SWEEP):
            return wire.Sweep(jobs=str(directory.path.parent))
        case Send(task=Task.CHECK):
            staging = own_folder(config.nas.staging_from_root, installation)
            return wire.Check(nas=nas, staging=staging, room=send.room)
        case _:
            place = StagedPlace.of(config.nas.staging_from_root, installation, send.job_id, 0, send.staged)
            return wire.Unstage(place=place, merged=str(directory.merged), nas=nas)


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
    send: Send, job: Job, directory: JobDirectory, place: StagedPlace, nas: wire.Nas
) -> wire.Assemble:
    parts = tuple(
        wire.MergePart(
            path=str(directory.batch(batch.seq).pdf),
            pages=batch.page_count,
            sha256=batch.file_hash,
            label=batch.label,
        )
        for batch in job.merged
    )
    return wire.Assemble(
        parts=parts,
        runs=send.runs,
        title=job.title,
        created=job.created_at.astimezone(UTC).isoformat(),
        target=str(directory.merged),
        place=place,
        nas=nas,
    )


def staged_place(job: Job, config: Config, installation: str) -> StagedPlace:
    """Where a job's merge is staged on the NAS.

    Args:
        job: what its row tells of that is used only if scand would name the place so.
        config: as it is now.
        installation: the database's own id.
    """
    staging = config.nas.staging_from_root
    return StagedPlace.of(staging, installation, job.id, job.stay, job.nas_staging_path)
