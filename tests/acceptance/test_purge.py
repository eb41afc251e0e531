"""`scand purge`: what it removes, what it never does, beside a daemon and after a kill at any of its steps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import pytest

from scand.queue.statements import read_sql
from scand.spool.records import JobRecord
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.site import Simulator


def purged(site: Site, *arguments: str) -> dict[str, Any]:
    """What a purge says in JSON."""
    found: dict[str, Any] = json.loads(site.scand("purge", "--json", *arguments).stdout)
    return found


def files(site: Site) -> dict[str, bytes]:
    """Every file below staging, with its content."""
    below = site.staging / "jobs"
    return {str(path.relative_to(below)): path.read_bytes() for path in below.rglob("*") if path.is_file()}


def made(site: Site, status: str) -> int:
    """A job with a batch on disk as the agent leaves it, in a status: without a scanner, since many are wanted."""
    job = site.submit("A job", status="draft")
    with site.connection.transaction():
        site.sql("SET LOCAL scand.actor = 'agent'")
        for step in _ROADS[status]:
            site.sql("UPDATE scan_jobs SET status = %s WHERE id = %s", step, job)
        directory = site.spool(job)
        site.sql("UPDATE scan_jobs SET staging_path = %s WHERE id = %s", str(directory), job)
        pdf = directory / "batch-0001" / "batch.pdf"
        site.sql(
            "INSERT INTO scan_job_batches (job_id, batch_seq, page_count, staging_path) VALUES (%s, 1, 2, %s)",
            job,
            str(pdf),
        )
    (row,) = site.sql("SELECT created_at FROM scan_jobs WHERE id = %s", job)
    (installation,) = site.sql("SELECT id::text FROM scand_installation")
    pdf.parent.mkdir(parents=True)
    from scand.agent.retention import record  # noqa: PLC0415

    (directory / "job.json").write_text(record(job, row["created_at"], installation["id"]).model_dump_json())
    for name, text in (("begin.json", '{"device": "x", "duplex": false}'), ("end.json", "{}"),
                       ("pages.jsonl", "{}\n{}\n"), ("batch.pdf", "pdf")):  # fmt: skip
        (pdf.parent / name).write_text(text)
    return job


_ROADS = {
    "draft": [],
    "queued": ["queued"],
    "failed": ["queued", "ready", "failed"],
    "canceled": ["queued", "ready", "canceled"],
    "preview": ["queued", "ready", "assembling", "preview"],
    "committed": ["queued", "ready", "assembling", "preview", "committing", "committed"],
}


@pytest.fixture
def still(tmp_path: Path, migrated_url: str) -> Iterator[Site]:
    """A site without a scanner, whose daemon does not run."""
    site = Site(tmp_path, migrated_url, tmp_path)
    yield site
    site.close()


def test_beside_a_daemon_finished_jobs_files_go(site: Site, scanner: Simulator) -> None:
    """Committed and canceled ones go at once; the canceled job starts anew, and all is well."""
    daemon = site.serving()
    committed = site.submit(scan="auto", finish="commit")
    site.wait(committed, "committed")
    scanner.reload()
    canceled = site.submit(scan="auto")
    until(lambda: site.job(canceled)["batch_count"] == 1, "a batch")
    site.step(canceled, "canceled")
    document = site.nas / site.job(committed)["inbox_path"]
    bytes_before = document.read_bytes()
    would = purged(site, "--dry-run")
    assert {job["id"] for job in would["jobs"]} == {committed, canceled}
    assert all(job["bytes"] > 1000 for job in would["jobs"])
    assert (site.spool(committed) / "merged.pdf").exists()
    assert site.job(committed)["staging_path"] is not None
    gone = purged(site)
    assert gone["jobs"] == would["jobs"]
    assert list((site.staging / "jobs").iterdir()) == []
    assert site.job(canceled)["staging_path"] is None
    assert site.scand("purge").stdout == "no finished job keeps files\n"
    assert document.read_bytes() == bytes_before
    before = len(scanner.fed())
    scanner.reload()
    site.starts_anew(canceled)
    assert numbers(site.nas / site.job(canceled)["nas_staging_path"]) == scanner.fed()[before:]
    assert daemon.process.poll() is None
    assert daemon.said("unexpected") == []


def test_only_what_is_committed_and_read_back_or_canceled_goes(still: Site) -> None:
    """Every other status keeps every byte; so does what a client has committed, which nobody has read back."""
    kept = [made(still, status) for status in ("draft", "queued", "failed", "preview")]
    still.step(kept[-1], "canceled")  # the one that may be active
    gone = [kept.pop(), made(still, "committed")]
    client = made(still, "committed")
    still.sql(
        "UPDATE scan_job_events SET actor = 'client' WHERE job_id = %s AND to_status = 'committed'", client
    )
    before = files(still)
    said = purged(still)
    assert [job["id"] for job in said["jobs"]] == gone
    stay = tuple(f"{job}/" for job in [*kept, client])
    assert files(still) == {name: data for name, data in before.items() if name.startswith(stay)}


def test_what_a_feeder_may_still_write_stays(still: Site) -> None:
    """A job that is canceled in mid-batch: the sheet under way is not taken from under the feeder's hands."""
    job = made(still, "canceled")
    (still.spool(job) / "batch-0001" / "end.json").unlink()
    assert purged(still)["jobs"] == []
    assert still.job(job)["staging_path"] is not None
    long_ago = time.time() - 3600
    for path in [*still.spool(job).rglob("*"), still.spool(job)]:
        os.utime(path, (long_ago, long_ago))
    assert [gone["id"] for gone in purged(still)["jobs"]] == [job]


def test_orphans_are_shown_and_stay(still: Site) -> None:
    """What, pages, size, since when; without a terminal nobody is asked, and nothing goes."""
    job = made(still, "failed")
    orphan = still.staging / "jobs" / "999"
    shutil.copytree(still.spool(job), orphan)
    record = JobRecord(id=3, created_at="2020-01-02T03:04:05+00:00", database="another")
    aside = still.staging / "jobs" / f"{job}.aside-1600000000"
    shutil.copytree(orphan, aside)
    (aside / "job.json").write_text(record.model_dump_json())
    before = files(still)
    said = still.scand("purge").stdout
    assert "999 " not in said, "its job.json says that it is a copy of a living job's"
    assert f"{job}.aside-1600000000" in said
    assert "job 3 of 2020-01-02, database another" in said
    assert "scand --config" in said
    assert "purge --orphans --yes" in said
    assert files(still) == before
    assert purged(still, "--orphans")["orphans"][0]["pages"] == 2
    assert files(still) == before
    assert still.scand("purge", "--yes", check=False).returncode == os.EX_USAGE


def test_orphans_go_when_it_is_said(still: Site) -> None:
    """Only those: a living job's directory stays, also where the number of an orphan is a living job's."""
    alive, number = made(still, "failed"), made(still, "queued")
    (still.spool(number) / "job.json").write_text("torn")
    deleted = made(still, "failed")
    still.sql("DELETE FROM scan_jobs WHERE id = %s", deleted)
    said = purged(still, "--orphans", "--yes")
    names = sorted(one["path"].rpartition("/")[2] for one in said["orphans_removed"])
    assert names == sorted([str(number), str(deleted)])
    assert [path.name for path in (still.staging / "jobs").iterdir()] == [str(alive)]


@pytest.mark.parametrize("step", range(1, 9))
def test_a_kill_at_any_step_loses_nothing(still: Site, step: int) -> None:
    """At the n-th rename or unlink: living jobs keep all, no row owns what is gone, the next purge ends it."""
    alive = [made(still, "failed"), made(still, "queued")]
    over = [made(still, "committed"), made(still, "canceled")]
    before = files(still)
    subprocess.run(
        [
            "strace", "-f", "-o", "/dev/null", "-e", "trace=rename,unlinkat,rmdir",
            "-e", f"inject=rename,unlinkat:signal=KILL:when={step}",
            sys.executable, "-m", "scand.cli", "--config", str(still.config), "purge",
        ],
        env=still.environment(),
        check=False,
        timeout=60,
        capture_output=True,
    )  # fmt: skip
    left = files(still)
    for job in alive:
        own = {name: data for name, data in before.items() if name.startswith(f"{job}/")}
        assert {name: data for name, data in left.items() if name.startswith(f"{job}/")} == own
    for job in over:
        names = {name for name in before if name.startswith(f"{job}/")}
        if still.job(job)["staging_path"] is not None:
            assert names <= set(left), "the row says that it has them"
    purged(still)
    assert sorted(int(path.name) for path in (still.staging / "jobs").iterdir()) == sorted(alive)
    assert [still.job(job)["staging_path"] for job in over] == [None, None]


def test_it_needs_no_more_than_the_two_roles(still: Site) -> None:
    """With the roles in place: rows and orphans go, each in the role whose it is to say so."""
    still.connection.execute(read_sql("roles.sql").encode())
    job, deleted = made(still, "committed"), made(still, "failed")
    still.sql("DELETE FROM scan_jobs WHERE id = %s", deleted)
    said = purged(still, "--orphans", "--yes")
    assert [gone["id"] for gone in said["jobs"]] == [job]
    assert len(said["orphans_removed"]) == 1
    assert list((still.staging / "jobs").iterdir()) == []


def test_where_the_agents_row_is_lost_it_says_so(still: Site) -> None:
    """TRUNCATE … CASCADE takes it along: no traceback, and list still lists."""
    made(still, "canceled")
    still.sql("TRUNCATE scan_jobs CASCADE")
    done = still.scand("purge", check=False)
    assert done.returncode == os.EX_UNAVAILABLE, done.stderr
    assert "systemctl start scand" in done.stderr
    assert still.scand("list").returncode == os.EX_OK
    assert len(list((still.staging / "jobs").iterdir())) == 1


def test_a_job_that_comes_back_to_life_in_between_keeps_its_directory(still: Site) -> None:
    """A retry waits for the rename, or is before it: then the directory stays where it is."""
    job = made(still, "canceled")
    with still.connection.transaction():
        still.step(job, "queued")  # not committed yet: the row is locked
        said = purged(still)
    assert said["jobs"] == []
    assert still.job(job)["staging_path"] is not None
    assert (still.spool(job) / "batch-0001" / "batch.pdf").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory another user's")
def test_root_goes_on_as_the_owner(still: Site) -> None:
    """What lies in the owner's directory may lead anywhere: root does not follow it."""
    job = made(still, "canceled")
    roots = still.directory / "root's"
    roots.mkdir(mode=0o700)
    (roots / "1.expired-1").mkdir()
    shutil.move(still.staging / "jobs", still.staging / "real")
    (still.staging / "jobs").symlink_to(roots)
    for path in [still.staging, *still.staging.rglob("*")]:
        os.chown(path, 4711, 4711, follow_symlinks=False)
    for parent in still.staging.parents:
        if parent.is_relative_to(tempfile.gettempdir()) and str(parent) != tempfile.gettempdir():
            parent.chmod(0o755)
    refused = still.scand("purge", check=False)
    assert refused.returncode == os.EX_UNAVAILABLE, refused.stderr
    assert "Traceback" not in refused.stderr
    assert (roots / "1.expired-1").exists()
    (still.staging / "jobs").unlink()
    shutil.move(still.staging / "real", still.staging / "jobs")
    assert still.job(job)["staging_path"] is not None
    purged(still)
    assert list((still.staging / "jobs").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_stranger_is_told_who_may(still: Site) -> None:
    """Neither root nor the owner: 78, and the command."""
    still.directory.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c",
         "import os, sys; from scand.cli import main; os.setgid(4712); os.setuid(4712); main(sys.argv[1:])",
         "--config", str(still.config), "purge"],
        env=still.environment(),
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode in {os.EX_CONFIG, os.EX_UNAVAILABLE}, done.stderr
    assert "Traceback" not in done.stderr
    assert "purge" in done.stderr
