"""The feeder with a misbehaving driver: frames that it cannot use, sheets half read, and rubbish on stdout."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from resource import RLIMIT_AS, RLIMIT_FSIZE
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from scand import wire
from scand.spool.records import End
from scand.wire.child import Child, clean_environment
from scand.wire.output import LINES_A_SECOND
from tests.support.feeder import PATIENCE, Feeder, numbers
from tests.support.rude import OTHER, Rude

if TYPE_CHECKING:
    from collections.abc import Callable


def test_parameters_before_the_start_are_an_estimate(rude: Rude, feeder: Feeder) -> None:
    """Parameters that are zero or missing before the start are accepted; after it they must be exact."""
    rude.behave("early 1")
    assert numbers(feeder.scan()) == [1, 2, 3]
    rude.behave("parameters@0 4")
    assert numbers(feeder.scan()) == [1, 2, 3]


ODD_FRAMES = [
    (("depth 16",), "16 bits a sample"),
    (("early 1", "depth 16"), "16 bits a sample"),
    (("passes 3",), "several passes"),
    (("padding 5",), "lines of 448 bytes for 443 pixels"),
    (("pixels 0",), "lines of 0 bytes for 0 pixels"),
]


@pytest.mark.parametrize(("says", "why"), ODD_FRAMES, ids=str)
def test_frames_that_would_be_spoiled_are_refused(
    rude: Rude, feeder: Feeder, says: tuple[str, ...], why: str
) -> None:
    """They are refused whether the driver announces them before the start or only after it."""
    rude.behave(*says)
    batch = feeder.scan()
    assert batch.end.code == "unsupported_settings"
    assert why in batch.end.detail
    assert batch.pages == []


def test_a_page_of_unknown_length_that_ends_early_is_what_came(rude: Rude, feeder: Feeder) -> None:
    """40 lines of a roll are a page of 40 lines; no line at all is a device error."""
    rude.behave("lines -1", "deliver 40")
    batch = feeder.scan()
    assert batch.end == End()
    assert numbers(batch) == [1, 2, 3]
    with Image.open(batch.pages[0]) as image:
        assert image.size == (443, 40)
    rude.behave("lines -1", "deliver 0")
    batch = feeder.scan()
    assert (batch.end.code, batch.pages) == ("device_error", [])


SCARCE = [(RLIMIT_AS, "no memory"), (RLIMIT_FSIZE, "could not be encoded")]


@pytest.mark.parametrize(("resource", "why"), SCARCE, ids=["memory", "encoder"])
def test_a_page_without_memory_ends_only_its_batch(
    rude: Rude, feeder: Feeder, resource: int, why: str
) -> None:
    """The feeder goes on and reports it, and it is not taken for a full disk."""
    assert numbers(feeder.scan()) == [1, 2, 3]
    feeder.limit(resource, 64 << 10)
    rude.behave("pixels 10000", "lines 10000")
    batch = feeder.scan(format="jpeg")
    assert batch.end.code == "device_error"
    assert why in batch.end.detail
    assert batch.pages == []


MID_PAGE = [
    ("read@2 7", "device_error", "30 of 59 lines"),  # NO_DOCS: this sheet is half read
    ("first@2 7", None, ""),  # NO_DOCS before any line: the end of the stack
    ("read@2 3", "device_error", "Device busy"),
    ("read@2 99", "device_error", "Unknown SANE status code 99"),
    ("read@2 6", "feeder_jammed", ""),
]


@pytest.mark.parametrize(("fault", "code", "detail"), MID_PAGE)
def test_a_sheet_that_is_half_read_is_never_the_end_of_the_stack(
    rude: Rude, feeder: Feeder, fault: str, code: str | None, detail: str
) -> None:
    """The page before it is safe, and the batch is complete only if no line of the sheet had come."""
    rude.behave(fault)
    batch = feeder.scan()
    assert batch.end.code == code
    assert detail in batch.end.detail
    assert numbers(batch) == [1]


# What the driver prints.


def printed(child: Child, enough: Callable[[list[tuple[str, str]]], bool]) -> list[tuple[str, str]]:
    """The lines that it prints, read until there are enough."""
    told: list[tuple[str, str]] = []
    end = time.monotonic() + PATIENCE
    while not enough(told):
        assert time.monotonic() < end, told[-3:]
        select.select([output.fd for output in child.output.values()], [], [], 0.05)
        told += child.printed()
    return told


def test_a_driver_that_prints_without_end_neither_blocks_nor_fills_the_log(rude: Rude) -> None:
    """Of 20,000 lines a call on each stream, all are read, some are returned, and the rest are counted."""
    rude.behave("output 20000")
    child = Child("scand.feeder", clean_environment())
    try:
        child.say(wire.ListDevices())
        reports: list[wire.Report] = []

        def answered(_told: list[tuple[str, str]]) -> bool:
            reports.extend(child.reports())
            return any(isinstance(report, wire.Devices) for report in reports)

        begun = time.monotonic()
        told = printed(child, answered)
        seconds = time.monotonic() - begun
        told += child.printed(last=True)
    finally:
        child.kill()
        child.reap(PATIENCE)
        child.close()
    for stream in ("stdout", "stderr"):
        lines = [line for name, line in told if name == stream]
        assert lines[0].startswith("rude init")
        assert all(line.isprintable() for line in lines)
        assert len(lines) <= (LINES_A_SECOND + 1) * (int(seconds) + 3)  # the child is older than `begun`
        dropped = [int(line.split()[0][1:]) for line in lines if line.endswith("more lines)")]
        assert sum(dropped) + len(lines) - len(dropped) > 30_000


def scand(*arguments: str) -> Any:
    """What a command prints, as JSON."""
    command = [sys.executable, "-m", "scand.cli", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)


def test_the_command_line_looks_for_the_scanner_as_the_daemon_does(rude: Rude) -> None:
    """`devices` lists and `probe` opens by pattern, whatever the driver prints, and also when it crashes."""
    rude.behave("output 20000", scanners=("device usb:001 fi-7160", OTHER))
    assert [(each["name"], each["model"]) for each in scand("devices", "--json")] == [
        ("rude:usb:001", "fi-7160"),
        ("rude:usb:009", "ScanSnap iX500"),
    ]
    wishes = [f"--set={wish}" for wish in ("sides=simplex", "mode=gray", "resolution=75")]
    probe = ("probe", "--json", *wishes, "--device")
    assert scand(*probe, "ScanSnap*")["device"] == "rude:usb:009"
    refused = scand(*probe, "rude:*")
    assert refused["error_code"] == "device_not_found"
    assert "rude:usb:001 (Rude fi-7160), rude:usb:009 (Rude ScanSnap iX500)" in refused["error"]
    rude.behave("open crash")
    assert scand(*probe, "fi-7160")["error_code"] == "driver_crashed"
