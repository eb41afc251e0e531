"""Plays the model: a few examples always, and many for 20 minutes with `SCAND_SOAK=1`."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.model.installation import SharedParts, shared_parts
from tests.model.machine import run

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTES = float(os.environ.get("SCAND_SOAK", "0")) * 20


@pytest.fixture(scope="module", name="shared_parts")
def made_shared_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedParts]:
    """The server and the scanner of this module."""
    with shared_parts(tmp_path_factory.mktemp("model")) as made:
        yield made


def test_every_document_holds_what_it_must(shared_parts: SharedParts) -> None:
    """In a few examples with always the same rules, every document has the right sides."""
    run(shared_parts, number=1, examples=5, steps=12)


@pytest.mark.skipif(not MINUTES, reason="set SCAND_SOAK=1")
@pytest.mark.timeout(MINUTES * 60 + 600)
def test_soak(shared_parts: SharedParts) -> None:
    """In examples with random rules, every document has the right sides."""
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        number = random.randrange(2**32)
        print(f"number={number}")  # noqa: T201 - shown where it fails
        run(shared_parts, number=number, examples=10, steps=25)
