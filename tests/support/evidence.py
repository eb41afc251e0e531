"""Reads what `checker` compares: rows, spool, Inbox, and the numbers of the sides in PDFs."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
from PIL import Image
from psycopg.rows import dict_row

from scand.simulator.marks import read_side_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Captured:
    """A page that has a line in pages.jsonl.

    Attributes:
        job: the name of the job's directory.
        batch: the name of the batch's directory.
        file: the name of the page's file.
        sha256: of its content, as the line says.
    """

    job: str
    batch: str
    file: str
    sha256: str

    def __str__(self) -> str:
        return f"job {self.job}, {self.batch}, {self.file}"


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database says at one instant.

    Attributes:
        jobs: rows of scan_jobs by id.
        batches: rows of scan_job_batches by job and number.
        pages: rows of scan_job_pages by job, batch and number, without their pictures.
        events: rows of scan_job_events by id.
        steps: the legal ones, (from, to).
        heartbeat: its age in seconds.
    """

    jobs: list[Row]
    batches: list[Row]
    pages: list[Row]
    events: list[Row]
    steps: set[tuple[str | None, str]]
    heartbeat: float | None


def rows(connection: psycopg.Connection[Any]) -> Rows:
    """Read the database in one statement, so that everything is of the same instant."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_ALL_ROWS).fetchone()
    assert row
    steps = {(step["from_status"], step["to_status"]) for step in row["steps"]}
    jobs, batches, pages, events = (row[name] or [] for name in ("jobs", "batches", "pages", "events"))
    return Rows(jobs, batches, pages, events, steps, row["heartbeat"])


_ALL_ROWS = b"""
SELECT (SELECT jsonb_agg(to_jsonb(j) ORDER BY id) FROM scan_jobs j) AS jobs,
       (SELECT jsonb_agg(to_jsonb(b) ORDER BY job_id, batch_seq) FROM scan_job_batches b) AS batches,
       (SELECT jsonb_agg(to_jsonb(p) - 'picture' ORDER BY job_id, batch_seq, page) FROM scan_job_pages p) AS pages,
       (SELECT jsonb_agg(to_jsonb(e) ORDER BY id) FROM scan_job_events e) AS events,
       (SELECT jsonb_agg(to_jsonb(t)) FROM scan_job_transitions t) AS steps,
       (SELECT extract(epoch FROM now() - last_heartbeat)::float8 FROM scan_agent_status) AS heartbeat
"""


def captured(staging: Path) -> Iterator[Captured]:
    """Every page that is captured according to local staging, also in directories that were put aside."""
    for lines in _files(staging / "jobs"):
        if lines.name != "pages.jsonl":
            continue
        with suppress(FileNotFoundError):
            *whole, _torn = lines.read_bytes().split(b"\n")
            for line in whole:
                page = json.loads(line)
                yield Captured(lines.parent.parent.name, lines.parent.name, page["file"], page["sha256"])


def published(root: Path) -> dict[str, str]:
    """Path relative to the root → SHA-256, of every file that is not hidden."""
    names = {path: path.relative_to(root) for path in _files(root)}
    return {
        str(name): sha256(path)
        for path, name in names.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def sha256(path: Path) -> str:
    """The SHA-256 of a file; empty if it does not exist (any more)."""
    try:
        return _sha256(path, _version(path))
    except FileNotFoundError:
        return ""


def sides(pdf: Path) -> tuple[int | None, ...]:
    """The number of the side on each page of a PDF, None on a page without one; empty if it does not exist."""
    try:
        return _sides(pdf, _version(pdf))
    except FileNotFoundError:
        return ()


def spooled(batch: Path, pages: int) -> tuple[int | None, ...]:
    """The number of the side on each of the first pages of a batch on local disk, which has no PDF."""
    lines = (batch / "pages.jsonl").read_text().splitlines()[:pages]
    found: list[int | None] = []
    for page in map(json.loads, lines):
        with Image.open(batch / page["file"]) as image:
            found.append(read_side_number(image, page["dpi"]))
    return tuple(found)


def _files(root: Path) -> list[Path]:
    """All files below a directory, in order; one that moves meanwhile may be missing."""
    return sorted(Path(directory, name) for directory, _, names in os.walk(root) for name in names)


def _version(path: Path) -> tuple[int, ...]:
    """A key that changes with the file's content, so that an unchanged file is read only once."""
    state = path.stat()
    return state.st_dev, state.st_ino, state.st_size, state.st_ctime_ns


@cache
def _sha256(path: Path, _of: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _sides(pdf: Path, _of: tuple[int, ...]) -> tuple[int | None, ...]:
    try:
        with pikepdf.open(pdf) as document:
            return tuple(_side(page) for page in document.pages)
    except pikepdf.PdfError:
        return ()


def _side(page: pikepdf.Page) -> int | None:
    try:
        (picture,) = page.get_images().values()
        image = pikepdf.PdfImage(picture).as_pil_image()  # type: ignore[arg-type]
        return read_side_number(image, image.width / (float(page.mediabox[2]) / 72))
    except ValueError:
        return None
