"""`scand rename`: before the merge, after it, and what is said once it is too late."""

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


def test_what_is_merged_is_merged_again(shell: Shell, agent: Connection) -> None:
    """It is a step, and is told; the title that it has already is none."""
    beat(agent)
    shell.run("submit", "a")
    for status in ("ready", "assembling", "preview"):
        step(agent, 1, status)
    assert shell.run("rename", "1", "a")[0] == "job 1: a → a\n"
    assert shell.json("show", "1")["status"] == "preview"
    assert shell.run("rename", "1", "b")[0] == "job 1: a → b: it is merged again (scand watch 1)\n"
    shown = shell.json("show", "1")
    assert (shown["title"], shown["status"]) == ("b", "assembling")


def test_from_the_commit_on_the_title_is_fixed(shell: Shell, agent: Connection) -> None:
    """It is refused with what can be done instead."""
    beat(agent)
    shell.run("submit", "a")
    for status in ("ready", "assembling", "preview", "committing"):
        step(agent, 1, status)
    assert "scand reopen 1" in shell.refused("rename", "1", "b", status=os.EX_DATAERR)
    step(agent, 1, "committed")
    assert "rename the file itself" in shell.refused("rename", "1", "b", status=os.EX_DATAERR)


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
