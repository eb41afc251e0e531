"""The model, played: some examples always, and for `SCAND_SOAK` minutes when it is set."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.model.machine import run
from tests.model.scene import Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTES = float(os.environ.get("SCAND_SOAK", "0")) * 20


@pytest.fixture(scope="module", name="stage")
def made_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The one server and the one scanner of this module."""
    with stage(tmp_path_factory.mktemp("model")) as made:
        yield made


def test_every_document_holds_what_it_must(stage: Stage) -> None:
    """Some examples, always the same rules in the same order."""
    run(stage, number=1, examples=5, steps=12)


@pytest.mark.skipif(not MINUTES, reason="set SCAND_SOAK=1")
@pytest.mark.timeout(MINUTES * 60 + 600)
def test_soak(stage: Stage) -> None:
    """Rules nobody has chosen before."""
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        number = random.randrange(2**32)
        print(f"number={number}")  # noqa: T201 - shown where it fails
        run(stage, number=number, examples=10, steps=25)
