"""The simulator as a process of its own, seen through the real libsane: python-sane and scanimage.

libsane is never loaded here: each client is a process too, so that one that hangs or crashes is only that.
"""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scand.simulator.marks import read_side_number

ROOT = Path(__file__).parents[3]
_NUMBERS = itertools.count()

CLIENT = """
import json, sane, sys, time
from scand.simulator.marks import read_side_number

sane.init()

def device(source="ADF Duplex", mode="Gray", resolution=75):
    name = sane.get_devices()[0][0]
    device = sane.open(name)
    device.source, device.mode, device.resolution = source, mode, resolution
    if source != "Flatbed":
        device.page_height = 297.0
    device.br_x, device.br_y = 210.0, 297.0
    return device

def batch(device, most=1000):
    numbers = []
    try:
        while len(numbers) < most:
            device.start()
            numbers.append(read_side_number(device.snap(True), device.resolution))
    except Exception as error:
        return numbers, str(error)
    return numbers, ""

def tell(*answers):
    print(json.dumps(answers), flush=True)
"""

EMPTY = "Document feeder out of documents"


@dataclass
class Simulator:
    """A running simulator, and how to be its client or the person at its feeder."""

    process: subprocess.Popen[str]
    address: str
    config: Path
    control_file: Path
    log: Path

    def environment(self) -> dict[str, str]:
        """Make an environment in which libsane finds the simulator, and nothing else."""
        return os.environ | {"SANE_CONFIG_DIR": str(self.config), "LC_ALL": "C", "PYTHONPATH": str(ROOT)}

    def start_client(self, script: str) -> subprocess.Popen[str]:
        """Start a python-sane client, which has the functions of CLIENT."""
        return subprocess.Popen(
            [sys.executable, "-c", CLIENT + script], env=self.environment(), stdout=subprocess.PIPE, text=True
        )

    def client(self, script: str) -> list[Any]:
        """Run a client to its end, and return what it told first."""
        with self.start_client(script) as client:
            try:
                told, _ = client.communicate(timeout=20)
            finally:
                client.kill()
        assert client.returncode == 0
        answer: list[Any] = json.loads(told.splitlines()[0])
        return answer

    def scanimage(self, *arguments: str) -> str:
        """Run scanimage, and return what it printed (stdout and stderr)."""
        done = subprocess.run(
            ["scanimage", *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout

    def wish(self, text: str) -> None:
        """Reload the feeder by the control file, and wait until that was done."""
        draft = self.control_file.with_suffix(".draft")
        draft.write_text(text)
        draft.rename(self.control_file)
        while self.control_file.exists():
            time.sleep(0.01)

    def fed(self) -> list[int]:
        """Read the numbers of the sides that were delivered, in order."""
        return [json.loads(line)["number"] for line in self.log.read_text().splitlines()]


@pytest.fixture
def simulate(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Start simulators, each on a loopback address that no other test process uses; stop them at the end."""
    running: list[Simulator] = []

    def start(*arguments: str) -> Simulator:
        turn = next(_NUMBERS)
        pid = os.getpid()
        address = f"127.{64 + turn % 128}.{pid >> 8 & 255}.{pid & 255}"
        place = tmp_path / str(turn)
        place.mkdir()
        command = [sys.executable, "-m", "scand.simulator", "--listen", address]
        command += ["--net-config", str(place / "sane"), "--reload", str(place / "reload")]
        command += ["--log", str(place / "fed.jsonl"), *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline().startswith(f"listening on {address}")
        simulator = Simulator(process, address, place / "sane", place / "reload", place / "fed.jsonl")
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.process.terminate()
        with simulator.process:
            assert simulator.process.wait(timeout=10) == 0


def test_scanimage_lists_it(simulate: Callable[..., Simulator]) -> None:
    """The device list shows name, vendor and model as they were given."""
    simulator = simulate("--name", "queue", "--vendor", "Acme", "--model", "Feeder 9")
    assert simulator.scanimage("-L").strip() == (
        f"device `net:{simulator.address}:queue' is a Acme Feeder 9 virtual device"
    )


def test_scanimage_shows_its_options(simulate: Callable[..., Simulator]) -> None:
    """Options show constraints, units and the defaults of real scanners: Lineart, Letter."""
    shown = simulate().scanimage("-A")
    assert "--source Flatbed|ADF Front|ADF Back|ADF Duplex [ADF Front]" in shown
    assert "--mode Lineart|Gray|Color [Lineart]" in shown
    assert "--resolution 75..600dpi (in steps of 1) [200]" in shown
    assert "--page-height 0..355.6mm [279.4]" in shown
    assert "-y auto|0..279.4mm [279.4]" in shown


def test_setting_options_reloads_and_clamps(simulate: Callable[..., Simulator]) -> None:
    """A value out of range is clamped and INEXACT; page-height widens br-y; flatbed makes it inactive."""
    told = simulate().client("""
d = sane.open(sane.get_devices()[0][0])
def put(name, value):
    return d.dev.set_option(d[name].index, value), getattr(d, name)
before = d["br_y"].constraint
first = put("br_y", 297.0)
grown = put("page_height", 297.0)
d = d if d._SaneDev__load_option_dict() is None else d
after = d["br_y"].constraint
exact = put("br_y", 297.0)
dpi = put("resolution", 1200)
d.source = "Flatbed"
tell(before, first, grown, after, exact, dpi, d["page_height"].is_active(), d["br_y"].constraint)
""")
    before, first, grown, after, exact, dpi, active, glass = told
    inexact, reload_options, reload_params = 1, 2, 4
    assert before[1] == pytest.approx(279.4, abs=1e-3)
    assert first == [inexact | reload_params, pytest.approx(279.4, abs=1e-3)]
    assert grown == [reload_options | reload_params, 297.0]
    assert after[1] == 297.0
    assert exact == [reload_params, 297.0]
    assert dpi == [inexact | reload_params, 600]
    assert not active
    assert glass[1] == pytest.approx(297.18, abs=1e-3)


def test_a_posed_device_has_the_drivers_own_options(
    simulate: Callable[..., Simulator], tmp_path: Path
) -> None:
    """A facts file's numbers, steps, buttons and sensors reach libsane, under the driver's own SANE name."""
    file = tmp_path / "facts.json"
    options = [
        {"name": "resolution", "type": "int", "unit": "dpi", "list": [75, 150, 300], "value": 75},
        {"name": "br-x", "type": "fixed", "unit": "mm", "range": [0, 216, 0.5], "value": 216},
        {"name": "duplex", "type": "bool", "value": False},
        {"name": "calibrate", "type": "button"},
        {"name": "page-loaded", "type": "bool", "value": True, "hardware": True},
    ]
    entry = {"name": "Acme 1, odd", "device": "net:192.0.2.7:acme:usb?serial=1", "options": options}
    file.write_text(json.dumps([entry]))
    simulator = simulate("--as", str(file))
    told = simulator.client("""
d = sane.open(sane.get_devices()[0][0])
def put(name, value):
    return d.dev.set_option(d[name].index, value), getattr(d, name)
resolution = d["resolution"].constraint, put("resolution", 200), put("resolution", 300)
width = put("br_x", 100.2)
duplex = put("duplex", 1)
tell(sane.get_devices()[0][:3], resolution, width, duplex, d.page_loaded, d["page_loaded"].is_settable())
""")
    device, resolution, width, duplex, loaded, settable = told
    assert device == [f"net:{simulator.address}:acme:usb?serial=1", "Acme", "1"]
    inexact, reload_params = 1, 4
    assert resolution == [[75, 150, 300], [inexact | reload_params, 150], [reload_params, 300]]
    assert width == [inexact | reload_params, 100.0]
    assert duplex == [reload_params, 1]
    assert (loaded, settable) == (1, 0)
    pressed = simulator.scanimage("--calibrate", "--dont-scan", "--format=pnm")  # python-sane presses none
    assert pressed == ""


def test_bad_values_are_refused(simulate: Callable[..., Simulator]) -> None:
    """What is not in the list, inactive, or being scanned with is refused, with the standard's status."""
    told = simulate().client("""
d = device("Flatbed")
def refusal(change):
    try:
        return change()
    except Exception as error:
        return str(error)
def auto(name):
    return d.dev.set_auto_option(d[name].index)
bad = refusal(lambda: d.dev.set_option(d["mode"].index, "Sepia"))
inactive = refusal(lambda: d.dev.set_option(d["page_width"].index, 100.0))
no_auto = refusal(lambda: auto("mode"))
d.br_y = 100.0
auto("br_y")
height = d.br_y
d.tl_y = height
empty = refusal(d.start)
d.tl_y = 0.0
d.start()
busy = refusal(lambda: d.dev.set_option(d["mode"].index, "Gray"))
again = refusal(lambda: sane.open(d.devname))
tell(bad, inactive, no_auto, height, empty, busy, again)
""")
    bad, inactive, no_auto, height, empty, busy, again = told
    assert bad == inactive == empty == "Invalid argument"
    assert no_auto == "Operation not supported"
    assert height == pytest.approx(297.18, abs=1e-3)
    assert busy == again == "Device busy"


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
    """A simplex source scans its side of each sheet only."""
    assert simulate("--count", "3").client(f"tell(*batch(device({source!r})))") == [numbers, EMPTY]


def test_the_flatbed_never_ends(simulate: Callable[..., Simulator]) -> None:
    """The glass always has a page, each time a new one, and the stack in the feeder is left alone."""
    told = simulate("--count", "2").client("""
d = device("Flatbed")
glass, _ = batch(d, 3)
d.source = "ADF Front"
tell(glass, *batch(d))
""")
    assert told == [[5, 7, 9], [1, 3], EMPTY]


def test_modes_and_parameters(simulate: Callable[..., Simulator]) -> None:
    """The parameters before and after start are those of the image, and lines are never padded."""
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
    """A window of the page is, pixel for pixel, that window cut out of the whole page."""
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


def test_a_client_that_sets_nothing_gets_it_wrong(simulate: Callable[..., Simulator]) -> None:
    """The defaults cut A4 to Letter in black and white, as those of real scanners do."""
    parameters = simulate().client("tell(sane.open(sane.get_devices()[0][0]).get_parameters())")[0]
    assert parameters == ["gray", 1, [1700, 2200], 1, 213]


def test_scanimage_scans_a_batch(simulate: Callable[..., Simulator], tmp_path: Path) -> None:
    """The batch mode of scanimage gets every side of the stack as a file."""
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
    """Image files are scanned in pairs, and simplex takes the fronts only."""
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
    simulator.wish("")
    assert simulator.client(script.format(source="ADF Front", count=2)) == [[30, 150], [], EMPTY]


def test_sighup_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """An empty feeder is filled again by SIGHUP, and the numbers go on."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    assert simulator.client(script) == [[1, 2, 3, 4], EMPTY]
    assert simulator.client(script) == [[], EMPTY]
    simulator.process.send_signal(signal.SIGHUP)
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    assert simulator.fed() == list(range(1, 9))


def test_the_control_file_loads_a_new_stack(simulate: Callable[..., Simulator]) -> None:
    """So does the control file, which may say how many sheets, or from which one the stack goes in again."""
    simulator = simulate("--count", "2")
    script = "tell(*batch(device()))"
    simulator.client(script)
    simulator.wish("")
    assert simulator.client(script) == [[5, 6, 7, 8], EMPTY]
    simulator.wish("1")
    assert simulator.client(script) == [[9, 10], EMPTY]
    simulator.wish("from 4")
    assert simulator.client(script) == [[7, 8, 9, 10], EMPTY]
    simulator.wish("three")
    assert simulator.client(script) == [[], EMPTY]


def test_the_control_file_lets_faults_come(simulate: Callable[..., Simulator]) -> None:
    """A line each, in order; one that is no fault harms nobody."""
    simulator = simulate("--count", "2")
    simulator.wish("fault jam@2\nfault fire@1\nfault busy@1")
    script = "tell(*batch(device()))"
    assert "Device busy" in simulator.scanimage("-A")
    assert simulator.client(script) == [[1, 2], "Document feeder jammed"]
    simulator.wish("1\nfrom 2\nfault cover@3")
    assert simulator.client(script) == [[3, 4], "Scanner cover is open"]


def test_reload_between_two_starts(simulate: Callable[..., Simulator]) -> None:
    """The same client can go on after the feeder was reloaded: whoever reloads first finds it loaded."""
    simulator = simulate("--count", "1")
    told = simulator.client(f"""
import os, signal
d = device()
first = batch(d)
os.kill({simulator.process.pid}, signal.SIGHUP)
second = batch(d)
with open({str(simulator.control_file)!r} + ".draft", "w") as draft:
    draft.write("2")
os.rename({str(simulator.control_file)!r} + ".draft", {str(simulator.control_file)!r})
tell(first, second, batch(d))
""")
    assert told == [[[1, 2], EMPTY], [[3, 4], EMPTY], [[5, 6, 7, 8], EMPTY]]


def test_a_cancelled_sheet_goes_in_again(simulate: Callable[..., Simulator]) -> None:
    """A sheet whose back was never scanned is put back by the next reload, before those that wait."""
    simulator = simulate("--count", "3")
    told = simulator.client("""
d = device()
first = batch(d, 3)
d.cancel()
tell(first, batch(d))
""")
    assert told == [[[1, 2, 3], ""], [[5, 6], EMPTY]]
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[3, 4], EMPTY]


@pytest.mark.parametrize("progress", [0, 200])
def test_a_killed_client_leaves_it_ready(simulate: Callable[..., Simulator], progress: int) -> None:
    """A client killed in the middle of a page (after START, or some lines) is forgotten at once."""
    simulator = simulate("--count", "3")
    client = simulator.start_client(f"""
d = device("ADF Duplex", "Color", 300)
d.start()
d.snap(True)
d.start()
def stop(line, lines):
    if line == {progress}:
        tell("mid-page")
        time.sleep(60)
if {progress}:
    d.snap(True, stop)
stop(0, 0)
""")
    with client:
        assert client.stdout
        client.stdout.readline()
        client.kill()
    simulator.process.send_signal(signal.SIGHUP)
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4, 5, 6], EMPTY]


def test_clients_one_after_the_other_and_at_once(simulate: Callable[..., Simulator]) -> None:
    """While one client holds the device others can list it, not open it; afterwards they can."""
    simulator = simulate("--count", "1")
    with simulator.start_client("d = device(); tell(1); time.sleep(60)") as holder:
        assert holder.stdout
        holder.stdout.readline()
        assert "simulated scanner" in simulator.scanimage("-L")
        assert "Device busy" in simulator.scanimage("-A")
        holder.kill()
    assert "Geometry" in simulator.scanimage("-A")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]


@pytest.mark.parametrize(
    ("fault", "numbers", "message", "again", "after_reload"),
    [
        ("jam@2", [1, 2], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("jam@2:back", [1, 2, 3], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("cover@1", [], "Scanner cover is open", [], [1, 2, 3, 4, 5, 6]),
        ("double@2", [1, 2], "Document feeder jammed", [], [3, 4, 5, 6]),
        ("io@3:back", [1, 2, 3, 4, 5], "Error during device I/O", [], [5, 6]),
        ("io@2", [1, 2], "Error during device I/O", [5, 6], [3, 4]),
        ("empty-read@2", [1, 2], EMPTY, [3, 4, 5, 6], [7, 8, 9, 10, 11, 12]),
        ("empty-read@4", [1, 2, 3, 4, 5, 6], EMPTY, [], [7, 8, 9, 10, 11, 12]),
    ],
)
def test_faults_with_a_status(
    simulate: Callable[..., Simulator],
    fault: str,
    numbers: list[int],
    message: str,
    again: list[int],
    after_reload: list[int],
) -> None:
    """A fault comes once, at its sheet; a jam stays until reloaded; then the sheet goes in again first."""
    simulator = simulate("--count", "3", "--fault", fault)
    told = simulator.client(f"""
import os, signal
d = device()
first = batch(d)
d.cancel()
again = batch(d)[0]
os.kill({simulator.process.pid}, signal.SIGHUP)
tell(first, again, batch(d))
""")
    assert told == [[numbers, message], again, [after_reload, EMPTY]]
    assert simulator.fed() == numbers + again + after_reload


def test_a_truncated_page_is_short(simulate: Callable[..., Simulator]) -> None:
    """A truncated page ends well with half of its lines, and does not count as delivered."""
    simulator = simulate("--count", "2", "--fault", "truncate@1:back")
    told = simulator.client("""
d = device()
sizes = []
for _ in range(4):
    d.start()
    sizes.append((d.get_parameters()[2][1], d.snap(True).height))
tell(sizes)
""")
    assert told == [[[877, 877], [877, 438], [877, 877], [877, 877]]]
    assert simulator.fed() == [1, 3, 4]
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]


@pytest.mark.parametrize(
    ("fault", "last"),
    [("hang@2", [438]), ("close@2", [438]), ("hang-first@2", ["started"]), ("hang-start@2", ["starts"])],
)
def test_a_hang_lasts_until_the_client_is_killed(
    simulate: Callable[..., Simulator], fault: str, last: list[Any]
) -> None:
    """Nothing comes any more, and only a kill helps; the next client is served."""
    simulator = simulate("--count", "3", "--fault", fault)
    client = simulator.start_client("""
d = device("ADF Duplex", "Gray", 75)
batch(d, 2)
tell("starts")
d.start()
tell("started")
d.snap(True, lambda line, lines: tell(line))
tell("ended")
""")
    with client:
        assert client.stdout
        for line in client.stdout:
            if json.loads(line) == last:
                break
        with pytest.raises(subprocess.TimeoutExpired):
            client.wait(0.3)
        client.kill()
        assert client.stdout.read() == ""
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[3, 4, 5, 6], EMPTY]


def test_a_cut_connection_is_an_io_error(simulate: Callable[..., Simulator]) -> None:
    """Connections reset in the middle of a page are an I/O error, and a new client is well served.

    The old one must go without another call: with its control connection gone, net.c works on replies that
    were never written, and says anything or crashes.
    """
    simulator = simulate("--count", "2", "--fault", "cut@1:back")
    told = simulator.client("import os; tell(*batch(device(mode='Color', resolution=300))); os._exit(0)")
    assert told == [[1], "Error during device I/O"]
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4], EMPTY]


def test_a_connection_gone_before_the_answer_to_start(simulate: Callable[..., Simulator]) -> None:
    """The client gets no page, and may crash (net.c reads a reply that was never written); a new one is served."""
    simulator = simulate("--count", "2", "--fault", "gone@1:back")
    with simulator.start_client("import os; tell(*batch(device())); os._exit(0)") as client:
        try:
            client.communicate(timeout=20)
        finally:
            client.kill()
    assert simulator.fed() == [1]
    simulator.wish("")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4], EMPTY]


def test_an_endless_feeder(simulate: Callable[..., Simulator]) -> None:
    """Sheets come where there are none any more, with numbers that go on."""
    simulator = simulate("--count", "1", "--fault", "endless@2")
    assert simulator.client("tell(*batch(device()))") == [[1, 2, 3, 4, 5, 6], EMPTY]
    endless = simulate("--count", "0", "--fault", "endless")
    assert endless.client("tell(*batch(device(), 20))") == [list(range(1, 21)), ""]


def test_busy_and_denied(simulate: Callable[..., Simulator]) -> None:
    """Busy comes at the first opens, denied at each."""
    busy = simulate("--fault", "busy@2")
    assert ["Device busy" in busy.scanimage("-A") for _ in range(3)] == [True, True, False]
    denied = simulate("--fault", "denied")
    assert all("Access to resource has been denied" in denied.scanimage("-A") for _ in range(2))


def test_pace(simulate: Callable[..., Simulator]) -> None:
    """With --ppm images come no faster than that, little by little."""
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
    """A real stack at 300 dpi in colour comes whole, and the simulator's memory stays bounded."""
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


def test_strangers_are_hung_up_on(simulate: Callable[..., Simulator]) -> None:
    """What does not speak SANE, or stops in the middle of a word, harms nobody."""
    simulator = simulate("--count", "1")
    with socket.create_connection((simulator.address, 6566)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert stranger.recv(10) == b""
    with socket.create_connection((simulator.address, 6566)) as quitter:
        quitter.sendall(b"\0\0")
    assert simulator.client("tell(*batch(device()))") == [[1, 2], EMPTY]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--fault", "jam"], os.EX_USAGE, "needs a number"),
        (["--fault", "fire@1"], os.EX_USAGE, "there is no fault 'fire'"),
        (["--fault", "endless@1:back"], os.EX_USAGE, "only a sheet has sides"),
        (["--sheets", "/nowhere"], os.EX_USAGE, "does not exist"),
        (["--sheets", "/proc", "--count", "1"], os.EX_USAGE, "leave out --count"),
        (["--port", "6567", "--net-config", "/nowhere"], os.EX_USAGE, "knows no other"),
        (["--frobnicate"], os.EX_USAGE, "No such option"),
        (["--log", "/nowhere/fed.jsonl"], os.EX_UNAVAILABLE, "/nowhere/fed.jsonl: No such file"),
        ([], os.EX_UNAVAILABLE, "another program listens there"),
    ],
)
def test_exit_statuses(
    simulate: Callable[..., Simulator], arguments: list[str], status: int, sentence: str
) -> None:
    """What cannot be done is refused with a sentence and a status of sysexits."""
    address = simulate().address if not arguments else f"127.63.0.{1 + os.getpid() % 250}"
    done = subprocess.run(
        [sys.executable, "-m", "scand.simulator", "--listen", address, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == status
    assert sentence in " ".join(done.stderr.split())
