"""Sides that are reordered, left out or turned: manual duplex, blank pages, and settings that a scanner needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pikepdf

from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator
    from tests.support.site import Simulator


def staged(site: Site, job: int) -> Path:
    """The merge of a job in preview."""
    return site.nas / str(site.wait(job, "preview")["nas_staging_path"])


def test_fronts_and_backs_are_fed_one_after_the_other(site: Site, scanner: Simulator) -> None:
    """In manual duplex a stack and then its backs are fed, and the document has them sheet by sheet."""
    site.serving()
    job = site.submit(sides="manual-duplex", scan="auto", finish="preview", rotate_back=180)
    until(lambda: site.job(job)["batch_count"] == 1, "the fronts are scanned")
    site.wait(job, "ready")
    scanner.reload()
    assert site.scan(job)["error"] is None
    document = staged(site, job)
    fronts, backs = scanner.fed()[:3], scanner.fed()[3:]
    assert len(fronts) == len(backs) == 3
    with pikepdf.open(document) as pdf:
        assert [int(page.get("/Rotate", 0)) for page in pdf.pages] == [0, 180] * 3
    upright = site.directory / "upright.pdf"
    with pikepdf.open(document) as pdf:
        for page in pdf.pages:
            page.Rotate = 0
        pdf.save(upright)
    turned = [number for pair in zip(fronts, reversed(backs), strict=True) for number in pair]
    assert numbers(upright) == turned


def test_halves_that_do_not_match_say_both_counts(site: Site, scanner: Simulator) -> None:
    """Fronts and backs that differ in number are not merged, and a right second half is accepted."""
    site.serving()
    job = site.submit(sides="manual-duplex", scan="auto")
    until(lambda: site.job(job)["batch_count"] == 1, "the fronts are scanned")
    site.wait(job, "ready")
    site.step(job, "assembling")
    row = site.wait(job, "ready")
    until(lambda: site.job(job)["error_code"] == "sides_mismatch", "no backs")
    assert "3 fronts, and there are 0 backs" in site.job(job)["error"]
    scanner.command("2")
    site.scan(job)
    site.step(job, "assembling")
    until(lambda: "2 backs" in (site.job(job)["error"] or ""), "two backs only")
    row = site.job(job)
    assert (row["status"], row["error_code"], row["page_count"]) == ("ready", "sides_mismatch", None)
    site.scand("discard", str(job), "2")
    scanner.command("3")
    site.scan(job)
    site.step(job, "assembling")
    fed = scanner.fed()
    assert numbers(staged(site, job)) == [fed[0], fed[7], fed[1], fed[6], fed[2], fed[5]]


def test_blank_backs_are_dropped_and_counted(
    simulate: MakeSimulator, tmp_path: Path, migrated_url: str
) -> None:
    """Blank backs are left out of the document and counted, and spool and pages.jsonl keep them."""
    scanner = simulate("--count", "3", "--blank-backs")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        site.serving()
        kept = site.submit(scan="auto", finish="commit")
        assert site.wait(kept, "committed")["page_count"] == 6
        scanner.reload()
        job = site.submit(scan="auto", finish="preview", blank_pages="drop", mode="color", resolution=150)
        assert len(numbers(staged(site, job))) == 3
        (batch,) = site.batches(job)
        assert (batch["page_count"], batch["blank_count"]) == (6, 3), "its PDF has every side"
        spool = site.staging / "jobs" / str(job) / "batch-0001"
        lines = [json.loads(line) for line in (spool / "pages.jsonl").read_text().splitlines()]
        assert [line["blank"] for line in lines] == [False, True] * 3
        assert all((spool / line["file"]).exists() for line in lines)
        shown = json.loads(site.scand("show", str(job), "--json").stdout)
        assert shown["batches"][0]["blank_count"] == 3
        assert "blank" in site.scand("show", str(job)).stdout
    finally:
        site.close()


def test_settings_of_the_scanner_section_are_used(site: Site, scanner: Simulator) -> None:
    """source_name, offset and pause of [scanner] are used."""
    site.configure("")
    config = site.config.read_text().replace(
        "[scanner]", '[scanner]\nsource_name = "ADF Back"\noffset = [5, 10]\npause = 0.2\n'
    )
    site.config.write_text(config)
    probed = json.loads(site.scand("probe", "--set", "sides=simplex", "--json").stdout)
    pinned = {name: value for name, value, _ in probed["assignments"]}
    assert (pinned["tl-x"], pinned["tl-y"], pinned["page-width"]) == (5, 10, 215)
    assert probed["page_size_mm"] == [210.0, 297.0]
    site.serving()
    job = site.submit(scan="auto", finish="preview", source_name="ADF Duplex", page_size="100x150mm")
    assert page_count(site, job) == 6
    assert [row["duplex"] for row in begun(site, job)] == [True]
    scanner.reload()


def page_count(site: Site, job: int) -> int:
    """The number of pages in the merge."""
    with pikepdf.open(staged(site, job)) as pdf:
        return len(pdf.pages)


def begun(site: Site, job: int) -> list[dict[str, object]]:
    """The begin.json of each batch."""
    spool = site.staging / "jobs" / str(job)
    return [json.loads(path.read_text()) for path in sorted(spool.glob("batch-*/begin.json"))]
