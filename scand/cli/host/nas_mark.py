"""Mark the NAS, by way of a courier process, since a NAS may hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand import wire
from scand.agent.tasks import nas_task
from scand.jobs.staged import own_folder
from scand.spool.directories import Spool
from scand.wire.ask import ask_courier

if TYPE_CHECKING:
    from scand.config import Config

_TIMEOUT = 30.0
"""Seconds to wait for an answer; an automount may first have to reach its server."""


def mark_nas(config: Config) -> str:
    """Give `nas.root` its mark, or keep the one that it has, and remember it in `staging.dir`.

    Returns:
        The volume's id.

    Raises:
        ScandError: the NAS is not mounted, cannot be written, or does not answer.
        OSError: `staging.dir` cannot be written.
    """
    spool, staging = Spool(config.staging.dir), config.nas.staging_from_root
    question = wire.Mark(
        staging=staging,
        own=tuple(sorted({own_folder(staging, database) for database in spool.databases()})),
        inbox=config.nas.inbox,
        nas=nas_task(config, ""),
    )
    volume_id = ask_courier(question, wire.Marked, _TIMEOUT).volume_id
    spool.set_volume_id(volume_id)
    return volume_id
