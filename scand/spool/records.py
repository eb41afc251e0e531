"""What a sheet of paper becomes on its way through the spool: page, batch, document.

`Page`, `Begin`, `End` and `JobRecord` are the contents of `pages.jsonl`, `begin.json`, `end.json` and `job.json`.
Source: docs/design.md "On disk".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from scand.faults import ErrorCode


class Side(StrEnum):
    """The side of a sheet that a page shows."""

    FRONT = "front"
    BACK = "back"


class SpoolRecord(BaseModel):
    """A line or a file of the spool. Immutable; fields that a later version of scand added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(SpoolRecord):
    """One captured side: its file is fsynced under its final name, and this is its line in pages.jsonl.

    Attributes:
        sheet: number of the sheet within the batch, from 1.
        side: front or back.
        file: name of the file in the batch's directory: `page-0001.jpg`.
        sha256: of the file, 64 hex digits.
        size: of the file, bytes.
        width: pixels.
        height: pixels.
        dpi: pixels per inch, as the driver really set it.
        blank: the side is blank, in a job that drops blank sides: it is left out of the merge, unless a client
            keeps it (see `leaves.plan`).
    """

    sheet: int
    side: Side
    file: str
    sha256: str
    size: int
    width: int
    height: int
    dpi: float
    blank: bool = False

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in mm, to a hundredth."""
        return round(25.4 * self.width / self.dpi, 2), round(25.4 * self.height / self.dpi, 2)


class Begin(SpoolRecord):
    """begin.json: written before the first page is asked for.

    Attributes:
        device: the SANE name of the device.
        duplex: the driver delivers front and back of each sheet in turn.
        applied: the options that were set, in order: (name, value asked for, value read back).
        rotate_back: degrees by which viewers turn back sides, 0 or 180.
        keep_on_fault: from `on_jam: "keep"`: a batch that ends in a fault counts as scanned.
        halves: from `sides: "manual-duplex"`: the batch is either the fronts of a stack, or its backs from the
            last sheet to the first. Which of the two is known only at the merge; in the batch's PDF no side is
            turned.
        drop_blank_sheets: from `blank_sheets: "drop"`.
    """

    device: str
    duplex: bool
    applied: tuple[tuple[str, object, object], ...] = ()
    rotate_back: int = 0
    keep_on_fault: bool = False
    halves: bool = False
    drop_blank_sheets: bool = False


class End(SpoolRecord):
    """end.json: written after the last page.

    Attributes:
        code: None when every side that was fed is captured; else the fault, or `page_limit`.
        detail: what the driver or the daemon says about it, for the log and the error sentence.
    """

    code: ErrorCode | None = None
    detail: str = ""

    @property
    def complete(self) -> bool:
        """Whether every sheet that was fed is captured: the feeder was empty, or the page limit was reached."""
        return self.code in {None, ErrorCode.PAGE_LIMIT}


class JobRecord(SpoolRecord):
    """job.json: whose pages these are, so that a restored or new database never takes another's pages for its own.

    Attributes:
        id: `scan_jobs.id`.
        created_at: `scan_jobs.created_at`, ISO 8601 in UTC.
        database: the id of the database (`scand_installation.id`, a UUID made by the first migration).
    """

    id: int
    created_at: str
    database: str


class PaperLeft(SpoolRecord):
    """paper.json: whose paper may be in the feeder.

    Attributes:
        job_id: `scan_jobs.id`; 0: unknown.
        batch_seq: number of the batch within the job.
    """

    job_id: int = 0
    batch_seq: int = 0


class BatchPdf(SpoolRecord):
    """The PDF that the courier made of one batch: `batch.pdf`.

    Attributes:
        path: absolute path on this host.
        pages: number of pages.
        sha256: of the file, 64 hex digits.
    """

    path: str
    pages: int
    sha256: str


class Bound(SpoolRecord):
    """bound.json: which pages the batch's PDF holds; written once the PDF is there.

    Where its hash is not that of the batch's row, the PDF is made anew before the next merge.

    Attributes:
        pages: their numbers, as fed, from 1.
        sha256: of the PDF, 64 hex digits.
    """

    pages: tuple[int, ...]
    sha256: str


class Document(SpoolRecord):
    """The merge of a job's kept batches: `merged.pdf`.

    Attributes:
        path: absolute path on this host.
        pages: number of pages, counted in the file after it was written.
        sha256: of the file, 64 hex digits; it identifies the document, and makes the commit idempotent.
        size: bytes.
    """

    path: str
    pages: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SpooledPage:
    """What the disk holds of one page.

    Attributes:
        batch_seq: number of its batch within the job.
        number: of the page within the batch, as fed, from 1: its line in pages.jsonl.
        page: that line.
        age: seconds since it was captured, by this host's clock; 0 when that is not known.
        picture: a small JPEG; None: there is none.
    """

    batch_seq: int
    number: int
    page: Page
    age: float
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """What the disk held of one batch when it was read; deciding works on this.

    Attributes:
        seq: the batch's number within the job.
        duplex: from begin.json.
        keep_on_fault: from begin.json.
        halves: from begin.json.
        end: end.json; None while the batch runs, or when the process that ran it was killed.
        captured: number of pages in pages.jsonl.
        bindable: how many of them belong in the batch's PDF (see `sheets.bindable`).
        blank: how many of those are blank, and so left out of the merge unless a client keeps them.
        sheets: number of whole sheets captured (with duplex: front and back).
    """

    seq: int
    duplex: bool
    keep_on_fault: bool
    halves: bool
    end: End | None
    captured: int
    bindable: int
    blank: int
    sheets: int
