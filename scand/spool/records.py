"""Page, Batch, Document: what a sheet of paper becomes on its way through the spool.

The models are what `pages.jsonl`, `begin.json`, `end.json` and `job.json` hold (DESIGN §2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from scand.faults import ErrorCode


class Side(StrEnum):
    """Which side of a sheet a page is."""

    FRONT = "front"
    BACK = "back"


class _Record(BaseModel):
    """A line or a file of the spool: immutable; fields that a later version added are ignored by an older."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(_Record):
    """One captured side: its file is fsynced under its final name, and this is its line in pages.jsonl.

    Attributes:
        sheet: 1-based within the batch.
        side: front, or back.
        file: file name within the batch directory, `page-0001.jpg`.
        sha256: of the file, 64 hex digits.
        size: of the file, bytes.
        width, height: pixels.
        dpi: what the driver really set, pixels per inch.
        blank: a blank side where such were asked to be dropped: kept in the spool, left out of the PDF (see
            `without_blanks`).
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


class Begin(_Record):
    """begin.json: written before the first page is asked for.

    Attributes:
        device: the SANE name that was opened.
        duplex: the driver delivers front and back of each sheet in turn.
        applied: what the driver made of the options, [name, value, read back] in the order applied.
        rotate_back: degrees to turn back sides by, 0 or 180.
        keep_on_fault: `on_jam: "keep"`: a batch that ends in a fault counts as scanned.
        halves: `sides: "manual-duplex"`: fronts, or backs from the last sheet to the first. Which is known only
            when it is merged; until then it holds every side, blank ones and upside-down ones too.
        drop_blank_sheets: `blank_sheets: "drop"`.
    """

    device: str
    duplex: bool
    applied: tuple[tuple[str, object, object], ...] = ()
    rotate_back: int = 0
    keep_on_fault: bool = False
    halves: bool = False
    drop_blank_sheets: bool = False


class End(_Record):
    """end.json: written after the last page.

    Attributes:
        code: None when every side that was fed is captured; else the fault, or `page_limit`.
        detail: the driver's or the daemon's own words, for the log and the error sentence.
    """

    code: ErrorCode | None = None
    detail: str = ""

    @property
    def complete(self) -> bool:
        """Whether no sheet is in doubt: the feeder was empty, or the page limit was reached between pages."""
        return self.code in {None, ErrorCode.PAGE_LIMIT}


class JobRecord(_Record):
    """job.json: whose pages these are, so that a restored or new database never adopts another's paper.

    Attributes:
        id: `scan_jobs.id`.
        created_at: `scan_jobs.created_at`, ISO 8601 in UTC.
        database: the database's own id (`scand_installation.id`, a UUID made by the first migration).
    """

    id: int
    created_at: str
    database: str


class BatchPdf(_Record):
    """What the courier made of one batch: `batch.pdf`.

    Attributes:
        path: absolute, on this host.
        pages: PDF pages.
        sha256: of the file.
    """

    path: str
    pages: int
    sha256: str


class Document(_Record):
    """The merge of a job's kept batches.

    Attributes:
        path: absolute, on this host.
        pages: PDF pages, as proved by reading the file back.
        sha256: of the file: identity and idempotency key of the commit.
        size: bytes.
    """

    path: str
    pages: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """What the disk holds of one batch, for deciding. A value: it does not follow the disk.

    Attributes:
        seq: the batch's number within the job.
        duplex: from begin.json.
        keep_on_fault, halves: from begin.json.
        end: None while it runs, or when whoever ran it was killed.
        captured: pages in pages.jsonl.
        bindable: how many of them belong into the batch's PDF (see `pages.bound`).
        blank: how many are left out as blank, there or (of halves) in the merge.
        sheets: whole sheets captured (with duplex: front and back).
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
