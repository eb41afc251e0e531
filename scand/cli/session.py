"""A command's session with the database, in which whatever PostgreSQL says becomes a refusal of ours."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scand.config import Config, embedded_directory
from scand.queue import embedded
from scand.queue.intents import ClientQueue
from scand.queue.refusals import told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def database_url(path: Path | None) -> str:
    """Where the database is, for a client.

    Args:
        path: `--config`, or None for the usual places.

    Raises:
        ConfigError: nothing says where, or this user may not reach it.
        Unavailable: it is the daemon's own, and the daemon does not run.
    """
    config = Config.load(path, os.environ, need="client")
    if not config.database.embedded:
        return config.database.url.get_secret_value()
    # Without a config that may be read it is the service's, wherever that has its files.
    return embedded.url(embedded_directory(config)) if config.path else embedded.running_service_url()


def maintenance_url(path: Path | None) -> str:
    """Where the database is, for one who changes its schema; as `agent_url`."""
    return _operators(path, embedded.maintenance_url)


def agent_url(path: Path | None) -> str:
    """Where the database is, for one who does the agent's work.

    Args:
        path: `--config`, or None for the usual places.

    Raises:
        ConfigError: nothing says where, or this user may not do that.
        Unavailable: it is the daemon's own, and the daemon does not run.
    """
    return _operators(path, embedded.daemon_url)


def _operators(path: Path | None, own: Callable[[Path], str]) -> str:
    config = Config.load(path, os.environ, need="client")
    if not config.database.embedded:
        return config.database.url.get_secret_value()
    return own(embedded_directory(config))


@contextmanager
def open_queue(path: Path | None) -> Iterator[ClientQueue]:
    """The queue, as a client.

    Args:
        path: `--config`, or None for the usual places.

    Raises:
        ScandError: whatever the config or the database refuse, also within the block.
    """
    url = database_url(path)
    with told(), ClientQueue.open(url) as queue:
        yield queue
