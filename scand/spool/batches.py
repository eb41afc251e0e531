"""A batch on local disk: its pages, its records, and how they get there.

Names are given only to what is complete and fsynced. Source: docs/design.md "On disk".
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from scand import durable
from scand.spool.records import Begin, Bound, End, Page, SpooledBatch, SpooledPage
from scand.spool.sheets import bindable, left_out

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel


BEGIN, END, PAGES, BOUND = "begin.json", "end.json", "pages.jsonl", "bound.json"
_PDF = "batch.pdf"
_END_OF_JPEG = b"\xff\xd9"  # ITU-T T.81, table B.1


class BatchDirectory:
    """One batch on disk. Only one process at a time writes to it: the feeder and, after its end, the daemon.

    Attributes:
        path: of the directory, which may not exist yet.
        pdf: path of the batch's PDF, which may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pdf = path / _PDF

    @property
    def seq(self) -> int:
        """The batch's number, from the directory's name."""
        return int(self.path.name.removeprefix("batch-"))

    @property
    def job_id(self) -> int:
        """`scan_jobs.id` of its job, from the directory's name."""
        return int(self.path.parent.name)

    def begin(self, begin: Begin) -> None:
        """Make the directory and record durably that paper is about to move.

        Raises:
            OSError: the disk is full or broken.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        durable.sync_directory(self.path.parent)
        durable.sync_directory(self.path.parent.parent)  # its maker may have been killed before this
        write_record(self.path / BEGIN, begin)

    def add(self, page: Page, data: bytes) -> None:
        """Capture a page: first the file, fsynced under its final name; then its line, fsynced.

        Args:
            page: the line.
            data: the content of the file.

        Raises:
            OSError: the disk is full or broken; the page is not captured.
        """
        durable.write_atomic(self.path / page.file, data)
        durable.append_line(self.path / PAGES, page.model_dump_json())

    def finish(self, end: End) -> None:
        """Record durably how the batch ended.

        Raises:
            OSError: the disk is full or broken.
        """
        write_record(self.path / END, end)

    def begun(self) -> Begin | None:
        """begin.json; None when no paper was asked for."""
        try:
            return Begin.model_validate_json((self.path / BEGIN).read_bytes())
        except FileNotFoundError:
            return None

    def ended(self) -> End | None:
        """end.json; None while the batch runs, or when the process that ran it was killed."""
        try:
            return End.model_validate_json((self.path / END).read_bytes())
        except FileNotFoundError:
            return None

    def pages(self, after: int = 0, upto: int | None = None) -> list[Page]:
        """The captured pages in feeding order. An incomplete last line (a kill during its write) is no page.

        Args:
            after, upto: only those from number `after` + 1 to number `upto`.
        """
        try:
            *lines, _incomplete = (self.path / PAGES).read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [Page.model_validate_json(line) for line in lines[after:upto]]

    def picture(self, number: int) -> Path:
        """Where the small picture of a page is, if there is one."""
        return self.path / f"picture-{number:04d}.jpg"

    def spooled(self, number: int, page: Page) -> SpooledPage:
        """A page with its picture; one that cannot be read, or that a power cut has left incomplete, is none."""
        picture, age = None, 0.0
        with suppress(OSError):
            age = max(0.0, time.time() - (self.path / page.file).stat().st_mtime)
        with suppress(OSError):
            picture = self.picture(number).read_bytes()
        if picture is not None and not picture.endswith(_END_OF_JPEG):
            picture = None
        return SpooledPage(self.seq, number, page, age, picture)

    def bind(self, bound: Bound) -> None:
        """Record durably which pages the batch's PDF holds, once it is there.

        Raises:
            OSError: the disk is full or broken.
        """
        write_record(self.path / BOUND, bound)

    def bound(self) -> Bound | None:
        """bound.json; None where the PDF is not made yet, or was made by scand 0.1, which left blank sides out."""
        try:
            return Bound.model_validate_json((self.path / BOUND).read_bytes())
        except FileNotFoundError:
            return None

    def read(self) -> SpooledBatch | None:
        """All that the disk says of the batch; None when no paper was ever asked for.

        Raises:
            OSError: it cannot be read.
            pydantic.ValidationError: a file is damaged.
        """
        begin = self.begun()
        if begin is None:
            return None
        end, pages = self.ended(), self.pages()
        in_pdf = bindable(pages, begin, complete=end is not None and end.complete)
        return SpooledBatch(
            seq=self.seq,
            duplex=begin.duplex,
            keep_on_fault=begin.keep_on_fault,
            halves=begin.halves,
            end=end,
            captured=len(pages),
            bindable=len(in_pdf),
            blank=left_out(in_pdf, begin),
            sheets=len(pages) // 2 if begin.duplex else len(pages),
        )

    def free(self) -> int:
        """Free space on the disk that holds the batch, bytes."""
        return shutil.disk_usage(self.path).free

    def drop(self) -> None:
        """Remove a batch that captured nothing, so that its number is free again.

        The directory is renamed first. If it has a page file without its line (a kill between the two writes), it
        stays under the new name, out of the way.
        """
        aside = self.path.with_name(f"dropped-{self.seq:04d}-{time.time_ns()}")
        self.path.rename(aside)
        durable.sync_directory(aside.parent)
        if not any(aside.glob("page-*")):
            shutil.rmtree(aside)


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record, whole or not at all.

    Raises:
        OSError: the disk is full or broken.
    """
    durable.write_atomic(path, record.model_dump_json(indent=1).encode() + b"\n")
