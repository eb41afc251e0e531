"""`scand rename`: before the merge, and what to do after it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.shell import beat, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_a_job_has_another_title(shell: Shell) -> None:
    """It says both; settings and status stay."""
    shell.run("submit", "Invoces", "--set", "resolution=200")
    assert shell.run("rename", "1", "Invoices / 2026")[0] == "job 1: Invoces → Invoices / 2026\n"
    [job] = shell.json("list")
    assert (job["title"], job["status"], job["settings"]) == (
        "Invoices / 2026",
        "queued",
        {"resolution": 200},
    )


@pytest.mark.parametrize("title", ["", "   ", b"caf\xe9"])
def test_a_title_that_says_nothing_is_65(shell: Shell, title: str | bytes) -> None:
    """As with submit; nothing is changed."""
    shell.run("submit", "a")
    shell.refused("rename", "1", title, status=os.EX_DATAERR)
    assert shell.json("show", "1")["title"] == "a"
    assert "no job 42" in shell.refused("rename", "42", "b", status=os.EX_DATAERR)


def test_what_is_merged_is_reopened_first(shell: Shell, agent: Connection) -> None:
    """The sentence says so, and after that it goes."""
    beat(agent)
    shell.run("submit", "a")
    for status in ("ready", "assembling", "preview"):
        step(agent, 1, status)
    assert "scand reopen 1" in shell.refused("rename", "1", "b", status=os.EX_DATAERR)
    shell.run("reopen", "1")
    shell.run("rename", "1", "b")
    assert shell.json("show", "1")["title"] == "b"


def test_waiting_for_the_next_job_ends_with_130(shell: Shell) -> None:
    """`scand watch` with nothing to watch says what it waits for; Ctrl-C ends it without a word."""
    process = shell.start("watch")
    assert process.stdout is not None
    assert "waiting for the next one" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, "", "")


def test_the_next_job_is_followed(shell: Shell, agent: Connection) -> None:
    """Also one that has come and gone between two looks; a failed job of the past is not the next."""
    shell.run("submit", "old")
    step(agent, 1, "ready")
    step(agent, 1, "failed")
    process = shell.start("watch")
    assert process.stdout is not None
    assert "waiting for the next one" in process.stdout.readline()
    with agent.transaction():
        agent.execute("INSERT INTO scan_jobs (title, status) VALUES ('quick', 'queued')")
        step(agent, 2, "canceled")
    out, _err = process.communicate(timeout=20)
    assert process.returncode == os.EX_TEMPFAIL
    assert "job 2  canceled" in out
