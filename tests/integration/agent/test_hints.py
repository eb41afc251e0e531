"""Hints from a real database: a session that listens, ends, is flooded, and is not wanted."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from scand.agent import hints
from scand.agent.hints import MOST, Hints
from scand.queue.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.queue.connection import Connection
    from tests.conftest import Connect

NOTIFY = "SELECT count(pg_notify('scan_jobs', n::text)) FROM generate_series(1, %s) n"


class Loop:
    """What the daemon's loop does with hints."""

    def __init__(self, url: str) -> None:
        self.selector = selectors.DefaultSelector()
        self.opened = 0
        self._url = url
        self.hints = Hints(self._open, self.selector, lambda: None)

    def _open(self) -> Connection:
        self.opened += 1
        connection = connect(self._url, name="scand-hints")
        connection.execute("LISTEN scan_jobs")
        return connection

    def until(self, what: Callable[[], object], *, wanted: bool = True) -> list[int]:
        """Turn until something is true; what was taken in each time that the selector woke."""
        taken, end = [], time.monotonic() + 10
        while not what():
            assert time.monotonic() < end
            if self.hints.turn(wanted=wanted):
                taken.append(-1)  # it begins to listen
            taken += [self.hints.take() for _ in self.selector.select(0.01)]
        return taken


@pytest.fixture
def loop(migrated_url: str) -> Iterator[Loop]:
    """A loop that listens."""
    loop = Loop(migrated_url)
    assert loop.until(loop.selector.get_map) == [-1]
    yield loop
    loop.hints.close()
    loop.selector.close()


def test_each_change_wakes_the_loop(loop: Loop, connect: Connect, migrated_url: str) -> None:
    """A job that is made, and each step that it takes."""
    client = connect(migrated_url)
    client.execute("INSERT INTO scan_jobs (title, status) VALUES ('T', 'queued')")
    assert loop.selector.select(5)
    assert loop.hints.take() == 0
    client.execute("UPDATE scan_jobs SET status = 'draft'")
    assert loop.selector.select(5)


def test_a_session_that_ends_is_opened_again(
    loop: Loop, connect: Connect, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator ends it: it is out of the selector, and another listens after a while."""
    monkeypatch.setattr(hints, "RETRY", 0.05)
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scand-hints'"
    connect(migrated_url).execute(end)
    loop.until(lambda: loop.opened == 2 and loop.selector.get_map())


def test_a_flood_closes_it_for_a_while(loop: Loop, connect: Connect, migrated_url: str) -> None:
    """As many as a busy site's are taken in; more are not, and none is waited for in a minute."""
    client = connect(migrated_url)
    client.execute(NOTIFY, (MOST,))
    assert loop.selector.select(5)
    time.sleep(0.2)
    assert loop.hints.take() == 0
    client.execute(NOTIFY, (MOST,))
    (too_many,) = [count for count in loop.until(lambda: not loop.selector.get_map()) if count]
    assert too_many > MOST
    assert not loop.hints.turn(wanted=True)
    assert loop.opened == 1


def test_a_daemon_that_does_not_lead_does_not_listen(loop: Loop) -> None:
    """It closes its session; so does one whose session is opened too late."""
    loop.until(lambda: not loop.selector.get_map(), wanted=False)
    assert loop.hints.take() == 0


def test_a_database_that_is_away_is_no_error(migrated_url: str) -> None:
    """The session that leads tells what is wrong; this one tries again."""
    selector = selectors.DefaultSelector()

    def refuse() -> Connection:
        raise psycopg.OperationalError

    listener = Hints(refuse, selector, lambda: None)
    for _ in range(20):
        assert not listener.turn(wanted=True)
        time.sleep(0.01)
    selector.close()
