"""The output of a driver, through a real pipe."""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from scand.wire.output import LONGEST, PIPE_SIZE, Output

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[Output, int]]:
    """A stream, and the descriptor on which its driver prints."""
    ours, theirs = os.pipe()
    yield Output(ours), theirs
    os.close(ours)


def test_a_line_without_end_is_cut(pipe: tuple[Output, int]) -> None:
    """A line of a megabyte is cut and takes no memory, and the next line is whole."""
    output, driver = pipe
    tracemalloc.start()
    for _ in range(16):
        os.write(driver, b"x" * PIPE_SIZE)
        assert output.lines(0.0) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * PIPE_SIZE
    os.write(driver, b"\nnext\n")
    assert output.lines(0.0) == ["x" * LONGEST, "next"]
    os.close(driver)


def test_last_words_without_a_newline_are_a_line(pipe: tuple[Output, int]) -> None:
    """An incomplete last line may say why the driver died; and the stream says that it has ended."""
    output, driver = pipe
    os.write(driver, b"first\n\nassertion fai")
    assert output.lines(0.0) == ["first"]
    os.close(driver)
    assert output.lines(0.0) == ["assertion fai"]
    assert output.ended
    assert output.lines(0.0) == []
