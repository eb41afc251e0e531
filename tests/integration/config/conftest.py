"""A place for the config of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.config.loading import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes a config and returns its path."""

    def written(text: str) -> Path:
        path = tmp_path / "scand.toml"
        path.write_text(text)
        return path

    return written
