"""Retention of local files: those of committed and canceled jobs are deleted after staging.keep, others never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from tests.support.site import Simulator


def keep(site: Site, duration: str) -> None:
    """Set staging.keep."""
    config = site.config.read_text().replace("[staging]\n", f'[staging]\nkeep = "{duration}"\n')
    site.config.write_text(config)


def expired(site: Site, job: int) -> bool:
    """Whether the job's files are gone from disk and from its row."""
    left = list(site.staging.glob(f"jobs/{job}*"))
    return site.job(job)["staging_path"] is None and not left


def test_files_of_finished_jobs_go_after_their_time(site: Site, scanner: Simulator) -> None:
    """Files of committed and canceled jobs expire, others stay, and a canceled job can start again."""
    daemon = site.serving()
    committed = site.submit(scan="auto", finish="commit")
    site.wait(committed, "committed")
    scanner.reload()
    failed = site.submit(scan="auto")
    until(lambda: site.job(failed)["batch_count"] == 1, "a batch")
    site.wait(failed, "ready")
    site.sql('UPDATE scan_jobs SET settings = \'{"sides": "duplx"}\' WHERE id = %s', failed)
    site.wait(failed, "failed")
    scanner.reload()
    canceled = site.submit(scan="auto")
    until(lambda: site.job(canceled)["batch_count"] == 1, "a batch")
    site.wait(canceled, "ready")
    site.step(canceled, "canceled")
    assert (site.spool(canceled) / "batch-0001" / "batch.pdf").exists()
    stray = site.staging / "jobs" / "999" / "batch-0001"
    stray.mkdir(parents=True)

    told = site.scand("doctor", check=False).stdout
    assert "1 committed" in told
    assert "1 canceled" in told
    assert "1 failed" in told
    assert "1 of no job in this database" in told

    daemon.stop()
    keep(site, "1s")
    site.serving()
    until(lambda: expired(site, committed) and expired(site, canceled), "both are past their time")
    assert (site.spool(failed) / "batch-0001" / "batch.pdf").exists()
    assert stray.exists()
    assert site.job(committed)["status"] == "committed"
    assert [batch["status"] for batch in site.batches(committed)] == ["scanned"]
    assert site.inbox()
    said = {line["job"] for line in site.daemons[-1].said("files_expired")}
    assert said == {committed, canceled}

    (batch,) = site.batches(canceled)
    assert (batch["status"], batch["staging_path"]) == ("discarded", None)
    before = len(scanner.fed())
    scanner.reload()
    site.starts_anew(canceled)
    assert numbers(site.nas / site.job(canceled)["nas_staging_path"]) == scanner.fed()[before:]


def test_files_of_deleted_jobs_go_after_their_time(site: Site) -> None:
    """Deleted in ready or truncated away: the pages stay until then, and the database knows of them."""
    daemon = site.serving()
    job = site.submit(scan="auto")
    until(lambda: site.job(job)["batch_count"] == 1, "a batch")
    site.wait(job, "ready")
    site.sql("DELETE FROM scan_jobs WHERE id = %s", job)
    site.wait(site.submit(), "ready")
    assert (site.spool(job) / "batch-0001" / "batch.pdf").exists()
    shown = site.scand("purge", "--dry-run").stdout
    assert f"job {job} of " in shown
    assert "deleted" in shown
    daemon.stop()
    (epoch,) = site.sql("SELECT epoch FROM scan_agent_status")
    with site.connection.transaction():
        site.sql("TRUNCATE scan_jobs CASCADE")
        site.sql("INSERT INTO scan_agent_status (id, epoch) VALUES (1, %s)", epoch["epoch"])
    assert len(site.sql("SELECT job_id FROM scand_deleted_jobs")) == 2
    keep(site, "1s")
    site.serving()
    until(lambda: not list((site.staging / "jobs").iterdir()), "both are past their time")
    assert {line["job"] for line in site.daemons[-1].said("files_expired")} == {job, job + 1}
    until(lambda: not site.sql("SELECT job_id FROM scand_deleted_jobs"), "nothing is left to do")


def test_nothing_goes_before_its_time_or_without_one(site: Site) -> None:
    """Files stay for a week by default, and for ever with an empty staging.keep."""
    keep(site, "")
    site.serving()
    job = site.submit(scan="auto", finish="commit")
    site.wait(job, "committed")
    site.sql("UPDATE scan_jobs SET title = title WHERE id = %s", job)
    site.daemons[-1].stop()
    config = site.config.read_text().replace('keep = ""\n', "")
    site.config.write_text(config)
    site.serving()
    until(lambda: site.daemons[-1].said("courier_started"), "it has swept")
    assert (site.spool(job) / "merged.pdf").exists()
    assert site.job(job)["staging_path"] is not None
