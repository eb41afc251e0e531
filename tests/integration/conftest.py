"""A client's machine for tests of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Connect, Connection


@pytest.fixture
def shell(tmp_path: Path, migrated_url: str) -> Shell:
    """A client's machine, in front of a migrated database."""
    return Shell(tmp_path, migrated_url)


@pytest.fixture
def agent(migrated_url: str, connect: Connect) -> Connection:
    """A session that takes the agent's steps."""
    connection = connect(migrated_url)
    connection.execute("SET scand.actor = 'agent'")
    return connection
