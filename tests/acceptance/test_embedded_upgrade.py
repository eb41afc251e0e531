"""An embedded database of scand 0.1, which trusted everybody who could reach its socket, under today's daemon."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from scand.queue import embedded
from scand.queue.schema import migrate
from tests.postgres import PrivatePostgres
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.conftest import MakeSimulator


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose path leaves room for that of a socket."""
    made = Path(tempfile.mkdtemp(prefix="scand-"))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_the_jobs_of_0_1_go_on(place: Path, simulate: MakeSimulator, killed: bool) -> None:
    """A batch was scanned by the old daemon; the new one closes the door, and takes the job to the Inbox.

    The old daemon was stopped, or killed, so that its server still runs.
    """
    old = PrivatePostgres(place / "staging" / "postgres")
    old.directory.parent.mkdir()
    old.make()
    old.start()
    with psycopg.connect(old.url, autocommit=True) as connection:
        migrate(connection)
    site = Site(place, old.url, simulate("--count", "3").config)
    before = site.serving()
    job = site.submit("Begun under 0.1")
    site.wait(job, "ready")
    site.scan(job)
    if killed:
        before.kill()
    else:
        before.stop()
        old.shut_down()
    site.connection.close()

    site.database_url = "embedded"
    site.configure("")
    site.serving()
    site.connect(embedded.url(old.directory))
    assert site.connection.info.user == "household"
    for step, reached in {"assembling": "preview", "committing": "committed"}.items():
        site.step(job, step)
        site.wait(job, reached)
    (document,) = site.inbox()
    assert numbers(document) == [1, 2, 3, 4, 5, 6]
    for login in ("scand", "scand_admin", "postgres" if os.geteuid() else "nobody"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=str(old.directory), user=login, passfile="/dev/null", dbname="postgres")
    # Its sessions end with it, and so does the server.
    assert site.daemons[-1].stop() == os.EX_OK
    until(lambda: embedded.Postmaster.find(old.directory) is None, "the server has stopped")
    site.close()
    old.stop()
