"""The contract in SQL is tested on the oldest PostgreSQL that scand takes, and on the newest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.postgres_releases import NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = [int(version) for version in os.environ.get("SCAND_TEST_VERSIONS", f"{OLDEST} {NEWEST}").split()]


@pytest.fixture(scope="session", params=VERSIONS)
def server_url(postgres_servers: Callable[[int | None], str], request: pytest.FixtureRequest) -> str:
    """As everywhere, for one version after another (`make test-postgres` takes all of them)."""
    return postgres_servers(request.param)
