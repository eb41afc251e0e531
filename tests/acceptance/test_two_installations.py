"""Two installations, each with its own database, on one NAS: each is alone there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.conftest import database
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator


@pytest.fixture
def sites(
    tmp_path: Path, server_url: str, migrated_template: str, simulate: MakeSimulator
) -> Iterator[tuple[Site, Site]]:
    """Two sites on one NAS whose daemons lead, with two and three sheets in their feeders."""
    (tmp_path / "nas").mkdir()
    with database(server_url, migrated_template) as first, database(server_url, migrated_template) as second:
        with psycopg.connect(second, autocommit=True) as connection:
            # The template's id was copied; nobody changes one that is in use.
            connection.execute("ALTER TABLE scand_installation DISABLE TRIGGER USER")
            connection.execute("UPDATE scand_installation SET id = gen_random_uuid()")
            connection.execute("ALTER TABLE scand_installation ENABLE TRIGGER USER")

        def made(number: int, url: str) -> Site:
            directory = tmp_path / f"site-{number}"
            directory.mkdir()
            (directory / "nas").symlink_to(tmp_path / "nas")
            site = Site(directory, url, simulate("--count", str(number + 1)).config)
            site.serving()
            return site

        one, other = made(1, first), made(2, second)
        yield one, other
        one.close()
        other.close()


def test_each_command_of_one_leaves_the_others_file_alone(sites: tuple[Site, Site]) -> None:
    """FIELD P1: job 1 of both in preview; whatever one does, a kill included, the other's document comes."""
    one, other = sites
    jobs = [site.submit("Letter", scan="auto", finish="preview") for site in sites]
    assert jobs[0] == jobs[1]
    staged = [
        site.nas / site.wait(job, "preview")["nas_staging_path"]
        for site, job in zip(sites, jobs, strict=True)
    ]
    assert [len(numbers(path)) for path in staged] == [4, 6]
    kept = staged[1].stat()
    one.step(jobs[0], "ready")
    until(lambda: one.job(jobs[0])["nas_staging_path"] is None, "the first is unstaged")
    assert not staged[0].exists()
    one.daemons[-1].kill()
    one.step(jobs[0], "assembling")
    one.serving()
    again = one.nas / one.wait(jobs[0], "preview")["nas_staging_path"]
    assert again.parent.name != staged[0].parent.name, "another stay has another name"
    one.step(jobs[0], "committing")
    first = one.wait(jobs[0], "committed")
    extra = one.submit("Canceled", scan="auto", finish="preview")
    until(lambda: one.job(extra)["status"] == "ready", "its feeder is empty")
    one.step(extra, "canceled")
    assert staged[1].stat().st_ino == kept.st_ino
    other.step(jobs[1], "committing")
    second = other.wait(jobs[1], "committed")
    assert {first["inbox_path"], second["inbox_path"]} == {"Inbox/Letter.pdf", "Inbox/Letter (2).pdf"}
    assert [len(numbers(one.nas / row["inbox_path"])) for row in (first, second)] == [4, 6]


def test_a_job_of_0_1_goes_on_after_the_upgrade(site: Site) -> None:
    """Its preview lies where 0.1 put it: the commit moves it along, and the former folder goes."""
    daemon = site.serving()
    job = site.submit("Letter", scan="auto", finish="preview")
    staged = site.nas / site.wait(job, "preview")["nas_staging_path"]
    daemon.kill()
    former = site.nas / ".scan-staging" / f"job-{job}" / "merged.pdf"
    former.parent.mkdir()
    staged.rename(former)
    site.sql("SET scand.actor = 'agent'")
    site.sql(
        "UPDATE scan_jobs SET nas_staging_path = %s WHERE id = %s", str(former.relative_to(site.nas)), job
    )
    site.sql("RESET scand.actor")
    site.step(job, "committing")
    site.serving()
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == [1, 2, 3, 4, 5, 6]
    assert len(site.inbox()) == 1
    until(lambda: not former.parent.exists(), "nothing is left of the former layout")


def test_paths_of_rows_are_told_once_and_never_used(site: Site) -> None:
    """FIELD P3, P5: a stale path that cannot be this job's is left, said once, and holds up no other."""
    daemon = site.serving()
    will = site.nas / "Inbox" / "Last will.pdf"
    will.parent.mkdir()
    will.write_bytes(b"%PDF")
    site.sql("SET scand.actor = 'agent'")
    for path in ("Inbox/Last will.pdf", "/etc/hostname", ".scan-staging/job-1/merged.pdf"):
        site.sql("INSERT INTO scan_jobs (title, status, nas_staging_path) VALUES ('x', 'draft', %s)", path)
    site.sql("RESET scand.actor")
    left = "SELECT count(*) AS n FROM scan_jobs WHERE nas_staging_path IS NOT NULL"
    until(lambda: site.sql(left)[0]["n"] == 0, "all are forgotten")
    assert will.read_bytes() == b"%PDF"
    told = [line["path"] for line in daemon.said("staged_left")]
    assert told[:2] == ["Inbox/Last will.pdf", "/etc/hostname"]
    assert len(told) == len(set(told))


def test_a_job_that_another_program_left_scanning_does_not_start_the_scanner(site: Site) -> None:
    """FIELD P10: nobody clicked, so not one sheet moves; the job is ready and says why."""
    job = site.submit(status="draft")
    site.sql("ALTER TABLE scan_jobs DISABLE TRIGGER USER")
    site.sql("UPDATE scan_jobs SET status = 'scanning' WHERE id = %s", job)
    site.sql("ALTER TABLE scan_jobs ENABLE TRIGGER USER")
    site.serving()
    row = site.wait(job, "ready")
    assert row["error_code"] == "interrupted"
    assert "Another program" in row["error"]
    assert site.batches(job) == []
