"""What holds for every command: its help, a wrong call, Ctrl-C, and a reader that leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from scand.cli import scand as command
from tests.shell import NOBODY_LISTENS, Shell, status_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Connection


def test_every_command_has_help_and_is_in_it() -> None:
    """The help of the whole names all of them, and each has its own."""
    runner = CliRunner()
    whole = runner.invoke(command, ["--help"])
    assert whole.exit_code == 0
    with command.make_context("scand", [], resilient_parsing=True) as context:
        names = command.list_commands(context)
    assert len(names) == 32
    for name in names:
        assert f"\n  {name} " in whole.output
        own = runner.invoke(command, [name, "--help"])
        assert own.exit_code == 0, own.output
        assert "Usage: scand" in own.output


def test_nothing_heavy_is_loaded_before_a_command_is_known() -> None:
    """`scand --version` loads nothing but click."""
    code = "import sys, scand.cli; print(*sorted({'psycopg', 'pydantic', 'rich', 'PIL'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["list", "--nonsense"], ["show"], ["show", "0"], ["show", "seven"], ["show", str(2**63)],
     ["discard", "1", "0"], ["submit"], ["submit", "a", "--set", "resolution"], ["submit", "a", "--scan", "later"],
     ["submit", "a", "--draft", "--wait"], ["list", "--status", "lost"], ["list", "--limit", "0"]],
)  # fmt: skip
def test_a_wrong_call_is_64(tmp_path: Path, arguments: list[str]) -> None:
    """The error comes before the database is asked."""
    out, err = Shell(tmp_path, NOBODY_LISTENS).run(*arguments, status=os.EX_USAGE)
    assert "Error: " in err
    assert out == ""


def test_a_wrong_call_that_wants_json_gets_it(tmp_path: Path) -> None:
    """One document on stdout; but what stands behind "--" is no option."""
    shell = Shell(tmp_path, NOBODY_LISTENS)
    refusal = shell.json("list", "--status", "lost", status=os.EX_USAGE)
    assert "lost" in refusal["error"]
    assert refusal["error_code"] is None
    out, _ = shell.run("submit", "--", "--json", "more", status=os.EX_USAGE)
    assert out == ""


def test_interrupted_is_130(shell: Shell, agent: Connection) -> None:
    """The exit status of any program that Ctrl-C ends, and no traceback."""
    job = shell.json("submit", "a")["id"]
    process = shell.start("watch", str(job))
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == ""
    assert status_of(agent, job) == "queued"


def test_a_reader_that_leaves_is_no_traceback(shell: Shell) -> None:
    """`scand list | head -1`."""
    for number in range(5):
        shell.run("submit", f"{number} " + "long " * 700)
    with shell.start("list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
