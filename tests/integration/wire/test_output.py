"""What a driver prints, on a real pipe."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from scand.wire.output import LONGEST, PIPEFUL, Output

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[Output, int]]:
    """A stream, and the descriptor into which its driver prints."""
    ours, theirs = os.pipe()
    yield Output(ours), theirs
    os.close(ours)


def test_a_line_without_end_is_cut(pipe: tuple[Output, int]) -> None:
    """A megabyte in one line is a short one that fills no memory, and the next line is whole."""
    noise, driver = pipe
    tracemalloc.start()
    for _ in range(16):
        os.write(driver, b"x" * PIPEFUL)
        assert noise.lines(0.0) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * PIPEFUL
    os.write(driver, b"\nnext\n")
    assert noise.lines(0.0) == ["x" * LONGEST, "next"]
    os.close(driver)


def test_last_words_without_a_newline_are_a_line(pipe: tuple[Output, int]) -> None:
    """They may say why it died; and the stream that has ended says so."""
    noise, driver = pipe
    os.write(driver, b"first\n\nassertion fai")
    assert noise.lines(0.0) == ["first"]
    os.close(driver)
    assert noise.lines(0.0) == ["assertion fai"]
    assert noise.ended
    assert noise.lines(0.0) == []
