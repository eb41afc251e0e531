"""Every command that answers does so in JSON, too."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click
import pytest

from scand.cli import scand as command
from tests.shell import NOBODY_LISTENS, Shell, beat, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.shell import Connection

WITHOUT = {
    "run": "the daemon: its log is its answer, see [logging] format",
    "simulate": "a scanner, which answers nobody but libsane",
    "demo": "a play for people",
    "setup": "it ends with doctor: scand doctor --json",
}


def commands(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, by the words that one types for it."""
    with group.make_context(None, [], resilient_parsing=True) as context:
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            if isinstance(found, click.Group):
                yield from commands(found, (*words, name))
            elif found is not None:
                yield (*words, name), found


def test_every_command_that_answers_has_json() -> None:
    """Or is listed with the reason."""
    without = {
        words[0]
        for words, found in commands(command)
        if not any("--json" in param.opts for param in found.params)
    }
    assert without == set(WITHOUT)


def test_every_command_option_and_argument_is_explained() -> None:
    """Man pages and help are made of these."""
    for words, found in commands(command):
        text = found.help or ""
        assert len(text.split()) > 3, words
        for param in found.params:
            if isinstance(param, click.Option):
                assert param.help, (words, param.name)
            elif isinstance(param, click.Argument):
                shown = (param.metavar or param.name or "").upper().rstrip(".")
                assert shown in text, (words, param.name)


@pytest.mark.parametrize(
    "words", sorted(words for words, _found in commands(command) if words[0] not in WITHOUT)
)
def test_a_refusal_is_json_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    """An unknown option: one document with the sentence, and nothing else on stdout."""
    shell = Shell(tmp_path, NOBODY_LISTENS)
    refusal = json.loads(shell.run(*words, "--nonsense", "--json", status=os.EX_USAGE)[0])
    assert "--nonsense" in refusal["error"]
    assert refusal["error_code"] is None


def test_what_the_buttons_answer(shell: Shell, agent: Connection) -> None:
    """One document each, with the columns' names; none is mixed with words."""
    beat(agent)
    job = shell.json("submit", "a")["id"]
    step(agent, job, "ready")
    assert shell.json("scan") == {
        "id": job,
        "from_status": "ready",
        "to_status": "scanning",
        "resumes_in": None,
        "withdraw": None,
    }
    step(agent, job, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (%s, 1)", (job,))
    kept = {"id": job, "batch_seq": 1, "status": "scanned", "batch_count": 1}
    assert shell.json("discard", "1", "1") == {**kept, "status": "discarded", "batch_count": 0}
    assert shell.json("restore", "1", "1") == kept
    assert shell.json("rename", "1", "b") == {"id": job, "title": "b"}
    assert shell.json("finish", "1")["to_status"] == "assembling"
    assert shell.json("reopen", "1")["from_status"] == "assembling"
    assert "scand finish 1" in shell.json("commit", "1", status=os.EX_DATAERR)["error"]
    assert shell.json("cancel", "1")["to_status"] == "canceled"
    assert shell.json("retry", "1")["to_status"] == "queued"
    assert shell.json("migrate") == {"applied": [], "commit_by": None}


def test_watch_is_an_object_a_line(shell: Shell, agent: Connection) -> None:
    """One for each change, from waiting for a job to its end."""
    beat(agent)
    process = shell.start("watch", "--json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"job": None}
    shell.run("submit", "a")
    first = json.loads(process.stdout.readline())
    assert (first["job"]["id"], first["job"]["status"]) == (1, "queued")
    assert "scand scan 1" in first["progress"]["next"]
    step(agent, 1, "ready")
    step(agent, 1, "failed", error="The reason.", error_code="device_error")
    out, err = process.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    assert (last["job"]["status"], last["job"]["error"]) == ("failed", "The reason.")
    assert (process.returncode, err) == (os.EX_DATAERR, "")


def test_a_terminal_gets_json_that_it_does_not_obey(shell: Shell) -> None:
    """Control signs and turns of direction are escaped; the document is the same."""
    title = "\x9b2J \u202e \x1b]52;c;eA==\x07 \x7f é"
    shell.run("submit", title)
    out, _ = shell.run("list", "--json")
    assert not {"\x9b", "\u202e", "\x1b", "\x07", "\x7f"} & set(out)
    assert json.loads(out)[0]["title"] == title
    assert "é" in out
