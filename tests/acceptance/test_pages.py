"""Pages can be seen while they are scanned: their rows, and a small picture of each."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from PIL import Image

from scand.simulator.marks import read_side_number
from tests.support.site import Site, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator


def pages(site: Site, job: int) -> list[dict[str, Any]]:
    """The job's rows of scan_job_pages, in order."""
    return site.sql("SELECT * FROM scan_job_pages WHERE job_id = %s ORDER BY batch_seq, page", job)


def shown(row: dict[str, Any]) -> int:
    """The number of the side that a page's picture shows; the picture of A4 has 400 pixels."""
    with Image.open(io.BytesIO(row["picture"])) as picture:
        assert max(picture.size) == 400
        back = row["side"] == "back"  # the simulator does not turn it, so that rotate_back turns it over
        upright = picture.transpose(Image.Transpose.ROTATE_180) if back else picture
        return read_side_number(upright, picture.height / 11.69)


def lines(batch: Path) -> list[dict[str, Any]]:
    """What pages.jsonl says."""
    return [json.loads(line) for line in (batch / "pages.jsonl").read_text().splitlines()]


def test_rows_and_pictures_come_while_the_batch_runs(
    tmp_path: Path, migrated_url: str, simulate: MakeSimulator
) -> None:
    """They are there before the batch is, complete when it is recorded, and go with the job's files."""
    scanner = simulate("--count", "8", "--ppm", "240")
    site = Site(tmp_path, migrated_url, scanner.config)
    try:
        site.serving()
        job = site.submit(scan="auto", rotate_back=180)
        until(lambda: len(pages(site, job)) >= 4, "some rows")
        early = pages(site, job)
        assert site.job(job)["status"] == "scanning"
        assert site.batches(job) == []
        assert [shown(row) for row in early] == [row["page"] for row in early]
        until(lambda: site.batches(job), "the batch")
        rows, captured = pages(site, job), lines(site.spool(job) / "batch-0001")
        assert [shown(row) for row in rows] == list(range(1, 17)) == scanner.fed()
        assert [(row["sheet"], row["side"], row["sha256"]) for row in rows] == [
            (line["sheet"], line["side"], line["sha256"]) for line in captured
        ]
        assert {(round(row["width_mm"]), round(row["height_mm"])) for row in rows} == {(210, 297)}
        assert max(len(row["picture"]) for row in rows) < 25_000
    finally:
        site.close()


def test_without_pictures(site: Site) -> None:
    """Size 0: the rows come, no picture is made, and nothing else is different."""
    site.configure("[pictures]\nsize = 0")
    site.serving()
    job = site.submit(scan="auto")
    until(lambda: site.batches(job), "the batch")
    assert [row["picture"] for row in pages(site, job)] == [None] * 6
    assert list(site.spool(job).glob("*/picture-*")) == []
