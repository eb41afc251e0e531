"""Pages that are dropped, turned, moved, kept and scanned again: the document is what the rows ask for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from scand.courier.document import bind
from scand.spool.batches import BatchDirectory
from tests.support.checker import Checker
from tests.support.site import Site, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


@pytest.fixture
def blank_site(simulate: MakeSimulator, tmp_path: Path, migrated_url: str) -> Iterator[Site]:
    """A site whose scanner has three sheets with blank backs."""
    site = Site(tmp_path, migrated_url, simulate("--count", "3", "--blank-backs").config)
    yield site
    site.close()


def edit(site: Site, job: int, page: str, **wanted: object) -> None:
    """What a client writes of one page, "2.17"."""
    seq, number = page.split(".")
    for column, value in wanted.items():
        query = f"UPDATE scan_job_pages SET {column} = %s WHERE job_id = %s AND batch_seq = %s AND page = %s"  # noqa: S608
        site.sql(query, value, job, int(seq), int(number))


def finished(site: Site, job: int) -> Path:
    """The merge, in preview; its row tells how many pages it has."""
    site.wait(job, "ready")
    site.step(job, "assembling")
    row = site.wait(job, "preview")
    document = site.nas / str(row["nas_staging_path"])
    with pikepdf.open(document) as pdf:
        assert len(pdf.pages) == row["page_count"]
    return document


def again(site: Site, job: int) -> None:
    """Reopened."""
    site.step(job, "ready")


def held(site: Site, job: int, document: Path) -> list[str]:
    """The pages of a document by name, each known by the bytes of its image alone; blank ones are all alike."""
    rows = site.sql("SELECT * FROM scan_job_pages WHERE job_id = %s", job)
    known = {row["sha256"]: "blank" if row["blank"] else f"{row['batch_seq']}.{row['page']}" for row in rows}
    with pikepdf.open(document) as pdf:
        streams = [image.read_raw_bytes() for page in pdf.pages for image in page.get_images().values()]
    return [known[hashlib.sha256(stream).hexdigest()] for stream in streams]


def turns(document: Path) -> list[int]:
    """The /Rotate of each page."""
    with pikepdf.open(document) as pdf:
        return [int(page.get("/Rotate", 0)) for page in pdf.pages]


def test_a_page_is_dropped_turned_moved_and_scanned_again(site: Site, scanner: Simulator) -> None:
    """Order, turns and drops are those of the rows, images the captured files; the same edits, the same bytes."""
    site.serving()
    job = site.submit(rotate_back=180)
    site.wait(job, "ready")
    site.scan(job)
    scanner.command("1")
    site.scan(job)
    edit(site, job, "1.3", choice="dropped")
    edit(site, job, "2.1", place=10_003)
    edit(site, job, "2.2", choice="dropped")
    edit(site, job, "1.5", turn=90)
    edit(site, job, "1.6", turn=270, place=-1)
    first = finished(site, job)
    assert held(site, job, first) == ["1.6", "1.1", "1.2", "2.1", "1.4", "1.5"]
    assert numbers(first) == [6, 1, 2, 7, 4, 5]
    assert turns(first) == [90, 0, 180, 0, 180, 90]
    with pikepdf.open(first) as pdf, pdf.open_outline() as outline:
        assert [str(entry.title) for entry in outline.root] == ["Batch 1", "Batch 2"]
    made = site.job(job)["file_hash"]
    again(site, job)
    edit(site, job, "1.5", turn=0)
    assert turns(finished(site, job)) == [90, 0, 180, 0, 180, 0]
    again(site, job)
    edit(site, job, "1.5", turn=90)
    finished(site, job)
    assert site.job(job)["file_hash"] == made
    assert sum(batch["page_count"] for batch in site.batches(job)) == site.job(job)["pages_scanned"] == 8
    checker = Checker(site.connection, site.staging, site.nas, scanner.fed)
    assert checker.check() == []
    site.step(job, "committing")
    site.wait(job, "committed")
    assert checker.settled() == []
    assert numbers(site.inbox()[0]) == [6, 1, 2, 7, 4, 5]


def test_a_document_of_which_nothing_is_left_is_not_made(site: Site, scanner: Simulator) -> None:
    """The job is ready again, and the sentence says how to take pages back."""
    site.serving()
    job = site.submit(scan="auto")
    site.wait(job, "ready")
    site.wait(job, "scanning")
    site.wait(job, "ready")
    site.sql("UPDATE scan_job_pages SET choice = 'dropped' WHERE job_id = %s", job)
    site.step(job, "assembling")
    row = site.wait(job, "ready")
    assert row["error_code"] == "no_pages"
    assert f"scand keep {job} 1.1-6" in row["error"]
    site.sql("UPDATE scan_job_pages SET choice = NULL WHERE job_id = %s", job)
    assert numbers(finished(site, job)) == scanner.fed()


def test_a_blank_back_is_taken_back(blank_site: Site) -> None:
    """It was left out as the settings say, and is there once it is kept."""
    site = blank_site
    site.serving()
    job = site.submit(blank_pages="drop", mode="color", resolution=150)
    site.wait(job, "ready")
    site.scan(job)
    assert held(site, job, finished(site, job)) == ["1.1", "1.3", "1.5"]
    again(site, job)
    edit(site, job, "1.4", choice="kept")
    edit(site, job, "1.1", choice="dropped")
    assert held(site, job, finished(site, job)) == ["1.3", "blank", "1.5"]
    (batch,) = site.batches(job)
    assert (batch["page_count"], batch["blank_count"]) == (6, 3)


def test_a_front_of_manual_duplex_is_scanned_again(site: Site, scanner: Simulator) -> None:
    """Its sheet is a batch of its own, which stands outside the pairs; a dropped front changes no count."""
    site.serving()
    job = site.submit(sides="manual-duplex", rotate_back=180)
    site.wait(job, "ready")
    site.scan(job)
    scanner.reload()
    site.scan(job)
    scanner.command("1")
    site.scan(job)
    edit(site, job, "1.2", choice="dropped")
    edit(site, job, "3.1", place=10_002)
    document = finished(site, job)
    assert held(site, job, document) == ["1.1", "2.3", "3.1", "2.2", "1.3", "2.1"]
    assert turns(document) == [0, 180, 0, 180, 0, 180]


def as_scand_0_1_left_it(site: Site, job: int) -> None:
    """Bind the only batch without its blank sides, as scand 0.1 did, and take away what that did not know."""
    batch = BatchDirectory(site.spool(job) / "batch-0001")
    inked = [page for page in batch.pages() if not page.blank]
    pdf = bind(batch.path, inked, batch.pdf, progress=lambda _done, _total: None)
    (batch.path / "bound.json").unlink()
    with site.connection.transaction():
        site.past_guards("DELETE FROM scan_job_pages WHERE job_id = %s", job)
        site.past_guards(
            "UPDATE scan_job_batches SET page_count = %s, file_hash = %s WHERE job_id = %s",
            pdf.pages, pdf.sha256, job,
        )  # fmt: skip


def without_a_pdf(site: Site, job: int) -> None:
    """The only batch has been recorded without a PDF."""
    for name in ("batch.pdf", "bound.json"):
        (site.spool(job) / "batch-0001" / name).unlink()
    site.past_guards(
        "UPDATE scan_job_batches SET staging_path = NULL, file_hash = NULL WHERE job_id = %s", job
    )


@pytest.mark.parametrize("left", [as_scand_0_1_left_it, without_a_pdf])
def test_a_batch_is_bound_anew_before_it_is_merged(blank_site: Site, left: Any) -> None:
    """Its row gets the new hash and counts, its pages are rows again, and edits reach its blank sides, too."""
    site = blank_site
    daemon = site.serving()
    job = site.submit(blank_pages="drop", mode="color", resolution=150)
    site.wait(job, "ready")
    site.scan(job)
    (before,) = site.batches(job)
    assert daemon.stop() == 0
    left(site, job)
    site.serving()
    assert held(site, job, finished(site, job)) == ["1.1", "1.3", "1.5"]
    assert site.batches(job) == [before], "the same pages, the same PDF"
    again(site, job)
    edit(site, job, "1.2", choice="kept")
    assert held(site, job, finished(site, job)) == ["1.1", "blank", "1.3", "1.5"]
    assert Checker(site.connection, site.staging, site.nas, list).check() == []


def test_another_title_in_preview_is_in_the_pdf(site: Site) -> None:
    """The job is merged again under a stay of its own, waits for a person, and is committed under the new name."""
    site.serving()
    job = site.submit("Invoces", scan="auto", finish="preview")
    before = site.wait(job, "preview")
    site.sql(
        "UPDATE scan_jobs SET settings = settings || '{\"finish\": \"commit\"}', title = 'Invoices' WHERE id = %s",
        job,
    )
    assert [step[1] for step in site.events(job)][-2:] == ["preview", "assembling"]
    row = site.wait(job, "preview")
    assert row["nas_staging_path"] != before["nas_staging_path"]
    assert not (site.nas / before["nas_staging_path"]).exists()
    with pikepdf.open(site.nas / row["nas_staging_path"]) as pdf:
        assert str(pdf.docinfo.Title) == "Invoices"
    site.scand("watch", str(job))
    assert site.job(job)["status"] == "preview"
    site.scand("commit", str(job))
    site.wait(job, "committed")
    assert [path.name for path in site.inbox()] == ["Invoices.pdf"]
