"""What the tests of the courier share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.delivery import made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.delivery import Delivery


@pytest.fixture
def site(tmp_path: Path) -> Delivery:
    """A NAS that is a plain directory, and a document."""
    return made(tmp_path)
