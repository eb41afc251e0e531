"""`scand demo` as a user runs it: one command, and there is a PDF."""

from __future__ import annotations

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

from tests.support.site import numbers, until

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


def suggested(lines: list[str]) -> dict[str, str]:
    """What a kept demo says to try: what it is → the command."""
    begin = max(number for number, line in enumerate(lines) if line.endswith(".pdf"))
    return {line[:20].strip(): line[20:] for line in lines[begin + 1 :] if len(line) > 20 and line[19] == " "}


def test_every_command_of_a_kept_demo_runs_as_printed(start: StartDemo, tmp_path: Path) -> None:
    """In a shell, as it stands, in another directory; Ctrl-C ends the demo well, and the document stays."""
    demo = start("--keep")
    lines = demo.lines_to("until Ctrl-C")
    commands = suggested(lines)
    assert list(commands) == [
        "load the feeder", "scan it, by hand", "watch it", "see the queue", "the scanner", "what it is asked",
        "be a client", "the daemon's log",
    ]  # fmt: skip

    def typed(command: str, patience: float = 60) -> str:
        """What a command prints; it must end well, but for one that never ends by itself."""
        done = subprocess.run(
            ["sh", "-c", command], cwd="/", capture_output=True, text=True, check=False, timeout=patience,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    typed(commands["load the feeder"])
    told = typed(commands["scan it, by hand"])
    assert told.startswith("job 2 'Scan ")
    until(lambda: "committed\tScan" in typed(commands["see the queue"]), "the second job is committed")
    assert "sim" in typed(commands["the scanner"])
    assert "ADF Duplex" in typed(commands["what it is asked"])
    client = commands["be a client"]
    assert "committed" in typed(f"echo 'TABLE scan_jobs' | {client}")
    follow = commands["the daemon's log"]
    assert "committed" in typed(f"timeout 5 {follow} || [ $? = 124 ]")
    follower = ["sh", "-c", f"exec {commands['watch it']}"]
    with subprocess.Popen(follower, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        assert "waiting for the next one" in watch.stdout.readline()
        typed(commands["load the feeder"])
        typed(commands["scan it, by hand"])
        assert "12 pages in 1 batch" in watch.communicate(timeout=60)[0]
        assert watch.returncode == 0
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
