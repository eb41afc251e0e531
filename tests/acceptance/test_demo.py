"""`scand demo` as a user runs it: one command, and there is a PDF."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from PIL import Image

from tests.acceptance.site import numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = 24


class Demo:
    """A running demo, whose temporary files go where the test says."""

    def __init__(self, directory: Path, temporary: Path, *arguments: str) -> None:
        self.directory, self.temporary = directory, temporary
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scand.cli", "demo", *arguments],
            cwd=directory,
            # What a user has set for another installation must not lead the demo there.
            env=os.environ | {"TMPDIR": str(temporary), "SCAND_DATABASE_URL": "postgresql://elsewhere"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def lines_to(self, text: str) -> list[str]:
        """What it prints up to a line with this text."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError("\n".join(lines))

    def rest(self) -> str:
        """What it prints until it ends."""
        return self.process.communicate(timeout=60)[0]

    def children(self) -> list[int]:
        """Processes of the demo that run, by its temporary directory in their arguments."""
        return [pid for pid, arguments in _processes() if str(self.temporary) in arguments]

    def daemon(self) -> int:
        """The daemon's process id."""
        [pid] = [
            pid for pid, words in _processes() if str(self.temporary) in words and words.endswith("\0run\0")
        ]
        return pid


def _processes() -> Iterator[tuple[int, str]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile


def paths(lines: list[str], suffix: str) -> list[Path]:
    """Lines that are an absolute path and nothing else."""
    return [Path(line) for line in lines if line.startswith("/") and line.endswith(suffix)]


class StartDemo(Protocol):
    """Starts a demo."""

    def __call__(self, *arguments: str) -> Demo:
        """With more arguments."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartDemo]:
    """Start demos, which end with the test. Their temporary files are where a unix socket can be."""
    started: list[Demo] = []

    with tempfile.TemporaryDirectory(dir="/tmp", prefix="demo-") as temporary:

        def begin(*arguments: str) -> Demo:
            started.append(Demo(tmp_path, Path(temporary), *arguments))
            return started[-1]

        yield begin
        for demo in started:
            demo.process.terminate()
            demo.process.wait(60)
            assert demo.process.stdout is not None
            demo.process.stdout.close()


def test_the_demo_leaves_a_document_and_nothing_else(start: StartDemo, tmp_path: Path) -> None:
    """Exit status 0; the Inbox has one PDF with both batches in feeding order; no process is left."""
    demo = start()
    lines = demo.rest().splitlines()
    assert demo.process.returncode == 0, "\n".join(lines)
    inbox = tmp_path / "demo-out" / "nas" / "PKM" / "Inbox"
    assert list(inbox.iterdir()) == paths(lines, ".pdf")
    [pdf] = paths(lines, ".pdf")
    assert numbers(pdf) == list(range(1, PAGES + 1))
    [png] = paths(lines, ".png")
    with Image.open(png) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width * sheet.height > PAGES * 200 * 280
    timeline = [line.strip().split("  ")[-1].strip() for line in lines if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert timeline == [
        "queued",
        "queued → ready",
        *["ready → scanning", "scanning → ready"] * 2,
        "ready → assembling",
        "assembling → preview",
        "preview → committing",
        "committing → committed",
    ]
    assert any(f"{PAGES} pages of 12 sheets" in line and "images/min" in line for line in lines)
    assert demo.children() == []
    assert list(demo.temporary.iterdir()) == []


def test_a_kept_demo_can_be_played_with(start: StartDemo) -> None:
    """What it says to try next works; Ctrl-C ends it well, and the document stays."""
    demo = start("--keep")
    lines = demo.lines_to("until Ctrl-C")
    said = "\n".join(lines)
    [config] = set(re.findall(r"--config (\S+)", said))
    [(simulator, daemon)] = re.findall(r"kill -HUP (\d+); kill -USR1 (\d+)", said)
    assert "psql 'postgresql://" in said
    os.kill(int(simulator), signal.SIGHUP)
    os.kill(int(daemon), signal.SIGUSR1)
    scand = [sys.executable, "-P", "-m", "scand.cli", "--config", config]

    def jobs() -> list[str]:
        listed = subprocess.run([*scand, "list", "--json"], capture_output=True, text=True, check=True)
        return [job["status"] for job in json.loads(listed.stdout)]

    until(lambda: len(jobs()) == 2, "a second job")
    watched = subprocess.run([*scand, "watch", "2"], capture_output=True, text=True, check=False, timeout=60)
    assert watched.returncode == 0, watched.stdout + watched.stderr
    assert "12 pages in 1 batch" in watched.stdout
    assert jobs() == ["committed", "committed"]
    demo.process.send_signal(signal.SIGINT)
    demo.rest()
    assert demo.process.returncode == 0
    assert demo.children() == []
    assert paths(lines, ".pdf")[0].is_file()


def test_a_demo_that_goes_wrong_says_so_and_clears_up(start: StartDemo) -> None:
    """The daemon is killed in the middle: a sentence, the end of its log, 69, and no process is left."""
    demo = start()
    demo.lines_to("scanning")
    os.kill(demo.daemon(), signal.SIGKILL)
    said = demo.rest()
    assert demo.process.returncode == os.EX_UNAVAILABLE
    assert "scand: The daemon has ended" in said
    assert "job 1: claimed" in said
    assert demo.children() == []
    assert list(demo.temporary.iterdir()) == []


def test_a_terminated_demo_clears_up(start: StartDemo) -> None:
    """SIGTERM at any moment; here while the daemon starts."""
    demo = start()
    demo.lines_to("starting")
    until(demo.children, "a child")
    demo.process.terminate()
    demo.rest()
    assert demo.process.returncode == 128 + signal.SIGTERM
    assert demo.children() == []
    assert list(demo.temporary.iterdir()) == []


def test_a_long_path_for_temporary_files_is_no_obstacle(tmp_path: Path) -> None:
    """The path of a unix socket has 107 bytes at most: the demo looks for a shorter one."""
    temporary = tmp_path / ("long" * 30)
    temporary.mkdir()
    demo = Demo(tmp_path, temporary, "--dir", str(tmp_path / "elsewhere" / ("deep" * 30)))
    said = demo.rest()
    assert demo.process.returncode == 0, said
    [pdf] = paths(said.splitlines(), ".pdf")
    assert pdf.is_relative_to(tmp_path / "elsewhere")
    assert pdf.is_file()
