"""Scans from devices that a facts file describes: both sides, in the mode and at the size that was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf

from tests.support.devices.scanners import FILE
from tests.support.site import Site, numbers, until

if TYPE_CHECKING:
    from tests.acceptance.conftest import MakeSimulator

DEVICES = {
    "Fujitsu fi-7260, source ADF Front": "a duplex source; Letter until page-height is set",
    "Canon P-215": "likewise, canon_dr",
    "Fujitsu epjitsu": "likewise, and no br-y at all",
    "Epson GT-S50, epson2, adf-mode": "a switch of two names, which becomes active with the source",
    "Lexmark CX310dn": "a switch that is a bool",
    "Panasonic kvs20xx": "no source at all",
    "HP Officejet 6200": "batch-scan and duplex",
    "Canon DR-C240, canondr": "a switch called ScanMode, and resolutions that are strings",
    "A scanner that counts pixels": "an area in pixels",
}


def test_every_way_to_duplex_brings_every_side_of_a4(
    simulate: MakeSimulator, tmp_path: Path, migrated_url: str
) -> None:
    """Every scanner delivers front and back in turn, in colour, on pages of 210 mm by 297 mm."""
    simulators = [simulate("--count", "2", "--as", str(FILE), "--name", name) for name in DEVICES]
    config = tmp_path / "sane"
    config.mkdir()
    (config / "dll.conf").write_text("net\n")
    (config / "net.conf").write_text("".join(f"{simulator.address}\n" for simulator in simulators))
    site = Site(tmp_path, migrated_url, config, device=f"net:{simulators[0].address}:*")
    try:
        daemon = site.serving()
        for name, simulator in zip(DEVICES, simulators, strict=True):
            site.device = f"net:{simulator.address}:*"
            site.configure("")
            reloads = len(daemon.said("config_reloaded"))
            daemon.signal(signal.SIGHUP)
            until(lambda now=reloads: len(daemon.said("config_reloaded")) > now, "reloaded")  # type: ignore[misc]
            job = site.submit(name, scan="auto", mode="color")
            (batch,) = until(lambda job=job: site.batches(job), f"a batch from {name}")  # type: ignore[misc]
            pdf = Path(batch["staging_path"])
            assert numbers(pdf) == simulator.fed() == [1, 2, 3, 4], name
            assert pages(pdf) == {(210, 297, "RGB")}, name
            site.step(job, "canceled")
    finally:
        site.close()


def test_a_device_that_is_not_described_is_refused() -> None:
    """Without a name, or with a wrong one, the usage error lists the devices of the file."""
    for arguments, said in (
        ([], "several devices; name one of: plustek flatbed; "),
        (["--name", "Fujitsu"], "no device 'Fujitsu'"),
        (["--name", "Canon P-215", "--source", "Tray"], "no source 'Tray'; there are ADF Front, ADF Duplex"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "scand.cli", "simulate", "--as", str(FILE), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, said in " ".join(done.stderr.split())) == (os.EX_USAGE, True), done.stderr


def pages(pdf: Path) -> set[tuple[int, int, str]]:
    """Width and height of the pages in whole millimetres, and the mode of their images."""
    found = set()
    with pikepdf.open(pdf) as document:
        for page in document.pages:
            _, _, width, height = (float(edge) / 72 * 25.4 for edge in page.mediabox)
            (image,) = page.get_images().values()
            found.add((round(width), round(height), pikepdf.PdfImage(image).as_pil_image().mode))  # type: ignore[arg-type]
    return found
