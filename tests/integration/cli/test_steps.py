"""The commands that take a job a step further, from `scand scan` to `scand retry`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.shell import beat, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_the_commands_take_a_job_through_its_life(shell: Shell, agent: Connection) -> None:
    """Each writes its intent, prints the status before and after, and finds the active job by itself."""
    beat(agent)
    shell.run("submit", "a", "--draft")
    assert shell.run("scan", "1")[0] == "job 1: draft → queued\n"
    step(agent, 1, "ready")
    assert shell.run("scan")[0] == "job 1: ready → scanning\n"
    assert shell.run("scan")[0] == "job 1 is scanning already\n"
    step(agent, 1, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (1, 1), (1, 2)")
    assert shell.run("discard", "1", "2")[0] == "job 1: batch 2 is discarded; batches in the document: 1\n"
    assert shell.run("restore", "1", "2")[0] == "job 1: batch 2 is kept; batches in the document: 2\n"
    assert "it has: 1, 2" in shell.refused("discard", "1", "3", status=os.EX_DATAERR)
    assert shell.run("finish")[0] == "job 1: ready → assembling\n"
    assert "scand reopen 1" in shell.refused("discard", "1", "1", status=os.EX_DATAERR)
    assert shell.run("reopen")[0] == "job 1: assembling → ready\n"
    step(agent, 1, "assembling")
    step(agent, 1, "preview")
    assert shell.run("reopen")[0] == "job 1: preview → ready\n"
    step(agent, 1, "assembling")
    step(agent, 1, "preview")
    assert shell.run("commit")[0] == "job 1: preview → committing\n"
    assert shell.run("reopen")[0] == "job 1: committing → preview\n"
    assert shell.run("cancel")[0] == "job 1: preview → canceled\n"
    assert shell.run("retry", "1")[0] == "job 1: canceled → queued\n"
    step(agent, 1, "ready")
    step(agent, 1, "failed")
    assert shell.run("retry")[0] == "job 1: failed → queued\n"
    actors = agent.execute(
        "SELECT DISTINCT actor FROM scan_job_events WHERE to_status = 'canceled'"
    ).fetchall()
    assert actors == [("client",)]


def test_without_a_job_it_must_be_clear_which(shell: Shell, agent: Connection) -> None:
    """Where none or several could be meant, nothing is done, and the sentence says so."""
    for title in ("a", "b"):
        shell.run("submit", title)
    assert "Job 1 still waits in the queue" in shell.refused("scan", status=os.EX_DATAERR)
    for name in ("finish", "commit", "cancel", "reopen"):
        assert "No job holds the scanner" in shell.refused(name, status=os.EX_DATAERR)
    assert "No job has failed" in shell.refused("retry", status=os.EX_DATAERR)
    for job in (1, 2):
        step(agent, job, "ready")
        step(agent, job, "failed")
    assert "(1, 2)" in shell.refused("retry", status=os.EX_DATAERR)
