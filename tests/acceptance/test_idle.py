"""Jobs that nobody looks after, by the database's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.site import numbers, until

if TYPE_CHECKING:
    from tests.support.site import Site

LONG_AGO = "UPDATE scan_jobs SET last_activity_at = now() - interval '16 minutes' WHERE id = %s"


def make_idle(site: Site, job: int) -> None:
    """Make the last activity older than ready_timeout; done as the agent, since a client's write is activity."""
    site.as_agent(LONG_AGO, job)


def test_a_ready_job_with_a_batch_is_assembled(site: Site) -> None:
    """An idle job with a batch is assembled, and waits in preview."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    make_idle(site, job)
    row = site.wait(job, "preview")
    assert numbers(site.nas / row["nas_staging_path"]) == list(range(1, 7))


def test_a_ready_job_with_nothing_is_canceled(site: Site) -> None:
    """An idle job without pages is canceled, and says why."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    make_idle(site, job)
    row = site.wait(job, "canceled")
    assert row["error_code"] == "idle_timeout"
    assert row["error"]


def test_a_ready_job_with_an_unanswered_fault_fails_and_keeps_its_pages(site: Site) -> None:
    """An idle job whose fault is unanswered fails and keeps its pages: the agent never assembles it."""
    site.serving()
    job = site.submit(finish="commit", on_jam="keep")
    site.wait(job, "ready")
    site.sql('UPDATE scan_jobs SET settings = settings || \'{"finish": "hold"}\' WHERE id = %s', job)
    site.scan(job)
    site.scan(job)
    assert site.job(job)["error_code"] == "feeder_empty"
    make_idle(site, job)
    row = site.wait(job, "failed")
    assert row["error_code"] == "idle_timeout"
    assert len(list((site.staging / "jobs" / str(job) / "batch-0001").glob("page-*.jpg"))) == 6
    assert site.inbox() == []


def test_only_discarded_batches_fail(site: Site) -> None:
    """An idle job that has only discarded batches fails, and nothing is deleted."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    site.sql("UPDATE scan_job_batches SET status = 'discarded' WHERE job_id = %s", job)
    make_idle(site, job)
    assert site.wait(job, "failed")["error_code"] == "idle_timeout"


def test_a_client_that_looks_after_its_job_keeps_it(site: Site) -> None:
    """Every write of a client counts as activity."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.sql(LONG_AGO, job)  # a client's write: the trigger sets the clock itself
    site.sql("UPDATE scan_jobs SET title = 'looked after' WHERE id = %s", job)
    before = site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"]
    until(
        lambda: site.sql("SELECT last_heartbeat FROM scan_agent_status")[0]["last_heartbeat"] > before,
        "the daemon has looked",
    )
    assert site.job(job)["status"] == "ready"
