"""A long stack: 300 sheets, both sides, in one batch, in order, and with no more memory than for 80 sheets."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.site import Site, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import MakeSimulator

SHORT, LONG = 80, 300
"""In sheets. Even the short stack is larger than the 16 MiB after which the PDF is bound in parts."""

GROWTH = 1.1
"""How much more memory a process may use for the long stack, since allocators vary."""


def family(process: int) -> Iterator[int]:
    """A process and its descendants."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def peak(process: int) -> tuple[str, int]:
    """The module that a process runs, and its peak memory (proc(5), VmHWM) in kB."""
    directory = Path(f"/proc/{process}")
    command = (directory / "cmdline").read_text().split("\0")
    status = dict(line.split(":", 1) for line in (directory / "status").read_text().splitlines())
    return command[command.index("-m") + 1], int(status["VmHWM"].split()[0])


@contextmanager
def peaks(process: int) -> Iterator[dict[str, int]]:
    """Watch a process and its descendants 20 times a second; gives the peak of each module, in kB."""
    highest: dict[str, int] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            with suppress(OSError, KeyError, ValueError):  # one has just been forked, or just ended
                for member in family(process):
                    part, size = peak(member)
                    highest[part] = max(size, highest.get(part, 0))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield highest
    finally:
        ended.set()
        thread.join()


@pytest.mark.timeout(300)
def test_three_hundred_sheets_in_one_batch(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """600 sides are scanned and assembled in order, with no more memory than for a short stack."""
    control = tmp_path / "paper"
    scanner = simulate("--count", str(SHORT), "--reload", str(control))
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        daemon = site.serving()
        used = []
        for sheets in (SHORT, LONG):
            with peaks(daemon.process.pid) as highest:
                job = site.submit(f"{sheets} sheets", scan="auto", finish="commit")
                row = site.wait(job, "committed", patience=200)
            used.append(highest)
            assert row["page_count"] == 2 * sheets
            assert [batch["page_count"] for batch in site.batches(job)] == [2 * sheets]
            (tmp_path / "next").write_text(str(LONG))
            (tmp_path / "next").rename(control)
        sides = list(range(1, 2 * (SHORT + LONG) + 1))
        assert scanner.fed() == sides
        assert numbers(site.nas / row["inbox_path"]) == sides[2 * SHORT :]
        short, long = used
        assert set(short) == {"scand.cli", "scand.feeder", "scand.courier"}
        for part, size in long.items():
            assert size <= short[part] * GROWTH, f"{part}, kB: {short[part]} became {size}"
    finally:
        site.close()
