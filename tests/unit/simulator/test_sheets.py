"""The simulator's sheets: what is drawn on them, where, and whether a machine can read which side it is."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from scand.simulator.area import MODES, PAGE_SIZES, Area, pixels
from scand.simulator.marks import read_side_number
from scand.simulator.sheets import DrawnSheets, ImageSheets, Sheets
from scand.simulator.side import Side


def whole_page(mode: str, resolution: int, page_size: str = "a4") -> Area:
    """The area of a whole sheet."""
    width, height = PAGE_SIZES[page_size]
    return Area(mode, resolution, 0, 0, pixels(width, resolution), pixels(height, resolution))


def scanned(sheets: Sheets, side: Side, area: Area) -> Image.Image:
    """Make an image of a raster, as a frontend does; fails if it has a byte too many or too few."""
    raster = b"".join(sheets.raster(side, area))
    parameters = area.parameters
    assert len(raster) == parameters.bytes_per_line * parameters.lines
    if area.mode == "Lineart":
        return Image.frombytes("1", (area.width, area.height), raster, "raw", "1;I")
    return Image.frombytes("RGB" if area.mode == "Color" else "L", (area.width, area.height), raster)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    """The image after JPEG compression."""
    file = io.BytesIO()
    (image.convert("L") if image.mode == "1" else image).save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("resolution", [75, 100, 150, 240, 300, 600])
def test_the_mark_is_read_after_hard_jpeg(mode: str, resolution: int) -> None:
    """The number of a side is readable at any resolution, in any mode, after JPEG of quality 50."""
    sheets = DrawnSheets(10, "a4")
    top = Area(mode, resolution, 0, 0, pixels(210, resolution), pixels(60, resolution))
    for side in (Side(7, "back"), Side(123_456, "front")):
        page = scanned(sheets, side, top)
        assert read_side_number(page, resolution) == side.number
        assert read_side_number(as_jpeg(page, 50), resolution) == side.number


@pytest.mark.parametrize("page_size", PAGE_SIZES)
def test_the_mark_fits_on_each_page_size(page_size: str) -> None:
    """Every page size, even the smallest, has room for the mark."""
    page = scanned(DrawnSheets(1, page_size), Side(2, "back"), whole_page("Gray", 75, page_size))
    assert read_side_number(page, 75) == 4


def test_front_and_back_are_numbered_in_turn() -> None:
    """Fronts have odd numbers and backs even ones, without a gap."""
    sides = [Side(sheet, name) for sheet in (1, 2, 3) for name in ("front", "back")]
    assert [side.number for side in sides] == [1, 2, 3, 4, 5, 6]


def test_a_page_upside_down_has_no_mark() -> None:
    """A side that was turned upside down is not mistaken for another one."""
    page = scanned(DrawnSheets(1, "a4"), Side(1, "front"), whole_page("Gray", 100))
    with pytest.raises(ValueError, match="no mark"):
        read_side_number(page.rotate(180), 100)


def test_a_mirrored_page_has_no_mark() -> None:
    """A side that was mirrored is not mistaken for another one."""
    page = scanned(DrawnSheets(1, "a4"), Side(1, "front"), whole_page("Gray", 100))
    with pytest.raises(ValueError, match="no mark"):
        read_side_number(ImageOps.mirror(page), 100)


def test_a_scrap_has_no_mark() -> None:
    """An image that is smaller than the mark is refused with a sentence."""
    with pytest.raises(ValueError, match="too small"):
        read_side_number(Image.new("L", (100, 100)), 300)


def test_blank_backs_are_nearly_white() -> None:
    """With blank backs, only the fronts have a mark, and the backs show nothing but the paper's grain."""
    sheets = DrawnSheets(1, "a4", blank_backs=True)
    assert read_side_number(scanned(sheets, Side(1, "front"), whole_page("Gray", 75)), 75) == 1
    back = scanned(sheets, Side(1, "back"), whole_page("Gray", 75))
    levels = back.tobytes()
    assert 230 < min(levels) < max(levels)
    with pytest.raises(ValueError, match="no mark"):
        read_side_number(back, 75)


@pytest.mark.parametrize("mode", MODES)
def test_a_window_shows_its_part_of_the_page(mode: str) -> None:
    """A smaller scan area equals, pixel for pixel, that part of the whole page."""
    sheets = DrawnSheets(1, "a4")
    side = Side(12, "back")
    left, top, width, height = 91, 57, 283, 201
    part = scanned(sheets, side, Area(mode, 100, left, top, width, height))
    whole = scanned(sheets, side, whole_page(mode, 100))
    assert part.tobytes() == whole.crop((left, top, left + width, top + height)).tobytes()


def test_beside_the_sheet_is_the_backing() -> None:
    """A scan area that is larger than the sheet shows the scanner's background beside it."""
    area = whole_page("Gray", 75, "legal")
    image = scanned(DrawnSheets(1, "a4"), Side(1, "front"), area)
    assert all(100 < level < 180 for level in image.tobytes()[-area.width :])


def test_a_colour_page_is_of_plausible_size() -> None:
    """A page at 300 dpi becomes a JPEG of 0.3 to 1.5 MB, as office pages do."""
    page = scanned(DrawnSheets(1, "a4"), Side(1, "front"), whole_page("Color", 300))
    file = io.BytesIO()
    page.save(file, "JPEG", quality=80)
    assert 300_000 < len(file.getvalue()) < 1_500_000


def test_images_are_paired_front_and_back(tmp_path: Path) -> None:
    """Two files make a sheet, in the order of their names; a missing last back is blank, and stacks repeat."""
    for number, level in enumerate((40, 80, 120)):
        Image.new("L", (210, 297), level).save(tmp_path / f"page-{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    sheets = ImageSheets(tmp_path, "a4")
    assert sheets.stack_size == 2
    area = whole_page("Gray", 75)
    sides = [Side(sheet, name) for sheet in (1, 2, 3) for name in ("front", "back")]
    middles = [scanned(sheets, side, area).getpixel((300, 400)) for side in sides]
    assert middles == [40, 80, 120, 255, 40, 80]


def test_an_image_is_fitted_on_the_sheet(tmp_path: Path) -> None:
    """A landscape picture becomes as wide as the sheet, and the paper below it stays white."""
    Image.new("RGB", (400, 200), "black").save(tmp_path / "wide.jpg")
    page = scanned(ImageSheets(tmp_path, "a4"), Side(1, "front"), whole_page("Lineart", 75))
    assert page.getpixel((600, 100)) == 0
    assert page.getpixel((300, 800)) == 255


def test_a_directory_without_images_is_refused(tmp_path: Path) -> None:
    """A directory without images, or with a broken one, is refused with a sentence."""
    with pytest.raises(ValueError, match="no image files"):
        ImageSheets(tmp_path, "a4")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"broken\.png"):
        ImageSheets(tmp_path, "a4")
