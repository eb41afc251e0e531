"""The log, as a process writes it."""

from __future__ import annotations

import json
import os
import pty
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scand.agent.log.events import MESSAGES, Event

if TYPE_CHECKING:
    from pathlib import Path

SAYING = """
import sys
from scand.agent.log import journal
from scand.agent.log.events import Event
journal.configure(*sys.argv[1:])
log = journal.Journal()
log.say(Event.BATCH_FAULT, job=42, batch=2, page=25, code="feeder_jammed", why="sheet 13\\njammed", level="x")
log.say(Event.PAGE_CAPTURED, job=42, batch=2, page=25)
try:
    secret = "geheim"
    1 / 0
except ZeroDivisionError as error:
    log.say(Event.UNEXPECTED, why=error, exc_info=error)
"""
FAULT = "job 42: batch 2 ended early (feeder_jammed): sheet 13 jammed"


def says(*arguments: str, **environ: str) -> str:
    """What a process writes to standard error, a pipe."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SAYING, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("arguments", [(), ("info", "json")], ids=["auto", "json"])
def test_json_lines(arguments: tuple[str, ...]) -> None:
    """Without a terminal and a journal, each event is one JSON object with its fields and its MESSAGE_ID."""
    fault, unexpected = (json.loads(line) for line in says(*arguments).splitlines())
    assert fault.pop("timestamp").endswith("Z")
    assert fault == {
        "level": "warning",
        "event": "batch_fault",
        "message": FAULT,
        "message_id": MESSAGES[Event.BATCH_FAULT].id,
        "job": 42,
        "batch": 2,
        "page": 25,
        "code": "feeder_jammed",
        "why": "sheet 13\njammed",
    }
    assert unexpected["why"] == "division by zero"
    assert "ZeroDivisionError" in unexpected["exception"]


def test_the_level_is_kept() -> None:
    """The progress of a page is written at debug only, and a jam not at error."""
    assert [json.loads(line)["event"] for line in says("debug", "json").splitlines()] == [
        "batch_fault",
        "page_captured",
        "unexpected",
    ]
    assert [json.loads(line)["event"] for line in says("error", "json").splitlines()] == ["unexpected"]


def test_console_lines() -> None:
    """Asked for, the console's form is plain in a pipe: time, level and wording, and a traceback below."""
    lines = says("info", "console").splitlines()
    assert lines[0][8:] == f" [warning  ] {FAULT}"
    assert lines[1].rstrip().endswith("unexpected: division by zero")
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert not any("\x1b" in line for line in lines)


def test_a_terminal_gets_coloured_lines() -> None:
    """On a terminal the lines are short and coloured, and no traceback shows local variables."""
    parent, child = pty.openpty()
    with os.fdopen(parent, "rb", buffering=0) as screen:
        command = [sys.executable, "-W", "error", "-c", SAYING]
        subprocess.run(command, stderr=child, env={**os.environ, "TERM": "xterm"}, check=True)
        os.close(child)
        written = screen.read(65536).decode()
    assert FAULT in written
    assert "\x1b[33m" in written
    assert "geheim" not in written.replace('secret = "geheim"', "")


def entry(datagram: bytes) -> dict[str, str]:
    """A journal entry, by journald's native protocol."""
    fields = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack_from("<Q", datagram)
            value, datagram = datagram[8 : 8 + length], datagram[9 + length :]
        fields[name.decode()] = value.decode()
    return fields


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    """journald gets the message with its id, its priority, and every field under a SCAND_ name."""
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(path)
        journald.settimeout(5)
        assert says("info", "journal", path) == ""
        fault, unexpected = entry(journald.recv(65536)), entry(journald.recv(65536))
    assert fault == {
        "MESSAGE": FAULT,
        "MESSAGE_ID": MESSAGES[Event.BATCH_FAULT].id,
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "scand",
        "SCAND_EVENT": "batch_fault",
        "SCAND_JOB_ID": "42",
        "SCAND_BATCH": "2",
        "SCAND_PAGE": "25",
        "SCAND_ERROR_CODE": "feeder_jammed",
        "SCAND_WHY": "sheet 13\njammed",
        "SCAND_LEVEL": "x",
    }
    assert unexpected["MESSAGE"] == "unexpected: division by zero"
    assert "ZeroDivisionError" in unexpected["SCAND_TRACEBACK"]


def test_the_journal_is_found_by_its_stream(tmp_path: Path) -> None:
    """With $JOURNAL_STREAM naming standard error the journal is taken; of another file it says nothing."""
    log = tmp_path / "stderr"
    path = str(tmp_path / "journal")
    with log.open("w") as stderr, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(path)
        journald.settimeout(5)
        stat = os.fstat(stderr.fileno())
        for stream in (f"{stat.st_dev}:{stat.st_ino}", f"{stat.st_dev}:1"):
            subprocess.run(
                [sys.executable, "-c", SAYING, "info", "auto", path],
                stderr=stderr,
                env={**os.environ, "JOURNAL_STREAM": stream},
                check=True,
            )
        assert entry(journald.recv(65536))["SCAND_EVENT"] == "batch_fault"
    assert len(log.read_text().splitlines()) == 2  # the second process's JSON


def test_a_journal_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """Without journald the line goes to standard error, with its syslog priority."""
    lines = says("info", "journal", str(tmp_path / "nobody")).splitlines()
    assert lines == [f"<4>{FAULT}", "<3>unexpected: division by zero"]


def test_a_journal_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    """A journald whose queue is full does not make the daemon wait: the rest goes to standard error."""
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(path)
        many = f"{SAYING}\nfor page in range(1000): log.say(Event.PAGE_CAPTURED, job=1, batch=1, page=page)\n"
        done = subprocess.run(
            [sys.executable, "-c", many, "debug", "journal", path],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    assert "page 999 is safe" in done.stderr


def test_a_closed_standard_error_ends_nobody() -> None:
    """A daemon whose terminal is gone goes on without a log."""
    closing = f"import os; os.close(2)\n{SAYING}\nprint('on')"
    command = [sys.executable, "-c", closing, "info", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "on\n"
