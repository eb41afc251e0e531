"""The contact sheet: pages out of a PDF, small, in order, the right way up."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import img2pdf
import pikepdf
import pytest
from PIL import Image

from scand.cli.demo import contact_sheet

if TYPE_CHECKING:
    from pathlib import Path

COLORS = ["red", "green", "blue", "yellow", "cyan", "magenta", "black"]


def encoded(image: Image.Image, kind: str) -> bytes:
    """An image as a file of some kind."""
    file = BytesIO()
    image.save(file, kind, dpi=(100, 100))
    return file.getvalue()


def pdf_of(path: Path, images: list[bytes]) -> Path:
    """A PDF with a page an image."""
    path.write_bytes(img2pdf.convert(images, rotation=img2pdf.Rotation.ifvalid))
    return path


def middle(image: Image.Image, box: tuple[int, int, int, int]) -> tuple[int, ...]:
    """The colour in the middle of a box."""
    left, top, right, bottom = box
    pixel = image.getpixel(((left + right) // 2, (top + bottom) // 2))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_pages_come_out_small_and_whole(tmp_path: Path, kind: str) -> None:
    """Whatever a page was stored as, its thumbnail has its shape, and no side is longer than asked."""
    made = Image.new("RGB", (850, 1169), "white")
    pdf = pdf_of(tmp_path / "a.pdf", [encoded(made, kind)])
    with pikepdf.open(pdf) as document:
        [page] = contact_sheet.thumbnails(document)
    assert page.mode == "RGB"
    assert page.size == pytest.approx((210, 289), abs=8)
    assert min(page.getpixel((100, 100))) > 250  # type: ignore[arg-type]


def test_a_page_of_black_and_white_comes_out(tmp_path: Path) -> None:
    """G4, as lineart is stored: one bit a pixel."""
    file = BytesIO()
    Image.new("1", (800, 1100), 0).save(file, "TIFF", compression="group4", dpi=(100, 100))
    with pikepdf.open(pdf_of(tmp_path / "a.pdf", [file.getvalue()])) as document:
        [page] = contact_sheet.thumbnails(document)
    assert page.getpixel((50, 50)) == (0, 0, 0)


def test_a_turned_page_is_turned_back(tmp_path: Path) -> None:
    """/Rotate is obeyed: what was the upper half comes out below."""
    made = Image.new("RGB", (200, 280), "white")
    made.paste("black", (0, 0, 200, 140))
    pdf = pdf_of(tmp_path / "a.pdf", [encoded(made, "PNG")])
    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        document.pages[0].obj["/Rotate"] = 180
        document.save(pdf)
    with pikepdf.open(pdf) as document:
        [page] = contact_sheet.thumbnails(document)
    assert page.getpixel((100, 20)) == (255, 255, 255)
    assert page.getpixel((100, 250)) == (0, 0, 0)


def test_a_page_without_an_image_is_blank_paper(tmp_path: Path) -> None:
    """Nothing is made up, and nothing breaks."""
    document = pikepdf.new()
    document.add_blank_page()
    [page] = contact_sheet.thumbnails(document)
    assert page.getextrema() == ((255, 255),) * 3
    document.close()


def test_the_sheet_shows_the_pages_in_order(tmp_path: Path) -> None:
    """Row by row, an even number in each, and none is lost at the end."""
    images = [encoded(Image.new("RGB", (210, 297), color), "PNG") for color in COLORS]
    target = tmp_path / "sheet.png"
    captions: list[int] = []

    def caption(number: int) -> str:
        captions.append(number)
        return f"page {number}"

    contact_sheet.draw(pdf_of(tmp_path / "a.pdf", images), target, caption)
    with Image.open(target) as sheet:
        assert sheet.format == "PNG"
        picture = sheet.convert("RGB")
    assert captions == [1, 2, 3, 4, 5, 6, 7]
    columns, rows = 4, 2
    across, down = picture.width // columns, picture.height // rows
    for place, color in enumerate(COLORS):
        left, top = place % columns * across, place // columns * down
        expected = Image.new("RGB", (1, 1), color).getpixel((0, 0))
        assert middle(picture, (left, top, left + across, top + down)) == expected, color


@pytest.mark.parametrize("count", [0, 1, 2, 3, 13, 40])
def test_any_number_of_pages_fits(count: int) -> None:
    """From no page to many: the sheet is as large as they need."""
    page = Image.new("RGB", (210, 297), "white")
    sheet = contact_sheet.arrange([(str(number), page) for number in range(count)])
    assert sheet.width * sheet.height >= count * 210 * 297
    assert sheet.width > 2 * 210
