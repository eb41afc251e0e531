"""The queue's statements over a million finished jobs, against the same over none."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

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
    "claim": ("statements.sql", "claim", {"epoch": 1, "jobs": "/spool/jobs"}),
    "poll": ("statements.sql", "look", {}),
    "list": ("desk.sql", "jobs", {**_ANY, "statuses": None, "limit": 20}),
    "list --failed": ("desk.sql", "jobs", {**_ANY, "statuses": [Status.FAILED], "limit": 20}),
    "more": ("desk.sql", "more", {**_ANY, "statuses": None, "before": 700, "limit": 1000}),
    "show": ("desk.sql", "job", {"id": 7}),
    "show: batches": ("desk.sql", "batches", {"id": 7}),
    "show: events": ("desk.sql", "events", {"id": 7}),
    "unfinished": ("desk.sql", "unfinished", {}),
    "queue lag": ("desk.sql", "lag", {}),
    "same document": ("statements.sql", "same_document", {"id": 7, "sha256": "0" * 64}),
    "expire": (
        "statements.sql",
        "expire",
        {"epoch": 1, "keep": 60.0, "jobs": "/spool/jobs", "spare": [], "read_back": True},
    ),
}
"""What is asked often, or of all jobs: file, name, and values, by what people call it."""


def measure(bench: Bench) -> Iterator[Line]:
    """One queued job, above many that are over."""
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
    """A statement of the queue, and values for it, by what people call it."""
    file, query, values = STATEMENTS[name]
    return statements.load(file)[query], values


@contextmanager
def _queue(server: str, jobs: int) -> Iterator[tuple[AgentQueue, ClientQueue]]:
    """A queue with so many finished jobs and one queued, and its two sides."""
    with database(server, "template0") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        with connect(url, name="bench", deadline=_PATIENCE) as agent, ClientQueue.open(url) as queue:
            history.make(agent, jobs)
            take_role(agent, "scand_agent")
            store = AgentQueue(agent, statements.load())
            store.elect()
            queue.submit("Now", {})
            yield store, queue


def _claim(store: AgentQueue, _desk: ClientQueue) -> float:
    with store.connection.transaction(force_rollback=True):
        begun = time.perf_counter()
        assert store.claim("/spool/jobs")
        return time.perf_counter() - begun


def _poll(store: AgentQueue, _desk: ClientQueue) -> float:
    return _seconds(store.look)


def _list(_store: AgentQueue, queue: ClientQueue) -> float:
    return _seconds(queue.jobs)


def _list_failed(_store: AgentQueue, queue: ClientQueue) -> float:
    return _seconds(lambda: queue.jobs(Which([Status.FAILED])))


def _show(_store: AgentQueue, queue: ClientQueue) -> float:
    (newest, *_) = queue.jobs(limit=1)
    return _seconds(lambda: queue.view(random.randint(1, newest.id)))


def _lag(_store: AgentQueue, queue: ClientQueue) -> float:
    return _seconds(queue.lag)


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
