"""The whole road: a job in PostgreSQL, a duplex stack in the feeder, a PDF in the Inbox, a committed row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pikepdf
import pypdf

from tests.support.site import numbers, sha256, until

if TYPE_CHECKING:
    from tests.support.site import Simulator, Site


def test_a_client_does_everything_in_sql_alone(site: Site, scanner: Simulator) -> None:
    """UPDATEs alone bring a job of two batches from draft to committed, in feeding order."""
    site.serving()
    job = site.submit("Invoices 2026", status="draft")
    site.step(job, "queued")
    site.wait(job, "ready")
    site.scan(job)
    scanner.reload()
    site.scan(job)
    assert [(b["status"], b["page_count"]) for b in site.batches(job)] == [("scanned", 6), ("scanned", 6)]
    assert site.job(job)["pages_scanned"] == 12
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


def test_the_document_has_a_title_an_outline_and_true_pages(site: Site) -> None:
    """A reader of the PDF sees A4 pages, an outline entry for each batch, and the job's title."""
    site.serving()
    job = site.submit("Überweisung ✓ 2026", scan="auto", finish="commit")
    row = site.wait(job, "committed")
    with (site.nas / row["inbox_path"]).open("rb") as file:
        reader = pypdf.PdfReader(file)
        assert reader.metadata is not None
        assert reader.metadata.title == "Überweisung ✓ 2026"
        assert [entry.title for entry in reader.outline if not isinstance(entry, list)] == ["Batch 1"]
        for page in reader.pages:
            assert abs(float(page.mediabox.width) - 210 / 25.4 * 72) < 1.5
            assert abs(float(page.mediabox.height) - 297 / 25.4 * 72) < 1.5


def test_auto_and_commit_need_no_client(site: Site) -> None:
    """With scan = auto and finish = commit, the agent takes every step from queued to committed."""
    site.serving()
    job = site.submit(scan="auto", finish="commit")
    site.wait(job, "committed")
    assert [actor for _, _, actor in site.events(job)] == ["client"] + ["agent"] * 7


def test_one_job_at_a_time_in_the_order_of_creation(site: Site, scanner: Simulator) -> None:
    """The second job is claimed only when the first one is committed."""
    first = site.submit("first", finish="commit")
    second = site.submit("second", finish="commit")
    site.serving()
    site.wait(first, "ready")
    assert site.job(second)["status"] == "queued"
    site.scan(first)
    site.wait(first, "committed")
    site.wait(second, "ready")
    scanner.reload()
    site.scan(second)
    site.wait(second, "committed")
    assert [path.name for path in site.inbox()] == ["first.pdf", "second.pdf"]


def test_a_reopened_job_is_merged_anew_with_what_was_discarded_left_out(
    site: Site, scanner: Simulator
) -> None:
    """A job that goes back from preview to ready gets another batch, and one that is discarded is left out."""
    site.serving()
    job = site.submit(finish="preview")
    site.wait(job, "ready")
    site.scan(job)
    first = site.wait(job, "preview")
    site.step(job, "ready")
    until(lambda: site.job(job)["nas_staging_path"] is None, "the staged file is forgotten")
    assert not (site.nas / first["nas_staging_path"]).exists()
    scanner.reload()
    row = site.scan(job)
    assert row["status"] == "ready"
    site.sql("UPDATE scan_job_batches SET status = 'discarded' WHERE job_id = %s AND batch_seq = 1", job)
    assert site.job(job)["batch_count"] == 1
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(7, 13))


def test_a_canceled_job_keeps_its_pages_and_can_go_on(site: Site, scanner: Simulator) -> None:
    """A canceled job that is queued again keeps its batches and goes on from there."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    site.scan(job)
    site.step(job, "canceled")
    site.step(job, "queued")
    site.wait(job, "ready")
    scanner.reload()
    site.scan(job)
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert numbers(site.nas / row["inbox_path"]) == list(range(1, 13))


def test_the_same_pages_merge_to_the_same_bytes(site: Site) -> None:
    """A job that is reopened and finished again has the same hash, and is committed as one file."""
    site.serving()
    job = site.submit(scan="auto", finish="preview")
    row = site.wait(job, "preview")
    first = sha256(site.nas / row["nas_staging_path"])
    site.step(job, "ready")
    site.wait(job, "ready")
    until(lambda: site.job(job)["nas_staging_path"] is None, "unstaged")
    site.step(job, "assembling")
    row = site.wait(job, "preview")
    assert sha256(site.nas / row["nas_staging_path"]) == first
    site.step(job, "committing")
    row = site.wait(job, "committed")
    assert row["file_hash"] == first
    assert len(site.inbox()) == 1


def test_titles_become_safe_names_and_stay_whole(site: Site, scanner: Simulator) -> None:
    """Titles with slashes, dots, control characters, any script or 300 characters become safe file names."""
    site.serving()
    for title in ["../../etc/passwd", ".hidden\x07 bell", "長" * 300, "CON", "a/b\\c: <d>|?*"]:
        job = site.submit(title, scan="auto", finish="commit")
        row = site.wait(job, "committed")
        scanner.reload()
        document = site.nas / row["inbox_path"]
        assert document.parent == site.nas / "Inbox"
        assert document.is_file()
        assert len(document.name.encode()) <= 255
        assert row["title"] == title
    assert len(site.inbox()) == 5


def test_two_documents_of_one_title_are_two_files(site: Site, scanner: Simulator) -> None:
    """The second document with the same title gets "(2)" in its name."""
    site.serving()
    for _ in range(2):
        job = site.submit("Letter", scan="auto", finish="commit")
        site.wait(job, "committed")
        scanner.reload()
    assert [path.name for path in site.inbox()] == ["Letter (2).pdf", "Letter.pdf"]


def test_the_status_row_and_progress_move(site: Site) -> None:
    """Heartbeat, current job and last_progress_at are updated."""
    site.serving()
    job = site.submit()
    site.wait(job, "ready")
    until(
        lambda: site.sql("SELECT current_job_id FROM scan_agent_status")[0]["current_job_id"] == job,
        "the heartbeat names the job",
    )
    before = site.job(job)["last_progress_at"]
    row = site.scan(job)
    assert row["last_progress_at"] > before
    (health,) = site.sql("SELECT * FROM scan_agent_health")
    assert health["alive"]
    assert health["ready"]
    assert health["epoch"] == 1


def test_a_renamed_job_is_committed_under_its_new_title(site: Site) -> None:
    """In ready, and in preview, where it is merged again: the document has the title in it, too."""
    site.serving()
    job = site.submit("Invoces")
    site.wait(job, "ready")
    site.scan(job)
    site.scand("rename", str(job), "Invoices 2026")
    site.scand("finish", str(job))
    row = site.wait(job, "preview")
    with pikepdf.open(site.nas / row["nas_staging_path"]) as document:
        assert str(document.docinfo["/Title"]) == "Invoices 2026"
    site.scand("rename", str(job), "Invoices, all")
    site.wait(job, "preview")
    site.scand("commit", str(job))
    assert site.wait(job, "committed")["inbox_path"] == "Inbox/Invoices, all.pdf"
    assert [path.name for path in site.inbox()] == ["Invoices, all.pdf"]
