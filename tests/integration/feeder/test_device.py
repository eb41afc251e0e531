"""The feeder with SANE's own test backend, with each of its faults.

Whatever a driver does, a page comes out right, or is refused with a sentence; it never comes out wrong.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from scand.spool.records import End
from tests.support.feeder import Batch, Feeder

if TYPE_CHECKING:
    from collections.abc import Iterator

DPI = 50
WIDTH, HEIGHT = 70, 60  # mm: whole squares of the grid, and a half


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeder]:
    """A feeder at the test backend's one device."""
    directory = tmp_path_factory.mktemp("test-backend")
    (directory / "dll.conf").write_text("test\n")
    (directory / "test.conf").write_text("number_of_devices 1\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SANE_CONFIG_DIR", str(directory))
        feeder = Feeder(directory, "test:0")
        yield feeder
        feeder.close()


def side(backend: Feeder, mode: str = "gray", options: dict[str, Any] | None = None) -> Batch:
    """One side from the glass, with the options set after all else."""
    return backend.scan(
        source="flatbed",
        mode=mode,
        resolution=DPI,
        page_size=f"{WIDTH}x{HEIGHT}mm",
        options={"test-picture": "Grid"} | (options or {}),
    )


def grid(width: int, height: int) -> Image.Image:
    """The test backend's Grid: squares of 10 mm. Source: sane-backends, backend/test-picture.c."""
    square = 10 * DPI / 25.4
    period = int(2 * square + 0.5)
    image = Image.new("L", (width, height))
    image.putdata(
        [
            0 if int(x / square) % 2 ^ (y % period > int(square + 0.5)) else 255
            for y in range(height)
            for x in range(width)
        ]
    )
    return image


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("gray", {}),
    ("color", {}),
    ("lineart", {}),
    ("gray", {"read-limit": True, "read-limit-size": 1}),
    ("color", {"read-limit": True, "read-limit-size": 137}),
    ("lineart", {"read-limit": True, "read-limit-size": 3}),
    ("gray", {"read-delay": True, "read-delay-duration": 200_000}),
    ("gray", {"fuzzy-parameters": True}),
    ("color", {"fuzzy-parameters": True}),
    ("gray", {"non-blocking": True}),
    ("gray", {"select-fd": True}),
]


@pytest.mark.parametrize(("mode", "options"), RIGHT, ids=str)
def test_what_the_test_backend_makes_difficult_comes_out_right(
    backend: Feeder, mode: str, options: dict[str, Any]
) -> None:
    """Every pixel is right, however the driver delivers the data."""
    batch = side(backend, mode, options)
    assert batch.end == End()
    (page,) = batch.pages
    with Image.open(page) as image:
        assert image.size == (int(WIDTH * DPI / 25.4), int(HEIGHT * DPI / 25.4))
        assert image.mode == {"color": "RGB", "lineart": "1", "gray": "L"}[mode]
        assert image.convert("L").tobytes() == grid(*image.size).tobytes()


@pytest.mark.parametrize(("picture", "blank"), [("Grid", False), ("Solid white", True)])
@pytest.mark.parametrize("mode", ["lineart", "gray"])
def test_blank_sides_are_found_in_bits_as_in_bytes(
    backend: Feeder, mode: str, picture: str, blank: bool
) -> None:
    """Lineart comes as bits, and its ink is measured all the same."""
    batch = backend.scan(
        source="flatbed",
        mode=mode,
        resolution=100,
        page_size=f"{WIDTH}x{HEIGHT}mm",
        blank_pages="drop",
        options={"test-picture": picture},
    )
    assert batch.end == End()
    (line,) = (batch.directory / "pages.jsonl").read_text().splitlines()
    assert json.loads(line)["blank"] is blank


def test_a_page_of_unknown_length_is_as_long_as_what_came(backend: Feeder) -> None:
    """A hand-scanner says lines = -1; the test backend's delivers 110 mm x 170 mm."""
    batch = side(backend, options={"hand-scanner": True})
    assert batch.end == End()
    with Image.open(batch.pages[0]) as image:
        assert image.size == (int(110 * DPI / 25.4), int(170 * DPI / 25.4))
        assert image.tobytes() == grid(*image.size).tobytes()


def test_a_page_of_unknown_length_may_be_large(backend: Feeder) -> None:
    """A page that does not fit into the first buffer is not cut, and nothing of it is lost."""
    batch = backend.scan(
        source="flatbed",
        mode="color",
        resolution=600,
        options={"test-picture": "Color pattern", "hand-scanner": True},
    )
    assert batch.end == End()
    with Image.open(batch.pages[0]) as image:
        assert image.size == (int(110 * 600 / 25.4), int(170 * 600 / 25.4))
        rows = [image.crop((0, y, image.width, y + 1)).tobytes() for y in range(image.height)]
    # In that pattern a line comes once, another four times, and so on: a piece lost or doubled would break it.
    lengths = [len(list(run)) for _, run in groupby(rows)]
    assert lengths[2:-1] == lengths[:-3]
    assert sum(lengths) == image.height


ORDERS = ("RGB", "RBG", "GBR", "GRB", "BRG", "BGR")
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("gray", {"depth": 16}, "8 bits a sample"),
    ("color", {"depth": 16}, "8 bits a sample"),
    ("gray", {"depth": 16, "invert-endianess": True}, "8 bits a sample"),
    ("color", {"depth": 1}, "colour of 1 bit a sample"),
    ("gray", {"ppl-loss": 7}, "lines of 137 bytes for 130 pixels"),
    *(("color", {"three-pass": True, "three-pass-order": order}, "several passes") for order in ORDERS),
]


@pytest.mark.parametrize(("mode", "options", "why"), WRONG, ids=str)
def test_what_would_come_out_as_a_wrong_picture_is_refused(
    backend: Feeder, mode: str, options: dict[str, Any], why: str
) -> None:
    """The batch ends with unsupported_settings and the reason, and has no page."""
    batch = side(backend, mode, options)
    assert batch.end.code == "unsupported_settings"
    assert why in batch.end.detail
    assert batch.pages == []


def test_options_of_former_settings_do_not_stay(backend: Feeder) -> None:
    """Many drivers keep the value of an option for as long as they are loaded."""
    assert side(backend, options={"hand-scanner": True}).end == End()
    batch = side(backend)
    with Image.open(batch.pages[0]) as image:
        assert image.size == (int(WIDTH * DPI / 25.4), int(HEIGHT * DPI / 25.4))


STATUSES = {
    "UNSUPPORTED": "device_error",
    "CANCELLED": "canceled",
    "DEVICE_BUSY": "device_error",  # not device_busy: that is tried again, and this sheet has gone through
    "INVAL": "device_error",
    "EOF": "device_error",
    "JAMMED": "feeder_jammed",
    "NO_DOCS": "feeder_empty",
    "COVER_OPEN": "cover_open",
    "IO_ERROR": "device_error",
    "NO_MEM": "device_error",
    "ACCESS_DENIED": "device_error",
}


@pytest.mark.parametrize(("status", "code"), STATUSES.items())
def test_each_status_of_a_read_is_a_fault_of_its_own(backend: Feeder, status: str, code: str) -> None:
    """The batch has no page, and the next batch is whole again."""
    batch = side(backend, options={"read-return-value": f"SANE_STATUS_{status}"})
    assert (batch.end.code, batch.pages) == (code, [])
    assert side(backend).end == End()
