"""`scand show` and `scand list`: a job for programs, and for people who read it in a pipe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.shell import step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_list_and_show_are_one_document_each(shell: Shell, agent: Connection) -> None:
    """Field names are the columns', and what is not in the document; a job brings its batches and its events."""
    for title in ("a", "b"):
        shell.json("submit", title)
    step(agent, 1, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (1, 1, 12)")
    assert [job["title"] for job in shell.json("list")] == ["b", "a"]
    assert [job["title"] for job in shell.json("list", "--status", "ready")] == ["a"]
    assert [job["title"] for job in shell.json("list", "-n", "1")] == ["b"]
    shown = shell.json("show", "1")
    columns = {row[0] for row in agent.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'scan_jobs'"
    )}  # fmt: skip
    assert set(shown) == columns | {"seen_at", "left_out", "batches", "events", "edits"}
    assert (shown["status"], shown["batch_count"]) == ("ready", 1)
    assert [batch["page_count"] for batch in shown["batches"]] == [12]
    assert [event["to_status"] for event in shown["events"]] == ["queued", "ready"]


def test_listings_for_people_cut_nothing_in_a_pipe(shell: Shell, agent: Connection) -> None:
    """A line a job, however long its title; and nothing of a title reaches the terminal as a command."""
    title = "long " * 60 + "\x1b[31m\x9b2J\u202e end"
    shell.json("submit", title)
    step(agent, 1, "ready")
    step(agent, 1, "failed", error="A sentence.\x1b[0m", error_code="device_error")
    listed = shell.run("list")[0]
    shown = shell.run("show", "1")[0]
    for text in (listed, shown):
        assert "long " * 60 in text
        assert " end" in text
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert "device_error" in listed
    assert "A sentence." in shown
    assert shell.run("list", "--status", "draft") == ("", "no jobs\n")


def test_a_job_that_is_not_there_is_65(shell: Shell) -> None:
    """For each command that takes a job."""
    for name in ("show", "watch", "scan", "finish", "commit", "cancel", "retry", "reopen"):
        assert "no job 42" in shell.refused(name, "42", status=os.EX_DATAERR)
    assert "no job 42" in shell.json("show", "42", status=os.EX_DATAERR)["error"]
    assert "no job 42" in shell.refused("discard", "42", "1", status=os.EX_DATAERR)
