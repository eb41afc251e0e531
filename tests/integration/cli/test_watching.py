"""`scand watch`: a job followed to its end, in lines and on a terminal."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from rich.text import Text

from tests.shell import beat, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_watch_follows_a_job_until_it_rests(shell: Shell, agent: Connection) -> None:
    """It prints a line for each change, and ends when the job rests."""
    beat(agent)
    shell.run("submit", "a", "--scan", "auto", "--set", "sides=duplex")
    process = shell.start("watch")
    assert process.stdout is not None

    def line_with(text: str) -> str:
        """The next line must come, and say this."""
        assert process.stdout is not None
        line = process.stdout.readline()
        assert text in line
        return line

    line_with("queued")
    step(agent, 1, "ready")
    line_with("starts by itself now")
    step(agent, 1, "scanning")
    line_with("batch 1 · 0 pages")
    time.sleep(1.1)
    agent.execute("UPDATE scan_jobs SET pages_scanned = 5, last_progress_at = now()")
    assert "images/min" in line_with("batch 1 · 5 pages · 3 sheets")
    with agent.transaction():
        agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (1, 1, 6)")
        step(agent, 1, "ready", pages_scanned=6)
    line_with("6 pages in 1 batch")
    step(agent, 1, "assembling")
    line_with("assembling")
    step(agent, 1, "preview", page_count=6)
    line_with("preview")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (os.EX_OK, "", "")


def test_a_terminal_gets_a_picture(shell: Shell, agent: Connection) -> None:
    """The road of the job, with colours; in a listing long titles are cut, and the line is not."""
    beat(agent)
    shell.run("submit", "long " * 60)
    step(agent, 1, "ready")
    step(agent, 1, "failed", error="The reason.")

    assert "\x1b[" in shell.seen("watch", "1")
    assert "The reason." in shell.seen("watch", "1")
    listed = shell.seen("list")
    assert "…" in listed
    assert "agent: " in listed
    assert all(len(Text.from_ansi(line).plain) <= 100 for line in listed.splitlines())


@pytest.mark.parametrize(
    ("steps", "status", "told"),
    [
        (["canceled"], os.EX_TEMPFAIL, "canceled"),
        (["ready", "failed"], os.EX_DATAERR, "The reason."),
        (["ready", "scanning", "ready"], os.EX_TEMPFAIL, "The reason."),
        (["ready", "assembling", "preview", "committing", "committed"], os.EX_OK, "Inbox/a.pdf"),
    ],
)
def test_the_end_of_a_job_is_the_exit_status_of_watch(
    shell: Shell, agent: Connection, steps: list[str], status: int, told: str
) -> None:
    """0: all is well; 75: a person must act; 65: it failed; and it prints why."""
    shell.run("submit", "a")
    error = None if status == os.EX_OK else "The reason."
    for number, to_status in enumerate(steps, 1):
        last = number == len(steps)
        fault = {"error": error, "error_code": error and "device_error"} if last and len(steps) > 1 else {}
        step(agent, 1, to_status, **fault, inbox_path="Inbox/a.pdf")
    out, _ = shell.run("watch", "1", status=status)
    assert told in out


def test_watching_ends_when_the_database_goes(shell: Shell, agent: Connection) -> None:
    """With a sentence, and 69 or 75: the same call may succeed later."""
    shell.run("submit", "a")
    process = shell.start("watch", "1")
    assert process.stdout is not None
    process.stdout.readline()
    agent.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scand-cli'"
    )
    _out, err = process.communicate(timeout=20)
    assert process.returncode in {os.EX_UNAVAILABLE, os.EX_TEMPFAIL}
    assert err.startswith("scand: The database is ")
