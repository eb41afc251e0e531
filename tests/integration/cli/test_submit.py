"""`scand submit`: the row that it writes, and what it refuses."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.shell import beat, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_submit_writes_the_row_that_was_asked_for(shell: Shell, agent: Connection) -> None:
    """Values are JSON where they are JSON; the options that have names of their own come on top."""
    found = shell.json(
        "submit", "Été / 2026", "--profile", "letters", "--scan", "auto", "--finish", "preview",
        "--set", "resolution=300", "--set", "sides=simplex", "--set", 'options={"page-height": 297.5}',
        "--set", "x_ref=0042", "--set", "x_note=a=b", "--set", "x_odd=NaN", "--set", "profile=other",
    )  # fmt: skip
    row = agent.execute("SELECT id, title, status, settings FROM scan_jobs").fetchone()
    assert row == (
        found["id"],
        "Été / 2026",
        "queued",
        {
            "profile": "letters", "scan": "auto", "finish": "preview", "resolution": 300, "sides": "simplex",
            "options": {"page-height": 297.5}, "x_ref": "0042", "x_note": "a=b", "x_odd": "NaN",
        },
    )  # fmt: skip
    assert found == {"id": found["id"]}


def test_submit_says_when_nobody_will_act(shell: Shell, agent: Connection) -> None:
    """On stderr, so that stdout stays what it is; not for a draft, and not while an agent lives."""
    out, err = shell.run("submit", "a")
    assert out == "job 1 queued a\nput the paper in, then: scand scan 1\n"
    assert "No agent is alive" in err
    assert shell.run("submit", "b", "--draft") == ("job 2 draft b\nscand scan 2 puts it into the queue\n", "")
    beat(agent)
    assert shell.run("submit", "c", "--scan", "auto") == (
        "job 3 queued c\nput the paper in: it starts by itself as soon as the scanner is free\n",
        "",
    )


@pytest.mark.parametrize("title", ["", "   ", "\t\n", b"caf\xe9"])
def test_a_title_that_says_nothing_is_65(shell: Shell, title: str | bytes) -> None:
    """A title of white space only, or of bytes that are not UTF-8, is refused."""
    shell.refused("submit", title, status=os.EX_DATAERR)
    assert shell.json("list") == []


def test_what_no_jsonb_can_hold_is_65(shell: Shell) -> None:
    """PostgreSQL refuses it, and the command says so."""
    assert "does not take that" in shell.refused(
        "submit", "a", "--set", r'x_a="\u0000"', status=os.EX_DATAERR
    )


def test_settings_are_refused_early_where_profiles_are_known(shell: Shell) -> None:
    """With the profiles at hand nothing bad is queued; a client without them just sends."""
    config = shell.home / "scand.toml"
    config.write_text('[profiles.letters]\nsides = "simplex"\n')
    with_config = ("--config", str(config), "submit", "a")
    refusal = shell.json(*with_config, "--set", "sides=dupelx", status=os.EX_DATAERR)
    assert refusal["error_code"] == "bad_settings"
    assert 'did you mean "duplex"' in refusal["error"]
    assert "letter" in shell.refused(*with_config, "--profile", "leters", status=os.EX_DATAERR)
    assert shell.json("list") == []
    shell.json(*with_config, "--profile", "letters")
    shell.json("submit", "a", "--set", "sides=dupelx")
    assert [job["settings"] for job in shell.json("list")] == [{"sides": "dupelx"}, {"profile": "letters"}]


def test_submit_waits_until_the_job_rests(shell: Shell, agent: Connection) -> None:
    """With --json it says the id first, and nothing more."""
    process = shell.start("submit", "a", "--wait", "--json")
    assert process.stdout is not None
    job = json.loads(process.stdout.readline())["id"]
    step(agent, job, "ready")
    step(agent, job, "failed")
    out, _err = process.communicate(timeout=20)
    assert (process.returncode, out) == (os.EX_DATAERR, "")
