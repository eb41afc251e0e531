"""The PDF engines, each for what it does best, so that nothing is re-encoded and memory stays small.

img2pdf wraps page files, qpdf (through pikepdf) joins PDFs and writes them, and pypdf, which shares no code
with it, counts what came out. Nothing is compressed here, so that no version of zlib decides what the bytes
are, and nothing in the files says "now": the same input gives the same bytes.

Measured (1,000 pages, 1.4 GB): pypdf's own merge took 2.7 GB of memory, pikepdf's `pages.extend` 1.4 GB;
`joined` and `save` take 40 MB. img2pdf holds all it wraps, so it gets a few pages at a time.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Protocol

import img2pdf
import pikepdf
from PIL import Image
from pypdf import PdfReader

from scand.errors import BadData
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from typing import IO


class PageFile(Protocol):
    """A page as img2pdf takes it: read when its turn has come. It must have no `read`, which goes first."""

    @property
    def dpi(self) -> float:
        """Pixels per inch, as the driver really set it."""

    def read_bytes(self) -> bytes:
        """The file."""


def wrapped(files: Sequence[PageFile]) -> pikepdf.Pdf:
    """A PDF, in memory, with a page for each file, as large as its pixels are at its dpi.

    JPEG goes in as DCTDecode, G4 TIFF as CCITTFaxDecode, PNG as FlateDecode, each byte for byte.
    """
    resolutions = (file.dpi for file in files)

    def layout(width: int, height: int, _dpi: object) -> object:
        # img2pdf asks once a page, in order. What the files themselves say of dpi is rounded.
        return img2pdf.default_layout_fun(width, height, (next(resolutions),) * 2)

    with _any_size():
        document = img2pdf.convert_to_docobject(
            files, layout_fun=layout, rotation=img2pdf.Rotation.none, nodate=True
        )
    pdf: pikepdf.Pdf = document.writer
    return pdf


@contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's guard against decompression bombs: it takes A3 at 1200 dpi for one.

    Nothing is decompressed: img2pdf only has Pillow read the headers of files that we made.
    """
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def joined(parts: Iterable[tuple[str, str]]) -> Iterator[pikepdf.Pdf]:
    """Pages of several PDFs as one PDF; streams stay in the files until it is saved.

    Args:
        parts: absolute paths, each with its pages as qpdf writes them: "1-z", "2,4-7"; a path may come again.

    Raises:
        BadData: `spool_damaged`: qpdf had to mend something. It takes a stream that it cannot find for an
            empty one, and the page would come out blank.
    """
    sources = [argument for part in parts for argument in part]
    job = pikepdf.Job(["qpdf", "--empty", "--pages", *sources, "--", "-"])
    pdf: pikepdf.Pdf
    with job.create_pdf() as pdf:
        yield pdf
        if job.has_warnings:
            raise BadData("A batch's PDF is damaged.", ErrorCode.SPOOL_DAMAGED)


def save(
    pdf: pikepdf.Pdf, file: IO[bytes], identity: bytes = b"", progress: Callable[[int], None] | None = None
) -> None:
    """Write a PDF, streams as they are.

    Args:
        pdf: what to write.
        file: at its start.
        identity: 16 bytes that stand for the content.
        progress: called with percents.

    Raises:
        OSError: `file` refused the bytes.
    """
    # qpdf keeps the first half of an /ID (ISO 32000-1, 14.4), and with static_id the second tells no time.
    # Its own deterministic_id hashes all the output with MD5, which doubles the time.
    pdf.trailer.ID = pikepdf.Array([identity, identity])
    pdf.save(
        file,  # type: ignore[arg-type]
        min_version="1.7",
        fix_metadata_version=False,
        compress_streams=False,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        static_id=True,
        progress=progress,
    )
    file.flush()


def count(file: IO[bytes]) -> int:
    """How many pages a PDF really has, by walking its page tree."""
    # Given a path instead, PdfReader would read the whole file into memory.
    return len(PdfReader(file, strict=True).pages)


def describe(pdf: pikepdf.Pdf, title: str, created: datetime) -> None:
    """Title and origin, for viewers (ISO 32000-1, 14.3.3) and for archives (XMP, 14.3.2).

    Args:
        pdf: is changed.
        title: any text; see `text`.
        created: in UTC.
    """
    title = text(title)
    pdf.docinfo.Title = pikepdf.String(title)
    pdf.docinfo.Producer = pikepdf.String("scand")
    pdf.docinfo.CreationDate = pikepdf.String(f"D:{created:%Y%m%d%H%M%S}Z")
    xmp = _XMP.format(title=escape(title, quote=False), created=f"{created:%Y-%m-%dT%H:%M:%SZ}").encode()
    pdf.Root.Metadata = pdf.make_stream(xmp, Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)


def text(anything: str) -> str:
    """What PDF and XML 1.0 (production 2, less the controls) can say of a text; the rest becomes a space."""
    return re.sub("[^ -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", " ", anything).strip()


_XMP = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
   <pdf:Producer>scand</pdf:Producer>
   <xmp:CreateDate>{created}</xmp:CreateDate>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>
"""
