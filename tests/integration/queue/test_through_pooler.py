"""A sample of the contract, through PgBouncer in session mode: what needs its session kept.

`make test-postgres` has all of it go through (`SCAND_TEST_POOLER=1`, see conftest).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.queue.test_fencing import (  # noqa: F401 - they are run here, too
    queue,
    test_a_displaced_daemon_records_nothing,
    test_a_look_is_bounded_whatever_the_row_holds,
    test_the_agents_role_makes_its_row_again,
)

if TYPE_CHECKING:
    from tests.integration.queue.conftest import Through


@pytest.fixture
def migrated_url(migrated_url: str, through: Through) -> str:
    """The URL of a database with scand's schema, at the pooler."""
    return through(migrated_url)


def test_it_is_the_pooler_that_answers(migrated_url: str) -> None:
    """The sample is not led past it: the port is PgBouncer's."""
    assert migrated_url.endswith("port=6432")
