"""The protocol between the daemon and its children: one JSON object a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scand import wire
from scand.faults import ErrorCode
from scand.jobs.settings import resolve
from scand.spool.records import End, Page, Side

PAGE = Page(
    sheet=3, side=Side.BACK, file="page-0006.jpg", sha256="a" * 64, size=1, width=2, height=3, dpi=300.0
)

REPORTS = [
    wire.Hello(version="1"),
    wire.Opened(device="net:x", duplex=True, applied=(("mode", "Color", "Color"), ("br-x", 210.0, 209.9))),
    wire.Alive(step="page 3", done=5, total=9),
    wire.Captured(page=PAGE),
    wire.Ended(end=End(code=ErrorCode.FEEDER_JAMMED, detail="jam"), offers={"source": ["Flatbed"]}),
    wire.Failed(code=None, sentence="ünïcode\nand a new line"),
]


@given(st.lists(st.integers(min_value=1, max_value=40)))
def test_reports_come_out_whole_however_the_bytes_arrive(sizes: list[int]) -> None:
    """A socket splits bytes anywhere; an incomplete line waits for its rest."""
    data, lines, found = b"".join(map(wire.encode, REPORTS)), wire.Lines(), []
    for size in [*sizes, len(data)]:
        found += lines.reports(data[:size])
        data = data[size:]
    assert found == REPORTS


def test_a_command_survives_the_way() -> None:
    """A command with settings, the page size "max" among them, is read back unchanged."""
    scan = wire.Scan(
        directory="/x", device="", settings=resolve({"page_size": "max", "quality": 70}, {}), paper="/p"
    )
    assert wire.Lines().commands(wire.encode(scan)) == [scan]


def test_a_line_of_another_version_is_refused() -> None:
    """An unknown message is an error; nothing is guessed."""
    with pytest.raises(ValidationError):
        wire.Lines().reports(b'{"say": "captured", "page": 3}\n')
    with pytest.raises(ValidationError):
        wire.Lines().commands(b'{"do": "nothing"}\n')
