"""`scand list` at the widths that people have, and in a pipe."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.text import Text

from tests.shell import beat, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell

TITLES = [
    "Invoices 2026",
    "A title that is rather longer than what anybody would write on the back of a folder, and goes on",
    "請求書と領収書の控え二〇二六年度第一四半期分、経理部保管用の写し",
    "🖨 Scans 🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉 of the party",
    "Été",
]


@pytest.fixture
def filled(shell: Shell, agent: Connection) -> Shell:
    """Jobs with long and wide titles, one with a fault and one with a long path."""
    beat(agent)
    for title in TITLES:
        shell.run("submit", title)
    step(agent, 1, "ready")
    step(agent, 1, "scanning")
    step(agent, 1, "ready", error="A jam.", error_code="feeder_jammed", pages_scanned=12)
    step(agent, 1, "assembling")
    step(agent, 1, "preview", page_count=12)
    step(agent, 1, "committing")
    path = "PKM/Inbox/Invoices 2026 (a long name of the file).pdf"
    step(agent, 1, "committed", inbox_path=path, error_code=None, error=None)
    return shell


def lines(shown: str) -> list[str]:
    """What stands on the terminal, without colours and the spaces at the ends."""
    return [Text.from_ansi(line).plain.rstrip() for line in shown.splitlines()]


@pytest.mark.parametrize("columns", [20, 45, 80, 120, 200])
def test_no_line_is_longer_than_the_terminal(filled: Shell, columns: int) -> None:
    """Whatever stands in the titles; id, status and the beginning of the title are always there."""
    shown = lines(filled.seen("list", columns=columns))
    assert all(cell_len(line) <= columns for line in shown), shown
    rows = [line for line in shown if re.match(r" *\d+ ", line)]
    assert len(rows) == len(TITLES)
    for row, (number, title) in zip(rows, reversed([*enumerate(TITLES, 1)]), strict=True):
        assert re.match(rf" *{number}  (queued|committed) +{re.escape(title[:2])}", row), row


def test_a_title_is_the_last_to_be_cut(filled: Shell) -> None:
    """At 45 columns there is nothing but id, status and title; at 80 the pages and the time; at 120 the place."""
    narrow, usual, wide = (lines(filled.seen("list", columns=columns)) for columns in (45, 80, 120))
    assert narrow[0].split() == ["id", "status", "title"]
    assert usual[0].split() == ["id", "status", "title", "pages", "created"]
    assert wide[0].split() == ["id", "status", "title", "pages", "created", "note"]
    assert "…" in narrow[3]
    for shown in (narrow, usual, wide):
        assert any("Invoices 2026" in line for line in shown)
    assert any("PKM/Inbox/Invo" in line and line.endswith("…") for line in wide)
    assert any(line.endswith("of the file).pdf") for line in lines(filled.seen("list", columns=200)))


def test_a_fault_stays_longer_than_the_time(filled: Shell, agent: Connection) -> None:
    """Why a job waits is worth more than when it was made."""
    step(agent, 2, "ready", error="A jam.", error_code="feeder_jammed")
    usual = lines(filled.seen("list", columns=80))
    assert any(line.endswith("feeder_jammed") for line in usual)
    assert max(map(cell_len, usual)) <= 80


def test_a_pipe_gets_whole_fields_and_no_padding(filled: Shell) -> None:
    """A line a job, tabs between its fields: `cut -f3` is the title."""
    out, err = filled.run("list")
    assert [line.split("\t")[2] for line in out.splitlines()] == TITLES[::-1]
    assert [len(line.split("\t")) for line in out.splitlines()] == [6] * len(TITLES)
    assert "  " not in out
    assert err == ""


def test_what_is_not_shown_is_counted(filled: Shell) -> None:
    """With the command that shows it, which keeps what was asked for; in a pipe it goes to stderr."""
    assert "3 more: scand list --all" in lines(filled.seen("list", "-n", "2"))
    out, err = filled.run("list", "-n", "1", "--title", "E", "--since", "7d")
    assert len(out.splitlines()) == 1
    assert err == "2 more: scand list --title E --since 604800s --all\n"
    assert len(filled.run("list", "--title", "E", "--since", "604800s", "--all")[0].splitlines()) == 3
    assert filled.run("list", "--all")[1] == ""


def test_all_is_all(shell: Shell, agent: Connection) -> None:
    """Also where it takes the database more than one answer."""
    agent.execute("INSERT INTO scan_jobs (title) SELECT 'x' || n FROM generate_series(1, 2500) n")
    assert len(shell.json("list", "--all")) == 2500
    assert shell.run("list")[1] == "more than 1000 more: scand list --all\n"
    assert [job["id"] for job in shell.json("list", "-n", "1001")] == [*range(2500, 1499, -1)]


def test_titles_are_found_by_a_part(filled: Shell) -> None:
    """In whatever case, of whatever script, and no sign in it means anything."""
    assert [job["id"] for job in filled.json("list", "--title", "iNVOICES")] == [1]
    assert [job["id"] for job in filled.json("list", "--title", "領収書")] == [3]
    assert filled.json("list", "--title", "%") == []
    assert "UTF-8" in filled.refused("list", "--title", b"\xe9", status=os.EX_DATAERR)


def test_jobs_are_found_by_when_they_were_made(filled: Shell, agent: Connection) -> None:
    """A day on this machine's clock, or how long ago on the database's."""
    with agent.transaction():
        agent.execute("SET LOCAL session_replication_role = replica")
        agent.execute("UPDATE scan_jobs SET created_at = now() - INTERVAL '3 days' WHERE id <= 2")
    day = (datetime.now(UTC).astimezone() - timedelta(days=1)).date().isoformat()
    assert [job["id"] for job in filled.json("list", "--since", day)] == [5, 4, 3]
    assert [job["id"] for job in filled.json("list", "--since", "2d")] == [5, 4, 3]
    assert len(filled.json("list", "--since", "1w")) == 5
    assert filled.json("list", "--since", "2999-01-01T10:00") == []
    for nonsense in ("yesterday", "7", "2026-13-01", "-3d"):
        filled.run("list", "--since", nonsense, status=os.EX_USAGE)
