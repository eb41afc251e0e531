"""The contract in SQL is tested on the oldest PostgreSQL that scand takes, and on the newest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.postgres_releases import NEWEST, OLDEST

if TYPE_CHECKING:
    import pytest

VERSIONS = [int(version) for version in os.environ.get("SCAND_TEST_VERSIONS", f"{OLDEST} {NEWEST}").split()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever uses the server runs on one version after another (`make test-postgres` takes all of them)."""
    if "server_url" in metafunc.fixturenames:
        metafunc.parametrize("server_url", VERSIONS, indirect=True, scope="session")
