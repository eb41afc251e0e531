"""Pages from the simulator through the real libsane: sides, modes, areas, images, pace and memory."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from scand.simulator.marks import read_side_number
from tests.integration.simulator.process import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.simulator.process import Simulator


def test_duplex_brings_every_side_in_order(simulate: Callable[..., Simulator]) -> None:
    """A duplex batch is front, back, front, back …, then NO_DOCS from start; the log has the same sides."""
    simulator = simulate("--count", "5")
    assert simulator.client("tell(*batch(device()))") == [list(range(1, 11)), EMPTY]
    lines = [json.loads(line) for line in simulator.log.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 11))
    assert {key: lines[3][key] for key in ("number", "sheet", "side")} == {
        "number": 4,
        "sheet": 2,
        "side": "back",
    }
    assert abs(lines[3]["time"] - time.time()) < 60


@pytest.mark.parametrize(("source", "numbers"), [("ADF Front", [1, 3, 5]), ("ADF Back", [2, 4, 6])])
def test_simplex_brings_one_side_of_each(
    simulate: Callable[..., Simulator], source: str, numbers: list[int]
) -> None:
    """A simplex source scans only its own side of each sheet."""
    assert simulate("--count", "3").client(f"tell(*batch(device({source!r})))") == [numbers, EMPTY]


def test_the_flatbed_never_ends(simulate: Callable[..., Simulator]) -> None:
    """Every scan from the glass gets a new page, and the stack in the feeder is left alone."""
    told = simulate("--count", "2").client("""
d = device("Flatbed")
glass, _ = batch(d, 3)
d.source = "ADF Front"
tell(glass, *batch(d))
""")
    assert told == [[5, 7, 9], [1, 3], EMPTY]


def test_modes_and_parameters(simulate: Callable[..., Simulator]) -> None:
    """The parameters before and after start are those of the image, and lines are padded to whole bytes only."""
    told = simulate("--count", "6").client("""
answers = []
for resolution in (75, 201):
    for mode in ("Lineart", "Gray", "Color"):
        d = device("ADF Duplex", mode, resolution)
        before = d.get_parameters()
        d.start()
        after = d.get_parameters()
        image = d.snap(True)
        number = read_side_number(image, resolution)
        answers.append((mode, resolution, before, after, image.mode, image.size, number, *batch(d, 1)))
        d.close()
tell(*answers)
""")
    for sheet, (mode, resolution, before, after, image_mode, size, number, rest, end) in enumerate(told, 1):
        width, height = round(210 / 25.4 * resolution), round(297 / 25.4 * resolution)
        bytes_per_line = {"Lineart": (width + 7) // 8, "Gray": width, "Color": 3 * width}[mode]
        frame, depth = ("color" if mode == "Color" else "gray"), (1 if mode == "Lineart" else 8)
        assert before == after == [frame, 1, [width, height], depth, bytes_per_line]
        assert (image_mode, size) == ("RGB" if mode == "Color" else "L", [width, height])
        assert (number, rest, end) == (2 * sheet - 1, [2 * sheet], "")


def test_the_area_is_what_is_scanned(simulate: Callable[..., Simulator], tmp_path: Path) -> None:
    """A partial scan area equals, pixel for pixel, that part of the whole page."""
    cut, whole = tmp_path / "cut.png", tmp_path / "whole.png"
    simulate("--count", "1").client(f"""
d = device("ADF Duplex", "Gray", 100)
d.tl_x, d.tl_y, d.br_x, d.br_y = 25.4, 63.5, 101.6, 101.6
d.start()
d.snap(True).save({str(cut)!r})
d.tl_x, d.tl_y, d.br_x, d.br_y = 0.0, 0.0, 210.0, 297.0
d.start()
d.snap(True).save({str(whole)!r})
tell()
""")
    with Image.open(cut) as part, Image.open(whole) as page:
        assert part.size == (300, 150)
        assert read_side_number(page, 100) == 2
        # below the numbers: the two are different sides
        assert part.tobytes() == page.crop((100, 250, 400, 400)).tobytes()


def test_scanimage_scans_a_batch(simulate: Callable[..., Simulator], tmp_path: Path) -> None:
    """scanimage's batch mode gets every side of the stack as a file."""
    simulator = simulate("--count", "3", "--source", "ADF Duplex")
    simulator.scanimage(
        f"--batch={tmp_path}/%d.png",
        "--format=png",
        "--mode=Color",
        "--resolution=75",
        "--page-height=297",
        "-x",
        "210",
        "-y",
        "297",
    )
    numbers = []
    for number in range(1, 7):
        with Image.open(tmp_path / f"{number}.png") as page:
            assert page.size == (620, 877)
            numbers.append(read_side_number(page, 75))
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert not (tmp_path / "7.png").exists()


def test_images_from_a_directory(simulate: Callable[..., Simulator], tmp_path: Path) -> None:
    """Image files are scanned in pairs, and a simplex source scans the fronts only."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, level in enumerate((30, 90, 150, 210)):
        Image.new("L", (620, 877), level).save(pictures / f"{number}.jpg")
    simulator = simulate("--sheets", str(pictures))
    script = """
d, levels = device({source!r}), []
for _ in range({count}):
    d.start()
    levels.append(d.snap(True).getpixel((300, 400)))
tell(levels, *batch(d))
"""
    assert simulator.client(script.format(source="ADF Duplex", count=4)) == [[30, 90, 150, 210], [], EMPTY]
    simulator.command("")
    assert simulator.client(script.format(source="ADF Front", count=2)) == [[30, 150], [], EMPTY]


def test_pace(simulate: Callable[..., Simulator]) -> None:
    """With --ppm, images arrive no faster than that, and in small parts."""
    told = simulate("--count", "1", "--ppm", "240").client("""
d, marks = device(), []
begun = time.monotonic()
for _ in range(2):
    d.start()
    d.snap(True, lambda line, lines: marks.append(time.monotonic() - begun))
tell(marks[len(marks) // 4], marks[-1])
""")
    quarter, whole = told
    assert 0.05 < quarter < whole
    assert whole >= 0.45


def test_thirty_sheets_of_colour(simulate: Callable[..., Simulator]) -> None:
    """A real stack at 300 dpi in colour arrives completely, and the simulator's memory stays bounded."""
    simulator = simulate("--count", "30")
    images, end = simulator.client("""
d = device("ADF Front", "Color", 300)
images = 0
try:
    while True:
        d.start()
        images += d.dev.snap(True, False, None)[1:3] == (2480, 3508)
except Exception as error:
    tell(images, str(error))
""")
    assert (images, end) == (30, EMPTY)
    assert simulator.fed() == list(range(1, 61, 2))
    status = Path(f"/proc/{simulator.process.pid}/status").read_text("utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 200_000
