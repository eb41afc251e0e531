"""The statements of the queue with a million finished jobs, compared with none."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from scand.decide.actions import Claim
from scand.jobs.lifecycle import Status
from scand.queue import statements
from scand.queue.connection import connect, take_role
from scand.queue.intents import ClientQueue, Which
from scand.queue.results import AgentQueue
from scand.queue.schema import migrate
from tests.bench import history
from tests.bench.line import Line, Series, Target
from tests.bench.plans import plan
from tests.conftest import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.bench import Bench

JOBS = 1_000_000
_TIMES = 40  # a run
_PATIENCE = 300.0  # seconds for one statement: making a million jobs takes a while

_ANY = {"before": None, "title": None, "since": None, "ago": None}
STATEMENTS: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "claim": ("agent.sql", "claim", {"epoch": 1, "jobs": "/spool/jobs", "only": None, "delivery": False}),
    "poll": (
        "agent.sql",
        "look",
        {
            "longest": 300.0,
            "batches": 10_000,
            "former": 7,
            "after": 0,
            "paper": False,
            "preview_timeout": None,
        },
    ),
    "poll: paper left": (
        "agent.sql",
        "look",
        {
            "longest": 300.0,
            "batches": 10_000,
            "former": 7,
            "after": 0,
            "paper": True,
            "preview_timeout": None,
        },
    ),
    "list": ("client.sql", "jobs", {**_ANY, "statuses": None, "limit": 20}),
    "list --failed": ("client.sql", "jobs", {**_ANY, "statuses": [Status.FAILED], "limit": 20}),
    "more": ("client.sql", "more", {**_ANY, "statuses": None, "before": 700, "limit": 1000}),
    "show": ("client.sql", "job", {"id": 7}),
    "show: batches": ("client.sql", "batches", {"id": 7}),
    "show: events": ("client.sql", "events", {"id": 7}),
    "unfinished": ("client.sql", "unfinished", {}),
    "queue lag": ("client.sql", "lag", {}),
    "same document": ("agent.sql", "same_document", {"id": 7, "sha256": "0" * 64}),
    "expire": (
        "agent.sql",
        "expire",
        {"epoch": 1, "keep": 60.0, "jobs": "/spool/jobs", "spare": [], "not_read_back": False},
    ),
}
"""Statements that are run often, or over all jobs: file, name and values, by what people call them."""


def measure(bench: Bench) -> Iterator[Line]:
    """One queued job, among many finished ones."""
    with _queue(bench.server, 0) as empty, _queue(bench.server, JOBS) as full:
        for name, timed in _TIMED.items():
            theirs, ours = [], []
            for _ in range(_TIMES * bench.runs):
                theirs.append(1000 * timed(*empty))
                ours.append(1000 * timed(*full))
            target = Target(at_most=5, percentile=99) if name in {"claim", "poll"} else None
            used = ", ".join(sorted(plan(full[0].connection, *statement(name)).indexes))
            note = f"p99 {Series(ours).percentile(99):.2g} ms; {used}"
            yield Line(name, "ms", Series(ours), ("an empty table", Series(theirs)), target, note)


def statement(name: str) -> tuple[bytes, Mapping[str, object]]:
    """A statement and values for it, by a key of `STATEMENTS`."""
    file, query, values = STATEMENTS[name]
    return statements.load(file)[query], values


@contextmanager
def _queue(server: str, jobs: int) -> Iterator[tuple[AgentQueue, ClientQueue]]:
    """A queue with so many finished jobs and one queued job, for the agent and for a client."""
    with database(server, "template0") as url:
        with psycopg.connect(url, autocommit=True) as superuser:
            migrate(superuser)
        with connect(url, name="bench", deadline=_PATIENCE) as connection, ClientQueue.open(url) as client:
            history.make(connection, jobs)
            take_role(connection, "scand_agent")
            agent = AgentQueue(connection, statements.load())
            agent.elect()
            client.submit("Now", {})
            yield agent, client


def _claim(agent: AgentQueue, _client: ClientQueue) -> float:
    with agent.connection.transaction(force_rollback=True):
        begun = time.perf_counter()
        assert agent.claim("/spool/jobs", Claim())
        return time.perf_counter() - begun


def _poll(agent: AgentQueue, _client: ClientQueue) -> float:
    return _seconds(agent.look)


def _list(_agent: AgentQueue, client: ClientQueue) -> float:
    return _seconds(client.jobs)


def _list_failed(_agent: AgentQueue, client: ClientQueue) -> float:
    return _seconds(lambda: client.jobs(Which([Status.FAILED])))


def _show(_agent: AgentQueue, client: ClientQueue) -> float:
    (newest, *_) = client.jobs(limit=1)
    return _seconds(lambda: client.view(random.randint(1, newest.id)))


def _lag(_agent: AgentQueue, client: ClientQueue) -> float:
    return _seconds(client.lag)


_TIMED: Mapping[str, Callable[[AgentQueue, ClientQueue], float]] = {
    "claim": _claim,
    "poll": _poll,
    "list": _list,
    "list --failed": _list_failed,
    "show": _show,
    "queue lag": _lag,
}


def _seconds(asked: Callable[[], object]) -> float:
    begun = time.perf_counter()
    asked()
    return time.perf_counter() - begun
