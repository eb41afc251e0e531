"""Pages → batch PDF → merged document, each proved whole before it has its name. The engines are in `pdf`."""

from __future__ import annotations

import errno
import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC
from itertools import accumulate
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Self

import pikepdf

from scand import durable
from scand.courier import pdf
from scand.errors import BadData, TryAgain
from scand.faults import ErrorCode
from scand.spool.disk import disk_errors
from scand.spool.records import BatchPdf, Document, Page, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from io import BufferedRandom
    from pathlib import Path

    from scand.spool.leaves import Run

    Progress = Callable[[int, int], None]

RUN = 16 << 20
"""Bytes of page files that are wrapped, in memory, at once."""

_RUNS = 200  # about so many at most: each is an open file until all are joined


@dataclass(frozen=True, slots=True)
class BatchSource:
    """A batch PDF that goes into the merge.

    Attributes:
        path: absolute.
        sha256: what the file must hash to; None for a batch recorded before hashes were kept.
        pages: how many it must have.
        label: its entry in the outline, "Batch 1".
    """

    path: Path
    sha256: str | None
    pages: int
    label: str


@disk_errors()
def bind(
    directory: Path,
    pages: Sequence[Page],
    target: Path,
    *,
    rotate_back: int = 0,
    run: int = RUN,
    progress: Progress,
) -> BatchPdf:
    """Make a batch's PDF of its page files: a page each, in the order given, at its true size.

    A MediaBox is pixels / dpi * 72 points (ISO 32000-1, 8.3.2.3). A file is read once: what was hashed is
    what goes in, as it is. The PDF appears whole, fsynced and counted, and replaces a former one.

    Args:
        directory: the batch's, which holds the page files.
        pages: at least one.
        target: absolute. For more than a run of pages, as much again is needed beside it while it is made.
        rotate_back: 180 has viewers turn back sides (/Rotate); their pixels stay as they are.
        run: bytes of page files that are in memory at once.
        progress: called with (pages wrapped, pages in all).

    Raises:
        BadData: `no_pages`; or `spool_damaged`, naming every page whose file is missing or not what it was.
        TryAgain: `verify_failed`: the PDF does not hold the pages that went in.
        ScandError: `staging_full`: the disk does not take the PDF.
    """
    if not pages:
        raise BadData("The batch has no pages.", ErrorCode.NO_PAGES)
    identity = _identity(rotate_back, *((page.sha256, page.dpi, page.side) for page in pages))

    def wrap(part: slice) -> pikepdf.Pdf:
        wrapped = pdf.wrapped([_PageFile(directory, page, pages) for page in pages[part]])
        for sheet_side, page in zip(wrapped.pages, pages[part], strict=True):
            if rotate_back and page.side is Side.BACK:
                sheet_side.Rotate = rotate_back
        progress(part.stop, len(pages))
        return wrapped

    with durable.whole_file(target) as file:
        with ExitStack() as opened:

            def saved(part: slice) -> str:
                room = opened.enter_context(TemporaryFile(dir=target.parent))
                pdf.save(wrap(part), room)
                return f"/proc/self/fd/{room.fileno()}"

            parts = list(runs(pages, run))
            batch = (
                wrap(parts[0]) if len(parts) == 1 else pdf.joined([(saved(part), "1-z") for part in parts])
            )
            behind = durable.WriteBehind(file.fileno())
            pdf.save(opened.enter_context(batch), file, identity, lambda _percent: behind.grown())
        sha256, _ = _proved(file, target, len(pages))
    return BatchPdf(path=str(target), pages=len(pages), sha256=sha256)


@disk_errors()
def merge(
    batches: Sequence[BatchSource],
    runs: Sequence[Run],
    target: Path,
    *,
    title: str,
    created: datetime,
    progress: Progress,
) -> Document:
    """Join pages of batch PDFs into the job's document, with title and outline. Same arguments, same bytes.

    Page order and /Rotate are all that is new of a page; its image is copied byte for byte.

    Args:
        batches: where the pages are.
        runs: which pages, in which order, and how they are turned.
        target: absolute. The document appears whole, fsynced and counted, and replaces a former one.
        title: any text; what PDF and XML cannot say of it (control characters, surrogates) becomes a space.
        created: aware; goes into the metadata.
        progress: called with (pages written, pages in all).

    Raises:
        BadData: `no_pages`; or `spool_damaged`, naming every batch whose PDF is missing or not what it was.
        TryAgain: `verify_failed`: the document does not hold the pages that went in.
        ScandError: `staging_full`: the disk does not take the document.
    """
    spans = [span for run in runs if len(span := _Span.of(run, batches))]
    total = sum(map(len, spans))
    if not total:
        raise BadData("No batch with pages is kept: scan one, or restore one.", ErrorCode.NO_PAGES)
    used = [batches[number] for number in sorted({span.batch for span in spans})]
    if damaged := [f"{batch.label} ({damage})" for batch in used if (damage := _damage(batch))]:
        raise BadData(
            f"Missing or damaged: {', '.join(damaged)}. Put the PDF back, or discard the batch and feed its "
            f"sheets again.",
            ErrorCode.SPOOL_DAMAGED,
        )
    starts = list(accumulate(map(len, spans), initial=0))
    turned = {
        number: span.turn
        for start, span in zip(starts, spans, strict=False)
        if span.turn
        for number in range(start, start + len(span))
    }
    sources = ((batch.label, batch.pages, batch.sha256) for batch in used)
    identity = _identity(title, created.timestamp(), *sources, *_ranges(spans), *turned.items())
    with durable.whole_file(target) as file:
        parts = ((str(batches[number].path), pages) for number, pages in _ranges(spans))
        with pdf.joined(parts) as document:
            with document.open_outline() as outline:
                for number, start in _entries(spans, starts).items():
                    outline.root.append(pikepdf.OutlineItem(pdf.text(batches[number].label), start))
            for number, degrees in turned.items():
                document.pages[number].rotate(degrees, relative=True)
            pdf.describe(document, title, created.astimezone(UTC))
            behind = durable.WriteBehind(file.fileno())

            def written(percent: int) -> None:
                behind.grown()
                progress(total * percent // 100, total)

            pdf.save(document, file, identity, written)
        sha256, size = _proved(file, target, total)
    return Document(path=str(target), pages=total, sha256=sha256, size=size)


@dataclass(frozen=True, slots=True)
class _Span:
    """A run whose end is known."""

    batch: int
    first: int
    last: int
    turn: int

    @classmethod
    def of(cls, run: Run, batches: Sequence[BatchSource]) -> Self:
        last = batches[run.batch].pages - 1 if run.last is None else run.last
        return cls(run.batch, run.first, last, run.turn)

    def __len__(self) -> int:
        return self.last + 1 - self.first


def _entries(spans: Sequence[_Span], starts: Sequence[int]) -> dict[int, int]:
    """Where each batch begins in the document."""
    entries: dict[int, int] = {}
    for start, span in zip(starts, spans, strict=False):
        entries.setdefault(span.batch, start)
    return entries


def _ranges(spans: Sequence[_Span]) -> list[tuple[int, str]]:
    """The pages as qpdf counts them: (batch, "first-last"), counted from 1; however they are turned."""
    ranges: list[tuple[int, int, int]] = []
    for span in spans:
        if ranges and ranges[-1][0] == span.batch and ranges[-1][2] == span.first:
            ranges[-1] = (span.batch, ranges[-1][1], span.last + 1)
        else:
            ranges.append((span.batch, span.first + 1, span.last + 1))
    return [(batch, f"{first}-{last}") for batch, first, last in ranges]


@dataclass(frozen=True, slots=True)
class _PageFile:
    """A page whose file is read, and proved to be what was captured, when its turn comes."""

    directory: Path
    page: Page
    batch: Sequence[Page]

    @property
    def dpi(self) -> float:
        return self.page.dpi

    def read_bytes(self) -> bytes:
        data = self._whole(self.page)
        if data is None:
            damaged = [page for page in self.batch if self._whole(page) is None]
            names = ", ".join(f"{page.file} (sheet {page.sheet}, {page.side})" for page in damaged)
            raise BadData(
                f"Missing or damaged in {self.directory}: {names}. Put the files back, or discard the batch "
                f"and feed its sheets again.",
                ErrorCode.SPOOL_DAMAGED,
            )
        return data

    def _whole(self, page: Page) -> bytes | None:
        try:
            data = (self.directory / page.file).read_bytes()
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.EIO}:
                raise
            return None
        return data if hashlib.sha256(data).hexdigest() == page.sha256 else None


def runs(pages: Sequence[Page], run: int, most: int = _RUNS) -> Iterator[slice]:
    """The pages in runs of about `run` bytes of files; or about `most`, where those would be more."""
    limit = max(run, sum(page.size for page in pages) // most)
    start = size = 0
    for number, page in enumerate(pages):
        if number > start and size + page.size > limit:
            yield slice(start, number)
            start, size = number, 0
        size += page.size
    yield slice(start, len(pages))


def _damage(batch: BatchSource) -> str | None:
    """What is wrong with a batch's PDF, in words, or None."""
    try:
        with batch.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if batch.sha256 not in {None, digest}:
            return f"{batch.path} is not the file that was made"
        with pikepdf.open(batch.path) as opened:
            pages, warnings = len(opened.pages), opened.get_warnings()
    except FileNotFoundError:
        return f"{batch.path} is not there"
    except pikepdf.PdfError:
        return f"{batch.path} is not a PDF"
    if warnings:
        return f"{batch.path} is not a whole PDF"
    return None if pages == batch.pages else f"{batch.path} has {pages} pages, not {batch.pages}"


def _proved(file: BufferedRandom, target: Path, pages: int) -> tuple[str, int]:
    """SHA-256 and size, in bytes, of a PDF that has no name yet, once it is seen to have its pages."""
    counted = pdf.count(file)
    if counted != pages:
        raise TryAgain(f"{target} came out with {counted} of {pages} pages.", ErrorCode.VERIFY_FAILED)
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def _identity(*parts: object) -> bytes:
    """16 bytes that stand for what goes in."""
    return hashlib.sha256(repr(parts).encode()).digest()[:16]
