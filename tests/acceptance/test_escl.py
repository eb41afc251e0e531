"""A network MFP that speaks eSCL, through Debian's sane-airscan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import pikepdf
import pytest

from scand.simulator.marks import read_side_number
from tests.support.escl.mfp import Mfp
from tests.support.site import Site, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)


class MakeSite(Protocol):
    """Starts an MFP, and makes a site for it."""

    def __call__(self, *arguments: str) -> tuple[Site, Mfp]:
        """Make both, with arguments of `python -m tests.support.escl`."""


@pytest.fixture
def make_site(tmp_path: Path, migrated_url: str) -> Iterator[MakeSite]:
    """A function that makes a site with an MFP; both end with the test."""
    made: list[tuple[Site, Mfp]] = []

    def make(*arguments: str) -> tuple[Site, Mfp]:
        mfp = Mfp(tmp_path / "mfp", *arguments)
        made.append((Site(tmp_path, migrated_url, mfp.config, device="airscan:*"), mfp))
        return made[-1]

    yield make
    for site, mfp in made:
        site.close()
        mfp.switch_off()


def scan(site: Site, job: int) -> dict[str, object]:
    """Scan one batch as soon as the job has the scanner."""
    site.wait(job, "ready")
    return site.scan(job)


def finish(site: Site, job: int) -> Path:
    """Assemble and commit the kept batches, and return the document."""
    site.step(job, "assembling")
    site.wait(job, "preview")
    site.step(job, "committing")
    return site.nas / str(site.wait(job, "committed")["inbox_path"])


def upright(page: pikepdf.Page) -> Image.Image:
    """The image of a page as a viewer shows it."""
    (image,) = page.get_images().values()
    return pikepdf.PdfImage(image).as_pil_image().rotate(-int(page.obj.get("/Rotate", 0)))  # type: ignore[arg-type]


def test_an_mfp_scans_a_duplex_stack(make_site: MakeSite) -> None:
    """The MFP is listed, settings become its options, and all sides arrive in order, at their true size."""
    site, mfp = make_site("--count", "3", "--justified", "Center")
    (listed,) = json.loads(site.scand("devices", "--json").stdout)
    assert listed["name"] == "airscan:e0:Loopback MFP"
    options = ("--set", "mode=color", "--set", "resolution=150")
    probed = json.loads(site.scand("probe", *options, "--json").stdout)
    assert [name for name, _, _ in probed["assignments"]] == ["source", "resolution", "tl-x", "br-x", "br-y"]
    assert (probed["source"], probed["sides"], probed["mode"]) == ("ADF Duplex", "duplex", "Color")
    assert (probed["resolution"], probed["page_size_mm"]) == (150, [210.0, 297.0])
    glass = json.loads(
        site.scand("probe", "--set", "source=flatbed", "--set", "sides=simplex", "--json").stdout
    )
    assert "tl-x" not in [name for name, _, _ in glass["assignments"]]
    assert mfp.fed() == []
    site.serving()
    job = site.submit(mode="color", resolution=150, scan="auto", finish="commit")
    document = site.nas / site.wait(job, "committed")["inbox_path"]
    assert numbers(document) == mfp.fed() == [1, 2, 3, 4, 5, 6]
    with pikepdf.open(document) as pdf:
        for page in pdf.pages:
            assert [float(edge) for edge in page.mediabox] == pytest.approx([0, 0, *A4], abs=0.5)
            (image,) = page.get_images().values()
            assert pikepdf.PdfImage(image).mode == "RGB"  # type: ignore[arg-type]


def test_an_empty_feeder_then_paper(make_site: MakeSite) -> None:
    """feeder_empty makes no batch; with paper, a simplex job gets one side of each sheet."""
    site, mfp = make_site("--count", "2", "--empty")
    site.serving()
    job = site.submit(sides="simplex")
    row = scan(site, job)
    assert (row["status"], row["error_code"]) == ("ready", "feeder_empty")
    assert site.batches(job) == []
    mfp.reload()
    scan(site, job)
    assert numbers(finish(site, job)) == [1, 3]


def test_an_mfp_that_says_empty_too_soon_is_asked_again(make_site: MakeSite) -> None:
    """A batch is complete only when the MFP has said twice that its feeder is empty."""
    site, mfp = make_site("--count", "3", "--slow", "3")
    site.serving()
    job = site.submit(scan="auto", finish="commit")
    document = site.nas / site.wait(job, "committed")["inbox_path"]
    assert numbers(document) == mfp.fed() == [1, 2, 3, 4, 5, 6]


def test_a_jam_names_the_sheet(make_site: MakeSite) -> None:
    """After a jam, what was scanned before is safe, and the rest is scanned once the paper is back."""
    site, mfp = make_site("--count", "3", "--jam", "2")
    site.serving()
    job = site.submit(on_jam="keep")
    row = scan(site, job)
    assert (row["status"], row["error_code"]) == ("ready", "feeder_jammed")
    assert "sheet 2 jammed" in str(row["error"])
    assert "1 sheet (2 pages) is kept" in str(row["error"])
    row = scan(site, job)
    assert (row["error_code"], len(site.batches(job))) == ("feeder_jammed", 1)
    mfp.reload()
    row = scan(site, job)
    assert row["error_code"] is None
    assert numbers(finish(site, job)) == [1, 2, 3, 4, 5, 6]


def test_an_mfp_that_is_gone_in_mid_page(make_site: MakeSite) -> None:
    """Half a JPEG is not a page: the complete pages are safe, and the job goes on when the MFP is back."""
    site, mfp = make_site("--count", "3", "--gone-at", "5")
    site.serving()
    job = site.submit(on_jam="keep")
    row = scan(site, job)
    assert (row["status"], row["error_code"]) == ("ready", "device_error")
    assert "2 sheets (4 pages) are kept: feed again from sheet 3" in str(row["error"])
    row = scan(site, job)
    assert (row["status"], row["error_code"]) == ("ready", "device_error")
    assert len(site.batches(job)) == 1
    mfp.switch_off()
    mfp.switch_on("--first", "3", "--count", "1")
    row = scan(site, job)
    assert row["error_code"] is None
    assert numbers(finish(site, job)) == [1, 2, 3, 4, 5, 6]


def test_back_sides_that_come_upside_down(make_site: MakeSite) -> None:
    """rotate_back = 180 turns the backs of MFPs that scan them upside down."""
    site, _ = make_site("--count", "2", "--turned-backs", "--justified", "Right")
    site.serving()
    job = site.submit(rotate_back=180, scan="auto", finish="commit")
    document = site.nas / site.wait(job, "committed")["inbox_path"]
    with pikepdf.open(document) as pdf:
        assert [page.obj.get("/Rotate", 0) for page in pdf.pages] == [0, 180, 0, 180]
        assert [read_side_number(upright(page), 75) for page in pdf.pages] == [1, 2, 3, 4]


def test_the_page_limit_leaves_nothing_in_the_driver(make_site: MakeSite) -> None:
    """airscan reads ahead and ignores a cancel between pages; even so, the next batch has the next sheets only."""
    site, mfp = make_site("--count", "3")
    site.serving()
    job = site.submit(max_pages=2)
    row = scan(site, job)
    assert row["error_code"] == "page_limit"
    mfp.switch_off()
    mfp.switch_on("--first", "11", "--count", "1")
    scan(site, job)
    assert numbers(finish(site, job)) == [1, 2, 21, 22]
