"""Clients that do anything at any time. `SCAND_SOAK=1` makes these tests longer."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as thorough
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from scand.jobs.settings import Settings
from scand.queue.schema import migrate
from scand.queue.statements import read_sql
from tests.support.checker import Checker
from tests.support.pgbouncer import pgbouncer
from tests.support.plain_login import plain_login
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator

SOAK = bool(os.environ.get("SCAND_SOAK"))

STRANGE_SETTINGS = {
    "deep": '{"options": ' + "[" * 5000 + "]" * 5000 + "}",
    "nearly as deep": '{"x_mine": ' + "[" * 900 + "]" * 900 + "}",
    "huge": json.dumps({"x_mine": "0123456789abcdef" * 2**20}),
    "many keys": json.dumps({f"key {number}": number for number in range(50_000)}),
    "a huge number": '{"resolution": 1e400}',
    "many huge numbers": '{"x_mine": [' + ", ".join(["1e131000"] * 8300) + "]}",
    "a number of many digits": '{"resolution": ' + "9" * 5000 + "}",
    "a huge value": json.dumps({"mode": "x" * 100_000}),
    "a list": "[1, 2]",
    "a word": '"adf"',
    "null": "null",
}

FAILED = "SELECT error, error_code FROM scan_jobs WHERE id = %s AND status = 'failed'"
"""Without the settings, which Python might not be able to read."""


def test_settings_that_nobody_would_write(site: Site) -> None:
    """Extreme settings fail their job with a short sentence, and the next one is claimed.

    Those that the database refuses to a client are from before it did.
    """
    daemon = site.serving()
    for name, settings in STRANGE_SETTINGS.items():
        job = insert(site, name, "{}", "draft")
        site.past_guards("UPDATE scan_jobs SET settings = %s::jsonb WHERE id = %s", settings, job)
        site.step(job, "queued")
        (row,) = until(lambda job=job: site.sql(FAILED, job), f"{name} has failed")  # type: ignore[misc]
        assert row["error_code"] == "bad_settings", name
        assert len(row["error"]) < 250, name
        if name in {"deep", "a list"}:
            assert site.scand("show", str(job)).returncode == 0
    shown = json.loads(site.scand("list", "--json").stdout)
    assert len(shown) == len(STRANGE_SETTINGS)
    job = insert(site, "a", "{}", "draft")
    site.past_guards(
        "UPDATE scan_jobs SET title = repeat('a', 2000000), created_at = 'infinity' WHERE id = %s", job
    )
    site.step(job, "queued")
    until(lambda: site.sql("SELECT id FROM scan_jobs WHERE id = %s AND status = 'ready'", job), "it is ready")
    assert site.scand("show", str(job)).returncode == 0
    assert len(daemon.said("elected")) == 1


def insert(site: Site, title: str, settings: str, status: str = "queued") -> int:
    """Insert a job whose settings are given as JSON text."""
    (row,) = site.sql(
        "INSERT INTO scan_jobs (title, settings, status) VALUES (%s, %s::jsonb, %s) RETURNING id",
        title,
        settings,
        status,
    )
    return int(row["id"])


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from([*Settings.model_fields.keys() - {"scan"}]) | text


def test_settings_and_titles_at_random(site: Site) -> None:
    """A job with random settings is claimed or fails with a sentence, and the daemon takes the next one."""
    daemon = site.serving()

    @thorough(
        max_examples=500 if SOAK else 60,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(title=text, settings=st.dictionaries(keys, anything, max_size=5) | anything)
    def ask(title: str, settings: Any) -> None:
        job = insert(site, title, json.dumps(settings))
        until(lambda: site.job(job)["status"] != "queued", f"{settings} is answered")
        until(
            lambda: site.job(job)["status"] == "failed" or is_idle_with(site, job), f"{settings} is done with"
        )
        row = site.job(job)
        assert (row["status"], row["error_code"]) in {("failed", "bad_settings"), ("ready", None)}, settings
        assert bool(row["error"]) == (row["status"] == "failed"), settings
        site.step(job, "canceled")

    ask()
    assert len(daemon.said("elected")) == 1
    assert daemon.said("unexpected") == []


def is_idle_with(site: Site, job: int) -> bool:
    """Whether the agent has found nothing to do for a job, which its heartbeat then names."""
    return bool(site.sql("SELECT id FROM scan_agent_status WHERE current_job_id = %s", job))


# Buttons.

BUTTONS = [
    *(
        f"UPDATE scan_jobs SET status = '{status}' WHERE id = %(job)s"  # noqa: S608
        for status in (
            "queued", "queued", "scanning", "scanning", "assembling", "assembling", "ready", "committing",
            "committing", "canceled", "draft", "preview", "committed", "failed",
        )
    ),
    "UPDATE scan_job_batches SET status = 'discarded' WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "UPDATE scan_job_batches SET status = 'scanned' WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "UPDATE scan_job_batches SET answered = true WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "UPDATE scan_jobs SET title = title || '!' WHERE id = %(job)s",
    "DELETE FROM scan_jobs WHERE id = %(job)s AND %(seq)s = 3",
    "UPDATE scan_job_batches SET batch_seq = batch_seq + 1 WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "UPDATE scan_job_batches SET job_id = job_id - 1 WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "DELETE FROM scan_job_batches WHERE job_id = %(job)s AND batch_seq = %(seq)s",
    "INSERT INTO scan_job_batches (job_id, batch_seq, staging_path) VALUES (%(job)s, %(seq)s, '/etc/hosts')",
    "UPDATE scan_jobs SET nas_staging_path = 'Inbox/random.pdf', inbox_path = 'x' WHERE id = %(job)s",
    "UPDATE scan_jobs SET created_at = now(), id = id + 1, staging_path = '/' WHERE id = %(job)s",
    *["save"] * 6,
]  # fmt: skip
"""What a client may press, and what it may not; "save": a whole row that it has read before."""

SETTINGS = [{}, {"scan": "auto"}, {"scan": "auto", "finish": "preview"}, {"scan": "auto", "finish": "commit"}]

LATEST = "SELECT id FROM scan_jobs WHERE status NOT IN ('committed') ORDER BY id DESC LIMIT 3"


SEED = random.randrange(10**6) if SOAK else 12
LONG = 180.0 if SOAK else 6.0
"""Seconds for which they press."""

EMPTYING = [
    "TRUNCATE scan_jobs CASCADE", "TRUNCATE scan_jobs RESTART IDENTITY CASCADE", "TRUNCATE documents CASCADE",
    "TRUNCATE scan_job_batches", "TRUNCATE scan_job_pages", "TRUNCATE scan_job_events",
    "TRUNCATE scan_agent_status", "TRUNCATE scand_deleted_jobs", "TRUNCATE scan_job_transitions",
    "TRUNCATE scand_migrations", "TRUNCATE scand_installation",
]  # fmt: skip
"""What somebody may empty, and the last three, which nobody may."""

REFUSALS = {"SD001", "SD002", "SD003", "SD004", "23505"}
REFUSALS_WHILE_EMPTIED = REFUSALS | {"23001", "23503", "40P01"}
"""Also: a table that is not to be emptied, a row that has just gone, and a deadlock with the emptying."""


class RandomClient(threading.Thread):
    """A client that presses buttons at random, each one twice, and saves rows that it has read some time ago.

    Args:
        url: of the database, with a login that is a client.
        seed: of its choices.
        end: when to stop, in seconds of time.monotonic().
        buttons: what it presses.
        refusals: SQLSTATEs that it may get.

    Attributes:
        refused: how often a step was refused.
        unexpected: errors that a client should never get.
    """

    def __init__(
        self,
        url: str,
        seed: int,
        end: float,
        buttons: Sequence[str] = BUTTONS,
        refusals: Collection[str] = REFUSALS,
    ) -> None:
        super().__init__()
        self._url, self._random, self._end = url, random.Random(seed), end
        self._buttons, self._refusals = buttons, refusals
        self._read: list[dict[str, Any]] = []
        self.refused = 0
        self.unexpected: list[str] = []

    def run(self) -> None:
        """Press buttons until the time is over; nothing is prepared, since a pooler may be in between."""
        with psycopg.connect(self._url, autocommit=True, prepare_threshold=None) as connection:
            while time.monotonic() < self._end:
                try:
                    button, about = self._chosen(connection)
                except psycopg.Error as error:
                    self._note(error)
                    continue
                for _ in range(2):
                    try:
                        connection.execute(button.encode(), about)
                    except psycopg.Error as error:
                        self._note(error)
                time.sleep(self._random.expovariate(10))

    def _chosen(self, connection: psycopg.Connection[Any]) -> tuple[str, dict[str, Any]]:
        """A statement and its values: for a new job where there are few."""
        jobs = [row[0] for row in connection.execute(LATEST)]
        if len(jobs) < 3:
            query = "INSERT INTO scan_jobs (title, settings, status) VALUES ('random', %(asked)s, 'queued')"
            connection.execute(query.encode(), {"asked": json.dumps(self._random.choice(SETTINGS))})
        button = self._random.choice(self._buttons)
        about = {"job": self._random.choice(jobs or [1]), "seq": self._random.randint(1, 3)}
        return self._whole_row(connection, about["job"]) if button == "save" else (button, about)

    def _whole_row(self, connection: psycopg.Connection[Any], job: int) -> tuple[str, dict[str, Any]]:
        """Read a row, and save one of the last ten that were read, as it was or with another status."""
        with connection.cursor(row_factory=dict_row) as cursor:
            self._read += cursor.execute("SELECT * FROM scan_jobs WHERE id = %s", (job,)).fetchall()
        self._read = self._read[-10:]
        if not self._read:
            return "SELECT", {}
        row = self._random.choice(self._read)
        row = row | {"settings": json.dumps(row["settings"])}
        if self._random.random() < 0.3:
            row["status"] = self._random.choice(
                ["queued", "scanning", "assembling", "committing", "canceled"]
            )
        if self._random.random() < 0.3:
            del row["steps"], row["updated_at"]  # a mapper that does not know them
        assigned = ", ".join(f"{name} = %({name})s" for name in row if name != "id")
        return f"UPDATE scan_jobs SET {assigned} WHERE id = %(id)s", row  # noqa: S608

    def _note(self, error: psycopg.Error) -> None:
        if error.sqlstate in self._refusals:
            self.refused += 1
        else:
            self.unexpected.append(f"{error.sqlstate} {error}")


@dataclass(frozen=True)
class Crowd:
    """A site with its daemon, and clients at its database until `end`.

    Attributes:
        site: the daemon serves there.
        scanner: two sheets in its feeder.
        url: of the database, for a login that is a client with more rights than it needs.
        pooled: the same through a pooler in transaction mode.
    """

    site: Site
    scanner: Simulator
    url: str
    pooled: str

    def press(self, clients: list[RandomClient], checker: Checker) -> None:
        """Let them all press: every invariant holds all the time, and then the daemon serves the next job."""
        site, daemon = self.site, self.site.daemons[-1]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            self.scanner.reload()
            time.sleep(0.5)
            assert violations(checker) == [], f"seed {SEED}"
        assert [error for client in clients for error in client.unexpected] == [], f"seed {SEED}"
        assert all(client.refused for client in clients)
        until(lambda: at_rest(site), "all is at rest")
        assert violations(checker) == []
        self.scanner.reload()
        site.scanned(site.submit("next", finish="commit"), "committed")
        assert len(daemon.said("elected")) == 1
        assert daemon.said("unexpected") == []
        assert "Traceback" not in daemon.log_path.read_text()


@pytest.fixture
def crowd(tmp_path: Path, migrated_url: str, simulate: MakeSimulator) -> Iterator[Crowd]:
    """A site for clients without end."""
    scanner = simulate("--count", "2", "--ppm", "600")
    with closing(Site(tmp_path, migrated_url, scanner.config)) as site:
        site.connection.execute(read_sql("roles.sql").encode())
        # More rights than a client needs, so that the guards are asked and not the grants alone.
        site.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO scand_client")
        site.sql("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO scand_client")
        with (
            plain_login(site.connection, "scand_client") as login,
            pgbouncer(migrated_url, "transaction", login) as pooled,
        ):
            site.serving()
            urls = (make_conninfo(url, user=login) for url in (migrated_url, pooled))
            yield Crowd(site, scanner, *urls)


@pytest.mark.timeout(600 if SOAK else 120)
def test_buttons_at_random_moments_and_twice(crowd: Crowd) -> None:
    """Of clients at the server and at a pooler: illegal steps are refused, and every invariant holds."""
    site, end = crowd.site, time.monotonic() + LONG
    checker = Checker(site.connection, site.staging, site.nas, crowd.scanner.fed, mixed=True)
    urls = (crowd.url, crowd.url, crowd.pooled)
    crowd.press([RandomClient(url, SEED + number, end) for number, url in enumerate(urls)], checker)


@pytest.mark.timeout(600 if SOAK else 120)
def test_tables_are_emptied_at_random_moments(crowd: Crowd) -> None:
    """No page is lost and no side comes twice, although the rows of them all may go at any moment."""
    site, end = crowd.site, time.monotonic() + LONG
    checker = Checker(site.connection, site.staging, site.nas, crowd.scanner.fed, mixed=True, emptied=True)
    pressed = (BUTTONS, BUTTONS, EMPTYING)
    urls = (crowd.url, crowd.pooled, site.database_url)  # to restart a sequence one must own it
    clients = [
        RandomClient(url, SEED + number, end, buttons, REFUSALS_WHILE_EMPTIED)
        for number, (url, buttons) in enumerate(zip(urls, pressed, strict=True))
    ]
    crowd.press(clients, checker)


def violations(checker: Checker) -> list[str]:
    """What does not hold, except for gaps in a document, since a client may discard batches."""
    return [str(found) for found in checker.check() if "fed in between" not in found.what]


def at_rest(site: Site) -> bool:
    """Cancel every job that can be canceled; True as soon as none is active or waits."""
    for status in ("queued", "ready", "scanning", "assembling", "preview"):
        site.sql("UPDATE scan_jobs SET status = 'canceled' WHERE status = %s", status)
    return not site.sql(
        "SELECT id FROM scan_jobs WHERE status NOT IN ('draft', 'failed', 'canceled', 'committed')"
    )


# Rows that go.


def test_a_job_that_is_deleted_in_any_state(site: Site, scanner: Simulator) -> None:
    """The daemon drops a deleted job at once and takes the next one; nothing of it is published or left staged."""
    daemon = site.serving()
    marker, hidden = site.nas / ".scand-volume", site.nas / "hidden"
    for state in ("ready", "assembling", "preview", "committing"):
        job = site.submit(state, scan="auto")
        until(lambda job=job: site.batches(job), "the batch")  # type: ignore[misc]
        site.wait(job, "ready")
        if state == "assembling":
            marker.rename(hidden)
        if state != "ready":
            site.step(job, "assembling")
        if state in {"preview", "committing"}:
            site.wait(job, "preview")
        if state == "committing":
            marker.rename(hidden)
            site.step(job, "committing")
        if hidden.exists():
            until(lambda job=job: site.job(job)["error_code"], "the NAS is away")  # type: ignore[misc]
        site.sql("DELETE FROM scan_jobs WHERE id = %s", job)
        if hidden.exists():
            hidden.rename(marker)
        scanner.reload()
    job = site.submit("next", scan="auto", finish="commit")
    site.wait(job, "committed")
    assert [path.name for path in site.inbox()] == ["next.pdf"]
    assert numbers(site.inbox()[0]) == list(range(25, 31))
    until(lambda: not [*(site.nas / ".scan-staging").rglob("*.pdf")], "no merge is left staged")
    spooled = {int(path.name) for path in (site.staging / "jobs").iterdir()}
    left = {row["job_id"] for row in site.sql("SELECT job_id FROM scand_deleted_jobs")}
    assert left == spooled - {job}
    assert len(left) == 4
    assert len(daemon.said("elected")) == 1
    assert daemon.said("unexpected") == []


def test_a_batch_row_that_is_deleted_comes_back(site: Site) -> None:
    """A batch row that is lost is recorded again from disk, while the job is ready and while it is assembled."""
    site.serving()
    job = site.submit(scan="auto")
    until(lambda: site.batches(job), "the batch")
    site.wait(job, "ready")
    site.as_agent("DELETE FROM scan_job_batches")
    until(lambda: site.batches(job), "the batch is recorded again")
    assert site.job(job)["batch_count"] == 1
    (site.nas / ".scand-volume").rename(site.nas / "hidden")
    site.step(job, "assembling")
    until(lambda: site.job(job)["error_code"], "the NAS is away")
    site.as_agent("DELETE FROM scan_job_batches")
    (site.nas / "hidden").rename(site.nas / ".scand-volume")
    row = site.wait(job, "preview")
    assert numbers(site.nas / row["nas_staging_path"]) == list(range(1, 7))


def test_a_new_database_over_an_old_spool(site: Site, database_url: str, scanner: Simulator) -> None:
    """Pages of a job with the same id and time in another database are put aside, not adopted."""
    site.serving()
    former = site.submit(scan="auto")
    until(lambda: site.batches(former), "the batch")
    site.daemons[-1].kill()
    created = site.job(former)["created_at"]
    with psycopg.connect(database_url, autocommit=True) as connection:
        migrate(connection)
    site.database_url = database_url
    site.configure("")
    site.connection.close()
    site.connect(database_url)
    scanner.reload()
    site.serving()
    job = site.submit(status="draft", scan="auto", finish="commit")
    assert job == former
    site.past_guards("UPDATE scan_jobs SET created_at = %s", created)
    site.step(job, "queued")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(7, 13))
    (aside,) = (site.staging / "jobs").glob("*.aside-*")
    assert numbers(aside / "batch-0001" / "batch.pdf") == list(range(1, 7))
