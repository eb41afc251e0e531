"""Commands that write what the agent writes: for root on the scan host, or the daemon's user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scand.errors import ConfigError, Unavailable
from scand.queue.connection import take_role
from scand.queue.intents import ClientQueue

if TYPE_CHECKING:
    from pathlib import Path

    from scand.queue.connection import Connection


def refuse_strangers(staging: Path, command: str) -> None:
    """Refuse everybody but root and the owner of the staging directory.

    Args:
        staging: `staging.dir`.
        command: what was asked for, without "scand".

    Raises:
        ConfigError: this is neither.
        Unavailable: there is no such directory here.
    """
    try:
        owner = staging.stat().st_uid
    except OSError as error:
        why = f"{staging} cannot be looked at ({error.strerror}): {command} is for the scan host, as root"
        raise Unavailable(f"{why}: sudo scand {command}") from error
    if os.geteuid() not in {0, owner}:
        raise ConfigError(f"{staging} is another user's: sudo scand {command}")


def be_the_agent(connection: Connection, command: str) -> None:
    """Take the role of the agent.

    Args:
        connection: the operator's.
        command: what was asked for, without "scand".

    Raises:
        ConfigError: this login may not.
    """
    take_role(connection, "scand_agent")
    [role] = [role for role in ClientQueue(connection).roles() if role.name == "scand_agent"]
    if role.granted and not (role.member or role.direct):
        raise ConfigError(
            f"The login {connection.info.user} may not write what the agent writes: GRANT scand_agent TO "
            f'"{connection.info.user}", or run it with the daemon\'s config: sudo scand {command}'
        )
