"""The whole road: a job in PostgreSQL, a duplex stack in the feeder, a PDF in the Inbox, the row committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.site import numbers, sha256

if TYPE_CHECKING:
    from tests.acceptance.site import Simulator, Site


def test_a_client_does_everything_in_sql_alone(site: Site, scanner: Simulator) -> None:
    """From draft to committed by UPDATEs: two batches, in feeding order, front before back."""
    site.serving()
    job = site.submit("Invoices 2026", status="draft")
    site.step(job, "queued")
    site.wait(job, "ready")
    site.scan(job)
    scanner.reload()
    site.scan(job)
    assert [(b["status"], b["page_count"]) for b in site.batches(job)] == [("scanned", 6), ("scanned", 6)]
    site.step(job, "assembling")
    row = site.wait(job, "preview")
    assert row["page_count"] == 12
    assert (site.nas / row["nas_staging_path"]).is_file()
    site.step(job, "committing")
    row = site.wait(job, "committed")
    document = site.nas / row["inbox_path"]
    assert site.inbox() == [document]
    assert document.name == "Invoices 2026.pdf"
    assert row["file_hash"] == sha256(document)
    assert row["doc_id"] is not None
    assert row["error"] is None
    assert numbers(document) == list(range(1, 13)) == scanner.fed()
    assert site.events(job) == [
        (None, "draft", "client"),
        ("draft", "queued", "client"),
        ("queued", "ready", "agent"),
        ("ready", "scanning", "client"),
        ("scanning", "ready", "agent"),
        ("ready", "scanning", "client"),
        ("scanning", "ready", "agent"),
        ("ready", "assembling", "client"),
        ("assembling", "preview", "agent"),
        ("preview", "committing", "client"),
        ("committing", "committed", "agent"),
    ]
