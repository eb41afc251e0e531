"""The NAS: mounted, the one that is meant, writable for the daemon, readable for those the documents are for."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from scand import wire
from scand.agent.tasks import nas_task
from scand.cli.checks.check import Check, gib, wrong
from scand.cli.host import people
from scand.errors import ConfigError
from scand.spool.directories import Spool
from scand.wire.ask import ask_courier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scand.cli.host.people import Person
    from scand.config import Config

_PATIENCE = 10.0  # seconds
_SETGID = 0o2000


def ask(config: Config) -> tuple[wire.Surveyed, str]:
    """What the NAS is like, and its id.

    Raises:
        ScandError: it is not there, not the one that is meant, does not answer, or refuses this user.
    """
    volume_id = Spool(config.staging.dir).volume_id()
    if not volume_id:
        raise ConfigError("No NAS is known yet: mount it, then run `scand nas init`.")
    question = wire.Survey(
        staging=config.nas.staging_from_root, inbox=config.nas.inbox, nas=nas_task(config, volume_id)
    )
    return ask_courier(question, wire.Surveyed, _PATIENCE), volume_id


def check_nas(config: Config, found: wire.Surveyed, volume_id: str) -> Check:
    """Whether documents fit."""
    detail = f"{config.nas_root} is volume {volume_id}, {gib(found.free)} free"
    if not found.free:
        return wrong("nas", f"{detail}.", "make room there")
    if not found.granted:
        detail += (
            "; but it gives files other permissions than nas.file_mode and nas.group say, so that fewer people "
            "can read documents than should, or more. Set them by mount options (gid=, file_mode=) or on the NAS"
        )
    return Check("nas", ok=True, detail=detail)


def check_readers(config: Config, found: wire.Surveyed, daemon: Person, me: Person) -> Check:
    """Whether those whom the documents are for can read them, and get to them. Pure but for names of groups.

    Args:
        daemon: the user that writes them.
        me: who asks, as whom commands are suggested.
    """
    named = people.group_id(config.nas.group) if config.nas.group else None
    gid = _given(found, config) if named is None else named
    group, mode = people.group_name(gid), config.nas.file_mode
    if mode & 0o004:
        return Check("readers", ok=True, detail=f"everybody (nas.file_mode is {mode:04o})")
    if not mode & 0o040:
        return Check("readers", ok=True, detail=f"{daemon.name} only: nas.file_mode is {mode:04o}")
    if closed := barred(found.folders, gid):
        paths = " ".join(shlex.quote(os.path.normpath(config.nas_root / path)) for path in closed)
        return wrong(
            "readers",
            f"The group {group} cannot get through {paths}, on the way to previews and documents.",
            f"{me.sudo}chgrp {shlex.quote(group)} {paths} && {me.sudo}chmod g+rx {paths}",
        )
    return Check("readers", ok=True, detail=f"members of the group {group}: {_names(group, daemon)}")


def barred(folders: Iterable[wire.Folder], gid: int) -> list[str]:
    """The folders that members of a group cannot get through, relative to the NAS root. Pure."""
    return [
        folder.path
        for folder in folders
        if not folder.mode & 0o001 and not (folder.gid == gid and folder.mode & 0o010)
    ]


def nobody_else(config: Config, found: wire.Surveyed, daemon: Person) -> bool:
    """Whether no person but the daemon's user can read the documents, as nas.group was never said."""
    gid = _given(found, config)
    private = gid == daemon.gid and not _others(people.members(people.group_name(gid)), daemon)
    return not config.nas.group and private and not config.nas.file_mode & 0o004


def _given(found: wire.Surveyed, config: Config) -> int:
    """The group that a document gets where nas.group says none: the Inbox's, if that hands its group on."""
    for folder in found.folders:
        if folder.path == config.nas.inbox.removeprefix(".") and folder.mode & _SETGID:
            return folder.gid
    return found.gid


def _others(members: Collection[str], daemon: Person) -> list[str]:
    return sorted(set(members) - {daemon.name})


def _names(group: str, daemon: Person) -> str:
    return ", ".join(_others(people.members(group), daemon)) or "nobody yet"
