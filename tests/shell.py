"""Where commands are typed, and an agent that takes its steps by hand."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner

from scand.cli import scand as command
from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

NOBODY_LISTENS = "postgresql://somebody@127.0.0.1:9/nowhere"


@dataclass
class Shell:
    """Where commands are typed: a home without a config, and a database by its URL."""

    home: Path
    url: str

    @property
    def config(self) -> Path:
        """Where a config would be found; there is none at first."""
        return self.home / ".config/scand/scand.toml"

    def environment(self) -> dict[str, str]:
        """The environment of a command: without the configs of this machine."""
        others = ("SCAND_", "SANE_", "COLUMNS", "LINES")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        own = {"HOME": str(self.home), "SCAND_DATABASE_URL": self.url, "SANE_CONFIG_DIR": str(self.home)}
        return kept | {name: value for name, value in own.items() if value}

    def start(self, *arguments: str | bytes) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "scand.cli", *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, *arguments: str | bytes, status: int = os.EX_OK) -> tuple[str, str]:
        """A command's stdout and stderr; it must exit with `status`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, f"{arguments}: {process.returncode}\n{out}{err}"
        return out, err

    def typed(self, *arguments: str) -> tuple[int, str]:
        """A command's exit status and all that it says, within this process: many processes would take minutes."""
        done = CliRunner().invoke(command, arguments, env=self.environment(), standalone_mode=False)
        match done.exception:
            case ScandError() as error:
                return error.exit_status, error.sentence
            case click.UsageError() as error:
                return os.EX_USAGE, error.message
            case None:
                return os.EX_OK, done.output
            case error:
                raise error

    def json(self, *arguments: str | bytes, status: int = os.EX_OK) -> Any:
        """The one JSON document that a command prints."""
        return json.loads(self.run(*arguments, "--json", status=status)[0])

    def refused(self, *arguments: str | bytes, status: int) -> str:
        """The one sentence with which a command is refused; it must exit with `status`."""
        out, err = self.run(*arguments, status=status)
        assert out == ""
        lines = err.splitlines()
        assert len(lines) == 1, err
        assert lines[0].startswith("scand: ")
        assert "Traceback" not in err
        return lines[0].removeprefix("scand: ")

    def seen(self, *arguments: str, columns: int = 100) -> str:
        """What a command writes on a terminal that is `columns` characters wide."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scand.cli", *arguments],
            env=self.environment() | {"TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        parts = []
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while part := os.read(ours, 65536):
                parts.append(part)
        os.close(ours)
        process.wait(20)
        return b"".join(parts).decode()


def step(agent: Connection, job: int, status: str, **values: object) -> None:
    """Take a step as the agent, and write other columns with it."""
    columns = ", ".join([f"{name} = %({name})s" for name in ("status", *values)])
    agent.execute(
        f"UPDATE scan_jobs SET {columns} WHERE id = %(id)s".encode(),  # noqa: S608
        {"id": job, "status": status, **values},
    )


def status_of(agent: Connection, job: int) -> str:
    """A job's status."""
    row = agent.execute("SELECT status FROM scan_jobs WHERE id = %s", (job,)).fetchone()
    assert row is not None
    return str(row[0])


def beat(agent: Connection) -> None:
    """Write a heartbeat, as an agent that is alive does."""
    agent.execute("UPDATE scan_agent_status SET last_heartbeat = now(), state = 'idle', ready = true")
