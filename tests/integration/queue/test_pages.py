"""Rows of pages: what the agent writes, what clients may, and when; on the oldest PostgreSQL and the newest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from scand.decide.actions import Claim, Record
from scand.errors import BadData
from scand.jobs.lifecycle import Status
from scand.queue import leftovers, pages
from scand.queue.connection import connect as connect_as_scand
from scand.queue.connection import take_role
from scand.queue.intents import ClientQueue
from scand.queue.results import AgentQueue
from scand.queue.statements import load, read_sql
from scand.spool.records import Page, Side, SpooledPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

A4 = (2480, 3508)


def on_disk(seq: int, number: int, *, sha256: str = "a" * 64, picture: bytes | None = b"jpeg") -> SpooledPage:
    """A page of a duplex batch."""
    side = Side.FRONT if number % 2 else Side.BACK
    page = Page(
        sheet=(number + 1) // 2, side=side, file=f"page-{number:04d}.jpg", sha256=sha256, size=1, width=A4[0],
        height=A4[1], dpi=300.0,
    )  # fmt: skip
    return SpooledPage(seq, number, page, 0.0, picture)


@pytest.fixture
def client(migrated_url: str, connect: Connect) -> Connection:
    """A web application's session, with more rights than it needs: it is the guards that hold."""
    connection = connect(migrated_url, row_factory=dict_row)
    connection.execute(read_sql("roles.sql").encode())
    connection.execute("GRANT ALL ON scan_jobs, scan_job_pages TO scand_client")
    connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO scand_client")
    connection.execute("SET ROLE scand_client")
    return connection


@pytest.fixture
def daemon(migrated_url: str) -> Iterator[AgentQueue]:
    """The agent's queue, elected."""
    connection = connect_as_scand(migrated_url, name="scand-test")
    take_role(connection, "scand_agent")
    queue = AgentQueue(connection, load())
    assert queue.elect()
    yield queue
    connection.close()


@pytest.fixture
def job(client: Connection, daemon: AgentQueue) -> int:
    """A job that is ready, with a batch of four pages."""
    (row,) = client.execute("INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued') RETURNING id")
    taken = daemon.claim("/spool/jobs", Claim())
    assert taken
    to(daemon, "scanning")
    assert pages.write(daemon, row["id"], Status.SCANNING, [on_disk(1, number) for number in (1, 2, 3)])
    batch = Record(row["id"], Status.SCANNING, 1, None, kept=True, code=None, error=None, listed=3)
    assert daemon.record(batch, [on_disk(1, 4)])
    return int(row["id"])


def to(daemon: AgentQueue, *statuses: str) -> None:
    """Take the job through some statuses, as the agent."""
    for status in statuses:
        daemon.connection.execute("UPDATE scan_jobs SET status = %s", (status,))


def refused(state: str, connection: Connection, query: str) -> str:
    """What the database says as it refuses."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(query.encode())
    assert caught.value.sqlstate == state, caught.value
    return str(caught.value.diag.message_primary)


def test_pages_are_complete_with_their_batch(client: Connection, daemon: AgentQueue, job: int) -> None:
    """The last of them comes in the transaction of the batch; a size is in mm, as the driver's dpi tell."""
    rows = daemon.pages(job)
    assert [(row.name, row.sheet, row.side, row.pictured) for row in rows] == [
        ("1.1", 1, "front", True), ("1.2", 1, "back", True), ("1.3", 2, "front", True), ("1.4", 2, "back", True),
    ]  # fmt: skip
    assert {(row.width_mm, row.height_mm) for row in rows} == {(Decimal("209.97"), Decimal("297.01"))}
    assert [row.key for row in rows] == [10001, 10002, 10003, 10004]
    assert client.execute("SELECT FROM scan_job_pages WHERE picture = 'jpeg'").rowcount == 4


def test_how_many_pages_have_rows_is_read_with_the_job(daemon: AgentQueue, job: int) -> None:
    """Of batches that are not recorded: of the others it is known."""
    to(daemon, "scanning")
    pages.write(daemon, job, Status.SCANNING, [on_disk(2, 1), on_disk(2, 2)])
    found = daemon.look().job
    assert found
    assert found.listed == {2: 2}


def test_what_is_written_again_keeps_what_a_client_wants(
    client: Connection, daemon: AgentQueue, job: int
) -> None:
    """Another content replaces a row, the same content changes nothing."""
    client.execute("UPDATE scan_job_pages SET choice = 'kept', turn = 90, place = 7.5 WHERE page = 2")
    before = client.execute("SELECT *, xmin FROM scan_job_pages ORDER BY page").fetchall()
    found = [on_disk(1, 1), on_disk(1, 2, sha256="b" * 64, picture=None)]
    assert pages.write(daemon, job, Status.READY, found)
    first, second, *_ = client.execute("SELECT *, xmin FROM scan_job_pages ORDER BY page").fetchall()
    assert first == before[0]
    assert (second["sha256"], second["picture"]) == ("b" * 64, None)
    assert (second["choice"], second["turn"], second["place"]) == ("kept", 90, Decimal("7.5"))
    assert not pages.write(daemon, job, Status.SCANNING, found)


def test_large_pictures_go_in_several_statements(daemon: AgentQueue, job: int) -> None:
    """However many there are, and whatever bytes they have."""
    to(daemon, "scanning")
    picture = bytes(range(256)) * 1200  # 300 kB
    assert pages.write(daemon, job, Status.SCANNING, [on_disk(2, n, picture=picture) for n in range(1, 9)])
    found = daemon.connection.execute("SELECT picture FROM scan_job_pages WHERE batch_seq = 2").fetchall()
    assert [row["picture"] for row in found] == [picture] * 8


def test_pages_are_edited_only_while_the_job_is_ready(
    client: Connection, daemon: AgentQueue, job: int
) -> None:
    """SD002 in every other status; what changes nothing is never refused."""
    edit = "UPDATE scan_job_pages SET choice = 'dropped', turn = 180, place = 3 WHERE page = 1"
    for statuses in (["scanning"], ["ready", "assembling"], ["preview"], ["committing"], ["committed"]):
        to(daemon, *statuses)
        told = refused("SD002", client, edit)
        assert told == (
            f"page 1.1 of job {job}: can be dropped, kept, turned or moved only while the job is ready; "
            f"it is {statuses[-1]}"
        )
        client.execute("UPDATE scan_job_pages SET turn = 0, choice = NULL")


def test_an_edit_is_one_step_and_one_notification(client: Connection, daemon: AgentQueue, job: int) -> None:
    """However many pages it changes; without a change there is none."""
    before = client.execute("SELECT steps FROM scan_jobs").fetchall()[0]["steps"]
    client.execute("LISTEN scan_jobs")
    for steps, query in (
        (1, "SET choice = 'dropped', turn = 90"),
        (1, "SET choice = 'dropped'"),
        (2, "SET turn = 0"),
    ):
        client.execute(f"UPDATE scan_job_pages {query}".encode())
        assert client.execute("SELECT steps FROM scan_jobs").fetchall()[0]["steps"] == before + steps
    assert [told.payload for told in client.notifies(timeout=0.2)] == [str(job)] * 2


def test_new_pages_notify(client: Connection, daemon: AgentQueue, job: int) -> None:
    """Once for all that come together, and not for what was there."""
    client.execute("LISTEN scan_jobs")
    pages.write(daemon, job, Status.READY, [on_disk(1, number) for number in range(1, 7)])
    pages.write(daemon, job, Status.READY, [on_disk(1, number) for number in range(1, 7)])
    assert [told.payload for told in client.notifies(timeout=0.2)] == [str(job)]


def test_a_client_neither_makes_nor_deletes_nor_renumbers_pages(client: Connection, job: int) -> None:
    """The sentences say what it can do instead; what is not its own stays as it was."""
    assert "made by scanning" in refused(
        "SD002", client, "INSERT INTO scan_job_pages SELECT job_id, 9, page FROM scan_job_pages"
    )
    assert "cannot be deleted" in refused("SD002", client, "DELETE FROM scan_job_pages")
    assert "keeps its batch" in refused("SD002", client, "UPDATE scan_job_pages SET page = page + 10")
    client.execute(
        "UPDATE scan_job_pages SET sheet = 9, side = 'back', blank = true, picture = NULL, turn = 90"
    )
    rows = client.execute(
        "SELECT sheet, side, blank, picture, turn FROM scan_job_pages ORDER BY page"
    ).fetchall()
    assert rows[0] == {"sheet": 1, "side": "front", "blank": False, "picture": b"jpeg", "turn": 90}


@pytest.mark.parametrize("wrong", ["turn = 45", "choice = 'gone'", "place = 1e15", "place = 1.12345678901"])
def test_what_no_merge_can_use_is_refused(client: Connection, job: int, wrong: str) -> None:
    """By the table itself."""
    refused("23514", client, f"UPDATE scan_job_pages SET {wrong}")  # noqa: S608


def test_a_deleted_job_takes_its_pages_along(client: Connection, job: int) -> None:
    """Also where a client deletes it."""
    client.execute("DELETE FROM scan_jobs")
    assert client.execute("SELECT FROM scan_job_pages").rowcount == 0


def test_pictures_go_with_the_files(client: Connection, daemon: AgentQueue, job: int) -> None:
    """The rows stay, without them."""
    client.execute("UPDATE scan_jobs SET status = 'canceled'")
    assert leftovers.expire(daemon, "/spool/jobs", 0.0) == [job]
    rows = daemon.pages(job)
    assert [(row.name, row.pictured) for row in rows] == [(f"1.{n}", False) for n in range(1, 5)]


def test_the_command_lines_edits(migrated_url: str, client: Connection, daemon: AgentQueue, job: int) -> None:
    """As the job was seen: after another step nothing is written; and not while it is merged."""
    with ClientQueue.open(migrated_url) as queue:
        seen, rows = queue.job(job).steps, queue.pages(job)
        wanted = [replace(rows[0], choice="dropped"), replace(rows[2], turn=270, place=Decimal("10001.5"))]
        assert queue.edit(job, seen, wanted)
        assert not queue.edit(job, seen, wanted)
        assert [queue.pages(job)[at] for at in (0, 2)] == wanted
        assert str(queue.view(job).edits) == "1 page dropped, 1 turned, 1 moved"
        assert queue.pictures(job) == {(1, page): b"jpeg" for page in range(1, 5)}
        to(daemon, "assembling")
        with pytest.raises(BadData, match="only while the job is ready; it is assembling"):
            queue.edit(job, queue.job(job).steps, rows)
