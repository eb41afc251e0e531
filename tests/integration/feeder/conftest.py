"""A feeder whose driver is the rude backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.feeder import Feeder
from tests.support.rude import Rude

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def rude(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Rude:
    """The rude backend, as libsane's only one."""
    rude = Rude(tmp_path / "sane")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(rude.config))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(library))
    return rude


@pytest.fixture
def feeder(tmp_path: Path, rude: Rude) -> Iterator[Feeder]:
    """A feeder at the rude backend."""
    feeder = Feeder(tmp_path, "")
    yield feeder
    feeder.close()
