"""The checker can fail: whatever is damaged on purpose, it names the invariant, the job and the page."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pikepdf
import psycopg
import pytest

from scand.queue.schema import migrate
from tests.conftest import database
from tests.support.checker import Checker
from tests.support.site import Simulator, Site, sha256, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class Found(NamedTuple):
    """A site with one committed job and one that is ready with a batch; no daemon runs any more."""

    site: Site
    committed: int
    ready: int
    fed: list[int]

    @property
    def document(self) -> Path:
        """The committed document."""
        (path,) = self.site.inbox()
        return path

    @property
    def pages(self) -> Path:
        """The directory of the ready job's batch."""
        return self.site.staging / "jobs" / str(self.ready) / "batch-0001"


@pytest.fixture(scope="module")
def found(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Made once; every test leaves it as it was."""
    directory = tmp_path_factory.mktemp("checked")
    with database(server_url, "template0") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        scanner = Simulator(directory, "--count", "2")
        site = Site(directory, url, scanner.config)
        try:
            daemon = site.serving()
            committed = site.submit("One", scan="auto", finish="commit")
            site.wait(committed, "committed")
            scanner.reload()
            ready = site.submit("Two", scan="auto")
            until(lambda: site.batches(ready), "the batch")
            assert daemon.stop() == 0
            yield Found(site, committed, ready, scanner.fed())
        finally:
            site.close()
            scanner.stop()


def checker(found: Found, *more: int) -> Checker:
    """A new checker, for which the sides `more` were fed as well."""
    site = found.site
    return Checker(site.connection, site.staging, site.nas, lambda: [*found.fed, *more])


def test_a_sound_installation_has_no_violations(found: Found) -> None:
    """A sound installation has no violations, neither at an instant nor at the end."""
    assert checker(found).check() == []
    assert checker(found).settled() == []


@contextmanager
def gone(found: Found, path: Path) -> Iterator[None]:
    """Move a file or directory away."""
    elsewhere = found.site.directory / "elsewhere"
    path.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(path)


@contextmanager
def torn(path: Path) -> Iterator[None]:
    """Cut off the last byte of a file."""
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    try:
        yield
    finally:
        path.write_bytes(data)


@contextmanager
def copied(path: Path, name: str) -> Iterator[None]:
    """Add a copy of a file."""
    shutil.copy(path, path.with_name(name))
    try:
        yield
    finally:
        path.with_name(name).unlink()


@contextmanager
def said(found: Found, *statements: tuple[object, ...]) -> Iterator[None]:
    """Change the database by (statement, values …) without its triggers, and roll back at the end."""
    with found.site.connection.transaction(force_rollback=True):
        found.site.sql("SET LOCAL session_replication_role = replica")
        for statement, *values in statements:
            found.site.sql(str(statement), *values)
        yield


@contextmanager
def rebound(found: Found, order: list[int]) -> Iterator[None]:
    """Replace the document by one with other pages, to which hash and row agree."""
    path, before = found.document, found.document.read_bytes()
    with pikepdf.open(path, allow_overwriting_input=True) as pdf, pikepdf.new() as new:
        for number in order:
            new.pages.append(pdf.pages[number])
        new.save(path)
    row = ("UPDATE scan_jobs SET file_hash = %s, page_count = %s WHERE id = 1", sha256(path), len(order))
    try:
        with said(found, row):
            yield
    finally:
        path.write_bytes(before)


def step(job: int, before: str | None, after: str, fault: str | None = None) -> tuple[object, ...]:
    """The row of a step of the agent that was never taken."""
    columns = "job_id, actor, from_status, to_status, error_code"
    insert = f"INSERT INTO scan_job_events ({columns}) VALUES (%s, 'agent', %s, %s, %s)"  # noqa: S608 - ours
    return insert, job, before, after, fault


def status(job: int, now: str) -> tuple[object, ...]:
    """A status that no trigger has seen."""
    return "UPDATE scan_jobs SET status = %s WHERE id = %s", now, job


DAMAGES: dict[str, tuple[Callable[[Found], AbstractContextManager[None]], set[str]]] = {
    "a page's file is gone": (
        lambda found: gone(found, found.pages / "page-0002.jpg"),
        {"P: job 2, batch-0001, page-0002.jpg is captured, but is not there"},
    ),
    "a page's file is torn": (
        lambda found: torn(found.pages / "page-0003.jpg"),
        {"P: job 2, batch-0001, page-0003.jpg is not what was captured"},
    ),
    "a page has no row": (
        lambda found: said(found, ("DELETE FROM scan_job_pages WHERE job_id = 2 AND page = 3",)),
        {"P: job 2, batch-0001, page-0003.jpg is in a recorded batch, and has no row"},
    ),
    "a batch's PDF is gone": (
        lambda found: gone(found, found.pages / "batch.pdf"),
        {"P: job 2, batch 1: its PDF is not there"},
    ),
    "a batch's PDF is torn": (
        lambda found: torn(found.pages / "batch.pdf"),
        {"P: job 2, batch 1: its PDF is not what was recorded"},
    ),
    "the document is gone": (
        lambda found: gone(found, found.document),
        {"C: job 1 is committed, and Inbox/One.pdf is not the document"},
    ),
    "the document is torn": (
        lambda found: torn(found.document),
        {
            "D: Inbox/One.pdf of job 1 is not whole: its hash is another",
            "C: job 1 is committed, and Inbox/One.pdf is not the document",
        },
    ),
    "the document is in the Inbox twice": (
        lambda found: copied(found.document, "One (2).pdf"),
        {
            "D: Inbox/One (2).pdf is in the Inbox, and no job's",
            "D: the same document is in the Inbox 2 times: Inbox/One (2).pdf, Inbox/One.pdf",
            "D: side 1 is in One (2).pdf and in One.pdf",
        },
    ),
    "the document has a page twice": (
        lambda found: rebound(found, [0, 1, 1, 2, 3]),
        {"D: the document of job 1 has side 2 2 times"},
    ),
    "the document lacks a page": (
        lambda found: rebound(found, [0, 1, 3]),
        {
            "W: the document of job 1 lacks sides [3] of its kept batches",
            "W: the document of job 1 lacks sides [3], which were fed in between",
        },
    ),
    "the document is in another order": (
        lambda found: rebound(found, [0, 2, 1, 3]),
        {"W: the document of job 1 has its sides in the order [1, 3, 2, 4]"},
    ),
    "the row counts other pages": (
        lambda found: said(found, ("UPDATE scan_jobs SET page_count = 5 WHERE id = 1",)),
        {"W: the document of job 1 has 4 pages, and its row says 5"},
    ),
    "a committed job goes on": (
        lambda found: said(found, step(1, "committed", "failed"), status(1, "failed")),
        {
            "S: job 1: committed → failed is not a step",
            "S: job 1: committed → failed: a committed job has changed",
        },
    ),
    "a status that no step led to": (
        lambda found: said(found, status(2, "queued")),
        {"S: job 2 is queued, and its last step says ready"},
    ),
    "a step from where the job was not": (
        lambda found: said(found, step(2, "preview", "ready")),
        {"S: job 2: preview → ready, but it was ready"},
    ),
    "two jobs are active": (
        lambda found: said(
            found,
            ("INSERT INTO scan_jobs (id, title, status) VALUES (3, 'Three', 'canceled')",),
            step(3, None, "queued"),
            step(3, "queued", "ready"),
            step(3, "ready", "canceled"),
        ),
        {"A: jobs [2, 3] are active at once"},
    ),
    "the agent goes on after a fault": (
        lambda found: said(
            found,
            step(2, "ready", "scanning"),
            step(2, "scanning", "ready", "feeder_jammed"),
            step(2, "ready", "assembling"),
            status(2, "assembling"),
        ),
        {"W: job 2: ready → assembling: the agent went on by itself after feeder_jammed"},
    ),
    "a fault is unanswered": (
        lambda found: said(found, ("UPDATE scan_job_batches SET answered = false WHERE job_id = 1",)),
        {"W: job 1, batch 1 is unanswered, and the job is committed"},
    ),
    "the NAS is not mounted": (
        lambda found: gone(found, found.site.nas / ".scand-volume"),
        {"M: Inbox was written under a bare mountpoint"},
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_every_damage_is_named(found: Found, what: str) -> None:
    """The violation that follows from this damage is named, and no other invariant is."""
    damage, expected = DAMAGES[what]
    with damage(found):
        named = {str(violation) for violation in checker(found).check()}
    assert expected <= named
    assert {name[0] for name in named} == {name[0] for name in expected}
    assert checker(found).check() == []


def test_it_remembers_what_it_has_seen(found: Found) -> None:
    """The pages of a directory that vanishes are named, but for a committed job, whose pages may go."""
    watching = checker(found)
    assert watching.check() == []
    with gone(found, found.pages.parent):
        names = [f"job 2, batch-0001, page-000{number}.jpg" for number in range(1, 5)]
        assert {str(violation) for violation in watching.check()} >= {
            *(f"P: {name} was captured, and is gone" for name in names),
            *(f"L: {name} is gone from local disk, and its job is not committed" for name in names),
        }
    with gone(found, found.site.staging / "jobs" / "1"):
        assert watching.check() == []


def test_sheets_that_are_put_back_may_come_later(found: Found) -> None:
    """With `mixed`, sheets that are put back in mid-batch may come later, but only in the order of feeding."""
    site = found.site
    with rebound(found, [0, 2, 1, 3]):
        for mixed, fed, named in ((True, [1, 3, 2, 4], 0), (True, [1, 2, 3, 4], 1), (False, [1, 3, 2, 4], 1)):
            every = [*fed, *found.fed[4:]]
            checker = Checker(site.connection, site.staging, site.nas, lambda every=every: every, mixed=mixed)  # type: ignore[misc]
            assert sum("in the order" in violation.what for violation in checker.check()) == named


def test_an_old_heartbeat_is_named_where_a_daemon_lives(found: Found) -> None:
    """A heartbeat that is older than ten seconds by the database's clock is named, if a daemon is expected."""
    with said(found, ("UPDATE scan_agent_status SET last_heartbeat = now() - interval '11 s'",)):
        assert [violation.invariant for violation in checker(found).check(alive=True)] == ["T"]
        assert checker(found).check() == []
    with said(found, ("UPDATE scan_agent_status SET last_heartbeat = now()",)):
        assert checker(found).check(alive=True) == []


def test_at_the_end_every_side_is_somewhere_and_no_job_is_silent(found: Found) -> None:
    """At the end, a side that is nowhere is named, and so is a job that stands still without an error."""
    assert [str(violation) for violation in checker(found, 99).settled()] == [
        "W: side 99 was fed, and is in no document and no batch"
    ]
    stuck = step(2, "ready", "assembling"), status(2, "assembling")
    with said(found, *stuck):
        assert [str(violation) for violation in checker(found).settled()] == [
            "T: job 2 is assembling, and does not say why"
        ]
