"""Pages become batch PDFs and batch PDFs a document: nothing lost, doubled, re-encoded or left to chance."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import TiffImageFile
from pypdf import PdfReader

from scand import durable
from scand.courier import document, pdf
from scand.courier.document import BatchSource, bind, merge
from scand.errors import BadData, TryAgain
from scand.faults import ErrorCode
from scand.feeder.encode import encode
from scand.spool.leaves import Run
from scand.spool.records import BatchPdf, Document, Page, Side
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated, mount_tmpfs, needs_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, HEIGHT = 240, 310
CREATED = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
TITLE = "Größe & <Maß>: 請求書 حساب 🧾"


def drawn(number: int, mode: str) -> Image.Image:
    """A page with a black bar at the left and a field whose gray is its number; lineart has white there."""
    image = Image.radial_gradient("L").resize((WIDTH, HEIGHT))
    image.paste(0, (0, 0, 40, HEIGHT))
    image.paste(number % 150 + 100, (100, 100, 200, 200))
    if mode == "lineart":
        return image.point(lambda level: 255 if level > 80 else 0)
    return image.convert("RGB") if mode == "color" else image


def scanned(
    directory: Path, count: int = 4, mode: str = "gray", wanted: str = "auto", dpi: float = 150
) -> list[Page]:
    """Page files and records as the feeder leaves them, front and back in turn."""
    directory.mkdir(exist_ok=True)
    pages = []
    for number in range(count):
        image = drawn(number, mode)
        raster, channels = bytearray(image.tobytes()), len(image.getbands())
        file = encode(raster, WIDTH, HEIGHT, channels, dpi=dpi, mode=mode, format=wanted)
        name = f"page-{number + 1:04d}{file.suffix}"
        (directory / name).write_bytes(file.data)
        pages.append(
            Page(
                sheet=number // 2 + 1,
                side=(Side.FRONT, Side.BACK)[number % 2],
                file=name,
                sha256=file.sha256,
                size=len(file.data),
                width=WIDTH,
                height=HEIGHT,
                dpi=dpi,
            )
        )
    return pages


def ignore(_done: int, _total: int) -> None:
    """No progress is wanted."""


def bound(directory: Path, count: int = 4, **how: Any) -> BatchPdf:
    """A batch PDF of new pages."""
    return bind(directory, scanned(directory, count, **how), directory / "batch.pdf", progress=ignore)


def sources(*batches: BatchPdf) -> list[BatchSource]:
    """Batches as merge takes them."""
    return [
        BatchSource(Path(batch.path), batch.sha256, batch.pages, f"Batch {number}")
        for number, batch in enumerate(batches, 1)
    ]


def all_pages(batches: int) -> list[Run]:
    """Every page of so many batches, in order."""
    return [Run(number, 0, None) for number in range(batches)]


def merged(target: Path, *batches: BatchPdf, title: str = TITLE, created: datetime = CREATED) -> Document:
    """The merge of batches."""
    return merge(
        sources(*batches), all_pages(len(batches)), target, title=title, created=created, progress=ignore
    )


def images(path: Path | str) -> list[Image.Image]:
    """What pypdf shows of each page."""
    shown = [page.images[0].image for page in PdfReader(path).pages]
    return [image for image in shown if image]


def grays(path: Path | str) -> list[int]:
    """The gray of each page's field, which is its number + 100."""
    return [int(image.convert("L").getpixel((150, 150))) for image in images(path)]  # type: ignore[arg-type]


def same(image: Image.Image, file: Path, tolerance: int = 0) -> bool:
    """Whether an image has a page file's pixels, each to so many levels."""
    with Image.open(file) as page:
        difference = ImageChops.difference(image.convert("RGB"), page.convert("RGB"))
    return all(highest <= tolerance for _lowest, highest in difference.getextrema())  # type: ignore[misc]


def payload(path: Path) -> bytes:
    """What of a page file the PDF embeds: a PNG's IDAT, a TIFF's strip, the whole JPEG."""
    file = path.read_bytes()
    with Image.open(path) as image:
        if isinstance(image, TiffImageFile):
            (offset,), (size,) = image.tag_v2[273], image.tag_v2[279]  # StripOffsets, StripByteCounts
            return file[offset : offset + size]
        if image.format == "PNG":
            return b"".join(data for kind, data in chunks(file) if kind == b"IDAT")
        return file


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG."""
    at = 8
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + size]
        at += size + 12


@pytest.mark.parametrize(
    ("mode", "wanted", "filters", "space"),
    [
        ("color", "jpeg", ["/DCTDecode"], "/DeviceRGB"),
        ("gray", "jpeg", ["/DCTDecode"], "/DeviceGray"),
        ("lineart", "auto", ["/CCITTFaxDecode"], "/DeviceGray"),
        ("color", "lossless", ["/FlateDecode"], "/DeviceRGB"),
        ("gray", "lossless", ["/FlateDecode"], "/DeviceGray"),
    ],
)
def test_pages_go_in_as_they_are(
    mode: str, wanted: str, filters: list[str], space: str, tmp_path: Path
) -> None:
    """The PDF holds the very bytes of JPEG, G4 and PNG, and shows each page as it was, black as black."""
    pages = scanned(tmp_path, 3, mode, wanted)
    batch = bind(tmp_path, pages, tmp_path / "batch.pdf", progress=ignore)
    document = merged(tmp_path / "merged.pdf", batch)
    for path in (batch.path, document.path):
        with pikepdf.open(path) as opened:
            for page, record in zip(opened.pages, pages, strict=True):
                stream = page.obj.Resources.XObject.Im0
                assert isinstance(stream, pikepdf.Stream)
                image = pikepdf.PdfImage(stream)
                assert image.filters == filters
                assert image.colorspace == space
                assert stream.read_raw_bytes() == payload(tmp_path / record.file)
                assert same(image.as_pil_image(), tmp_path / record.file)
        for shown, record in zip(images(path), pages, strict=True):
            assert same(
                shown, tmp_path / record.file, 16 if wanted == "jpeg" else 0
            )  # which pypdf makes anew
            assert shown.convert("L").getpixel((20, 20)) < 30  # type: ignore[operator]


@pytest.mark.parametrize("dpi", [75, 150, 299.72, 600])
def test_a_page_has_its_true_size(dpi: float, tmp_path: Path) -> None:
    """The MediaBox is pixels / dpi * 72 points, at the dpi that the driver really set, and the image fills it."""
    batch = bound(tmp_path / "batch", 2, dpi=dpi)
    for page in PdfReader(batch.path).pages:
        assert float(page.mediabox.width) == pytest.approx(WIDTH / dpi * 72, abs=0.001)
        assert float(page.mediabox.height) == pytest.approx(HEIGHT / dpi * 72, abs=0.001)
        width, _, _, height, *_ = page.get_contents().get_data().split(b"\n")[1].split()  # type: ignore[union-attr]
        assert float(width) == pytest.approx(WIDTH / dpi * 72, abs=0.001)
        assert float(height) == pytest.approx(HEIGHT / dpi * 72, abs=0.001)


def test_pages_of_different_dpi(tmp_path: Path) -> None:
    """Each page has the size of its own dpi, whatever the others have and whatever its file says."""
    pages = scanned(tmp_path, 3)
    pages = [page.model_copy(update={"dpi": dpi}) for page, dpi in zip(pages, (100, 200, 400), strict=True)]
    batch = bind(tmp_path, pages, tmp_path / "batch.pdf", progress=ignore)
    widths = [float(page.mediabox.width) for page in PdfReader(batch.path).pages]
    assert widths == pytest.approx([172.8, 86.4, 43.2])


@pytest.mark.parametrize("run", [document.RUN, 20_000])
def test_back_sides_turned(run: int, tmp_path: Path) -> None:
    """rotate_back gives back sides, and no others, a /Rotate, in one run of pages as in many."""
    pages = scanned(tmp_path, 5)
    batch = bind(tmp_path, pages, tmp_path / "batch.pdf", rotate_back=180, run=run, progress=ignore)
    document_ = merged(tmp_path / "merged.pdf", batch)
    for path in (batch.path, document_.path):
        assert [page.rotation for page in PdfReader(path).pages] == [0, 180, 0, 180, 0]


def test_order_in_many_runs(tmp_path: Path) -> None:
    """A batch too large for memory is bound in runs, in order, and is the same however long the runs are."""
    pages = scanned(tmp_path, 60)
    made = []
    progress: list[tuple[int, int]] = []
    for run in (20_000, 70_000):
        target = tmp_path / "batch.pdf"
        made.append(bind(tmp_path, pages, target, run=run, progress=lambda *step: progress.append(step)))
        assert grays(made[-1].path) == pytest.approx(range(100, 160), abs=3)
    first, *_, last = progress
    assert progress.count(last) == 2
    assert (first[0] < 10, last) == (True, (60, 60))
    assert made[0] == made[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["batch.pdf", *(page.file for page in pages)]
    )


def test_runs_become_longer_before_they_become_too_many(tmp_path: Path) -> None:
    """Each run is an open file, so their number is bounded."""
    pages = scanned(tmp_path, 60)
    assert 5 <= len(list(document.runs(pages, 1, most=5))) <= 10
    assert len(list(document.runs(pages, 1, most=1000))) == 60


def test_damaged_pages_are_named(tmp_path: Path) -> None:
    """Missing, changed and shortened files are all named, with sheet and side, and no PDF appears."""
    pages = scanned(tmp_path, 6)
    (tmp_path / pages[1].file).unlink()
    (tmp_path / pages[2].file).write_bytes((tmp_path / pages[3].file).read_bytes())
    (tmp_path / pages[5].file).write_bytes((tmp_path / pages[5].file).read_bytes()[:-1])
    with pytest.raises(BadData) as caught:
        bind(tmp_path, pages, tmp_path / "batch.pdf", progress=ignore)
    assert caught.value.code is ErrorCode.SPOOL_DAMAGED
    assert (
        "page-0002.jpg (sheet 1, back), page-0003.jpg (sheet 2, front), page-0006.jpg (sheet 3, back)"
        in caught.value.sentence
    )
    assert not (tmp_path / "batch.pdf").exists()


def test_no_pages(tmp_path: Path) -> None:
    """A batch or a document without pages is refused, not made empty."""
    with pytest.raises(BadData) as caught:
        bind(tmp_path, [], tmp_path / "batch.pdf", progress=ignore)
    assert caught.value.code is ErrorCode.NO_PAGES
    for batches in ([], [BatchSource(tmp_path / "none.pdf", None, 0, "Batch 1")]):
        with pytest.raises(BadData) as caught:
            merge(
                batches,
                all_pages(len(batches)),
                tmp_path / "merged.pdf",
                title="",
                created=CREATED,
                progress=ignore,
            )
        assert caught.value.code is ErrorCode.NO_PAGES
    assert not list(tmp_path.iterdir())


def test_a_page_larger_than_pillow_likes(tmp_path: Path) -> None:
    """What Pillow takes for a decompression bomb, from 1200 dpi A4 on, is bound like any other page."""
    width, height = 9400, 9600
    file = encode(bytearray(b"\xff") * (width * height), width, height, 1, dpi=1200, mode="lineart")
    (tmp_path / "page-0001.tif").write_bytes(file.data)
    page = Page(
        sheet=1,
        side=Side.FRONT,
        file="page-0001.tif",
        sha256=file.sha256,
        size=len(file.data),
        width=width,
        height=height,
        dpi=1200,
    )
    limit = Image.MAX_IMAGE_PIXELS
    batch = bind(tmp_path, [page], tmp_path / "batch.pdf", progress=ignore)
    assert PdfReader(batch.path).pages[0].mediabox.width == pytest.approx(564)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_merge_in_order_with_outline(tmp_path: Path) -> None:
    """The document has every page once, in the order of the batches, and an entry for each batch."""
    batches = [bound(tmp_path / str(count), count) for count in (3, 1, 5)]
    progress: list[tuple[int, int]] = []
    document = merge(
        sources(*batches),
        all_pages(3),
        tmp_path / "merged.pdf",
        title=TITLE,
        created=CREATED,
        progress=lambda *step: progress.append(step),
    )
    reader = PdfReader(document.path)
    assert document.pages == len(reader.pages) == 9
    assert grays(document.path) == pytest.approx([100, 101, 102, 100, 100, 101, 102, 103, 104], abs=3)
    starts = [(item["/Title"], reader.get_destination_page_number(item)) for item in reader.outline]  # type: ignore[arg-type,call-overload]
    assert starts == [("Batch 1", 0), ("Batch 2", 3), ("Batch 3", 4)]
    assert progress == sorted(progress)
    assert progress[-1] == (9, 9)


def test_title_and_origin(tmp_path: Path) -> None:
    """Title, time and producer are in the document information, in XMP, and the viewer is told to show them."""
    document = merged(tmp_path / "merged.pdf", bound(tmp_path / "1", 1))
    reader = PdfReader(document.path)
    assert reader.metadata
    assert reader.metadata.title == TITLE
    assert reader.metadata.producer == "scand"
    assert reader.metadata.creation_date == CREATED.replace(microsecond=0)
    with pikepdf.open(document.path) as opened:
        assert opened.Root.ViewerPreferences.DisplayDocTitle
        with opened.open_metadata() as xmp:
            assert xmp["dc:title"] == TITLE
            assert xmp["pdf:Producer"] == "scand"
            assert xmp["xmp:CreateDate"] == "2024-02-29T12:30:15Z"


@pytest.mark.parametrize(
    "title", ["", "\0\x07\x1b", "a\ud800b\udfff\uffff", "]]>&<?xml ?>\u2028", "x" * 100_000]
)
def test_no_title_breaks_the_document(title: str, tmp_path: Path) -> None:
    """Titles that PDF or XML could not hold still give a document, whose XMP can be read."""
    batch = bound(tmp_path / "1", 1)
    source = BatchSource(Path(batch.path), batch.sha256, 1, title)
    document = merge(
        [source], all_pages(1), tmp_path / "merged.pdf", title=title, created=CREATED, progress=ignore
    )
    said = "".join(character for character in title if character.isprintable())
    with pikepdf.open(document.path) as opened, opened.open_metadata() as xmp:
        assert (xmp.get("dc:title") or "").replace(" ", "") == said.replace(" ", "")
        assert str(opened.docinfo.Title) == (xmp.get("dc:title") or "")


def test_same_input_same_bytes(tmp_path: Path) -> None:
    """Batch PDF and document are the same bytes wherever they are made; with another title they are not."""
    one, two = (bound(tmp_path / name, 5) for name in ("here", "a longer name for there"))
    assert Path(one.path).read_bytes() == Path(two.path).read_bytes()
    first = merged(tmp_path / "first.pdf", one, two)
    elsewhere = CREATED.astimezone(timezone(timedelta(hours=-7)))
    second = merged(tmp_path / "second.pdf", two, one, created=elsewhere)
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()
    assert (first.sha256, first.size) == (second.sha256, Path(second.path).stat().st_size)
    assert merged(tmp_path / "third.pdf", one, two, title="else").sha256 != first.sha256
    with pikepdf.open(first.path) as opened, pikepdf.open(tmp_path / "third.pdf") as other:
        assert bytes(opened.trailer.ID[0]) != bytes(other.trailer.ID[0])


def test_damaged_batches_are_named(tmp_path: Path) -> None:
    """Batch PDFs that are missing, changed, torn or of another length are all named, and no document appears."""
    batches = sources(*(bound(tmp_path / str(number), number) for number in range(1, 7)))
    batches[0].path.unlink()
    batches[1].path.write_bytes(batches[2].path.read_bytes())
    torn = batches[3].path.read_bytes()
    batches[3].path.write_bytes(torn[: len(torn) // 2])
    batches[4].path.write_bytes(b"")
    batches[3:] = [BatchSource(batch.path, None, batch.pages + 1, batch.label) for batch in batches[3:]]
    with pytest.raises(BadData) as caught:
        merge(
            batches,
            all_pages(len(batches)),
            tmp_path / "merged.pdf",
            title="",
            created=CREATED,
            progress=ignore,
        )
    assert caught.value.code is ErrorCode.SPOOL_DAMAGED
    for said in (
        "Batch 1 (" + str(tmp_path / "1/batch.pdf is not there"),
        "Batch 2 (" + str(tmp_path / "2/batch.pdf is not the file that was made"),
        "Batch 4 (" + str(tmp_path / "4/batch.pdf is not a whole PDF"),
        "Batch 5 (" + str(tmp_path / "5/batch.pdf is not a PDF"),
        "Batch 6 (" + str(tmp_path / "6/batch.pdf has 6 pages, not 7"),
    ):
        assert said in caught.value.sentence
    assert "Batch 3" not in caught.value.sentence
    assert not (tmp_path / "merged.pdf").exists()


def test_a_page_is_never_mended_into_a_blank_one(tmp_path: Path) -> None:
    """qpdf takes a stream of a wrong length for an empty one: without a hash to compare, that is noticed too."""
    batch = bound(tmp_path / "1", 2)
    path = Path(batch.path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"endstream", b"endstroem"))
    old = BatchSource(path, None, 2, "Batch 1")
    with pytest.raises(BadData) as caught:
        merge([old], all_pages(1), tmp_path / "merged.pdf", title="", created=CREATED, progress=ignore)
    assert caught.value.code is ErrorCode.SPOOL_DAMAGED
    assert not (tmp_path / "merged.pdf").exists()
    path.write_bytes(whole)
    assert (
        merge([old], all_pages(1), tmp_path / "merged.pdf", title="", created=CREATED, progress=ignore).pages
        == 2
    )


def test_pages_are_counted_one_by_one(tmp_path: Path) -> None:
    """What a page tree says of its size is not believed."""
    path = Path(bound(tmp_path / "1", 3).path)
    path.write_bytes(path.read_bytes().replace(b"/Count 3", b"/Count 4"))
    with path.open("rb") as file:
        assert pdf.count(file) == 3


def on_a_full_disk(spool: str, full: str) -> None:
    """Bind and merge where there is no room."""
    pages = scanned(Path(spool), 60)
    batch = bind(Path(spool), pages, Path(spool) / "batch.pdf", progress=ignore)
    mount_tmpfs(Path(full), "64k")
    with pytest.raises(TryAgain) as caught:
        bind(Path(spool), pages, Path(full) / "f.pdf", progress=ignore)
    assert caught.value.code is ErrorCode.STAGING_FULL
    with pytest.raises(TryAgain) as caught:
        merged(Path(full) / "f.pdf", batch)
    assert caught.value.code is ErrorCode.STAGING_FULL
    assert not list(Path(full).iterdir())


@needs_mounts
def test_a_full_disk(tmp_path: Path) -> None:
    """Without room for the PDF there is no PDF, and no part of one, and the fault has its name."""
    (tmp_path / "full").mkdir()
    isolated(on_a_full_disk, tmp_path / "batch", tmp_path / "full", mounts=True)


def at_every_instant(blow: str, directory: str) -> None:
    """Strike at each instant of bind and merge, then do both again."""
    spool = Path(directory) / "spool"
    pages = scanned(spool, 2)

    def act(place: Path) -> None:
        batch = bind(spool, pages, place / "batch.pdf", run=1, progress=ignore)  # two runs
        merged(place / "merged.pdf", batch)

    act(spool)
    whole = {name: (spool / name).read_bytes() for name in ("batch.pdf", "merged.pdf")}

    def check(place: Path) -> None:
        for name, content in whole.items():
            if (place / name).exists():
                assert (place / name).read_bytes() == content
        act(place)
        assert {path.name: path.read_bytes() for path in place.iterdir()} == whole

    # What has a name on disk changes in `durable` only.
    count = every_instant({"kill": kill, "fail": fail}[blow], act, check, durable)
    assert count > 40


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_every_instant(blow: str, tmp_path: Path) -> None:
    """Whenever a courier is killed or a call fails, PDFs are whole or not there, and the next try makes them."""
    isolated(at_every_instant, blow, tmp_path)
