"""What is inside the PDFs: exactly the pages of the spool, each in the filter for its kind, at their true size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from PIL import Image, ImageChops

from tests.support.site import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.site import Simulator, Site

G4, JPEG, FLATE = "/CCITTFaxDecode", "/DCTDecode", "/FlateDecode"
KINDS: list[tuple[dict[str, Any], str, tuple[float, float]]] = [
    ({"mode": "lineart", "resolution": 150, "page_size": "a4"}, G4, (210.0, 297.0)),
    ({"mode": "gray", "resolution": 75, "page_size": "letter"}, JPEG, (215.9, 279.4)),
    ({"mode": "color", "resolution": 150, "page_size": "100x250mm"}, JPEG, (100.0, 250.0)),
    ({"mode": "color", "resolution": 75, "page_size": "a4", "format": "lossless"}, FLATE, (210.0, 297.0)),
]
"""Settings, the filter of their pages in the PDF (ISO 32000-1, 7.4), and the page size in mm."""


def spooled(site: Site, job: int, batch: int = 1) -> list[Path]:
    """The page files of a batch, in order."""
    directory = site.staging / "jobs" / str(job) / f"batch-{batch:04d}"
    lines = (directory / "pages.jsonl").read_text().splitlines()
    return [directory / json.loads(line)["file"] for line in lines]


def documents(site: Site, job: int) -> list[Path]:
    """Commit a job in preview, and return its PDFs: each batch, the merge, the staged file, the document."""
    row = site.job(job)
    staged = site.directory / f"staged-{job}.pdf"
    staged.write_bytes((site.nas / row["nas_staging_path"]).read_bytes())  # the commit moves it away
    site.step(job, "committing")
    row = site.wait(job, "committed")
    root = site.staging / "jobs" / str(job)
    return [
        *sorted(root.glob("batch-*/batch.pdf")),
        root / "merged.pdf",
        staged,
        site.nas / row["inbox_path"],
    ]


def faultless(pdf: Path) -> bool:
    """Whether `qpdf --check` accepts the structure of the file, and can decode every stream."""
    job = pikepdf.Job(["qpdf", "--check", str(pdf)])
    job.run()
    return job.exit_code == 0 and not job.has_warnings


def is_spooled(page: pikepdf.Page, file: Path, filter_: str) -> bool:
    """Whether a page is this file, in this filter: a JPEG byte for byte, others pixel for pixel."""
    (stream,) = page.get_images().values()
    image = pikepdf.PdfImage(stream)  # type: ignore[arg-type]
    assert image.filters == [filter_]
    if filter_ == JPEG:
        return image.obj.read_raw_bytes() == file.read_bytes()
    assert filter_ != G4 or image.decode_parms[0]["/K"] == -1  # Group 4 (7.4.6)
    with Image.open(file) as original:
        shown = image.as_pil_image().convert("RGB")
        return ImageChops.difference(shown, original.convert("RGB")).getbbox() is None


def assert_pages(pdf: Path, files: Sequence[Path], filter_: str) -> None:
    """Check that each page of the PDF is the file at its place."""
    with pikepdf.open(pdf) as opened:
        for page, file in zip(opened.pages, files, strict=True):
            assert is_spooled(page, file, filter_), f"{pdf.name} {file.name}"


def test_every_kind_goes_in_as_it_is(site: Site, scanner: Simulator) -> None:
    """Batch, merge and document have the spool's own pages in G4, JPEG or Flate, and qpdf finds no fault."""
    site.serving()
    for settings, filter_, (width, height) in KINDS:
        job = site.submit("A kind", scan="auto", finish="preview", **settings)
        site.wait(job, "preview")
        files = spooled(site, job)
        assert len(files) == 6
        pdfs = documents(site, job)
        assert len(pdfs) == 4
        for pdf in pdfs:
            assert faultless(pdf)
            assert_pages(pdf, files, filter_)
        with pikepdf.open(pdfs[-1]) as document:
            for page in document.pages:
                pixel = 72 / settings["resolution"]
                assert [float(edge) for edge in page.mediabox] == pytest.approx(
                    [0, 0, width / 25.4 * 72, height / 25.4 * 72], abs=pixel
                )
                assert list(page.cropbox) == list(page.mediabox)
                assert "/Rotate" not in page.obj
        scanner.reload()


def test_a_merge_of_mixed_kinds_with_backs_turned(site: Site, scanner: Simulator) -> None:
    """A document may mix G4, JPEG and Flate, and /Rotate on its backs re-encodes nothing."""
    site.serving()
    job = site.submit("Mixed")
    kinds = [("lineart", "auto", G4), ("gray", "auto", JPEG), ("color", "lossless", FLATE)]
    for mode, format_, _ in kinds:
        site.wait(job, "ready")
        settings = json.dumps({"mode": mode, "format": format_, "rotate_back": 180})
        site.sql("UPDATE scan_jobs SET settings = %s WHERE id = %s", settings, job)
        site.scan(job)
        scanner.reload()
    site.step(job, "assembling")
    site.wait(job, "preview")
    pdfs = documents(site, job)
    assert len(pdfs) == 6
    assert all(faultless(pdf) for pdf in pdfs)
    assert numbers(pdfs[-1]) == list(range(1, 19))
    for batch, (_, _, filter_) in enumerate(kinds, 1):
        assert_pages(pdfs[batch - 1], spooled(site, job, batch), filter_)
    with pikepdf.open(pdfs[-1]) as document:
        pages = list(document.pages)
        assert [page.obj.get("/Rotate", 0) for page in pages] == [0, 180] * 9
        for batch, (_, _, filter_) in enumerate(kinds, 1):
            for page, file in zip(pages[6 * batch - 6 : 6 * batch], spooled(site, job, batch), strict=True):
                assert is_spooled(page, file, filter_)
