"""The simulated device as libsane shows it: its name, its options and what they accept; and bad command lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.simulator.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.simulator.process import Simulator


def test_scanimage_lists_it(simulate: Callable[..., Simulator]) -> None:
    """The device list shows the name, vendor and model of the command line."""
    simulator = simulate("--name", "queue", "--vendor", "Acme", "--model", "Feeder 9")
    assert simulator.scanimage("-L").strip() == (
        f"device `net:{simulator.address}:queue' is a Acme Feeder 9 virtual device"
    )


def test_scanimage_shows_its_options(simulate: Callable[..., Simulator]) -> None:
    """Options have constraints, units, and the defaults of real scanners: Lineart and Letter."""
    shown = simulate().scanimage("-A")
    assert "--source Flatbed|ADF Front|ADF Back|ADF Duplex [ADF Front]" in shown
    assert "--mode Lineart|Gray|Color [Lineart]" in shown
    assert "--resolution 75..600dpi (in steps of 1) [200]" in shown
    assert "--page-height 0..355.6mm [279.4]" in shown
    assert "-y auto|0..279.4mm [279.4]" in shown


def test_setting_options_reloads_and_clamps(simulate: Callable[..., Simulator]) -> None:
    """A value out of range is clamped and INEXACT; page-height extends br-y; the flatbed makes it inactive."""
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
    """A value outside the list, an inactive option and a change during a scan get the standard's status."""
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


def test_a_client_that_sets_nothing_gets_it_wrong(simulate: Callable[..., Simulator]) -> None:
    """A client that sets nothing gets A4 cut to Letter in black and white, as from real scanners."""
    parameters = simulate().client("tell(sane.open(sane.get_devices()[0][0]).get_parameters())")[0]
    assert parameters == ["gray", 1, [1700, 2200], 1, 213]


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
    """A command line that cannot work is refused with a sentence and an exit status of sysexits(3)."""
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
