"""What people use today: `scanimage` into files, and a program that makes a PDF of them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.installation import PATIENCE
from tests.bench.processes import watched

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.scanners import Scanner

QUALITY = 75
"""JPEG quality for all: libjpeg's default, and the only one of `scanimage` 1.2."""

IMG2PDF, CONVERT = "scanimage jpeg + img2pdf", "scanimage tiff + convert"


@dataclass(frozen=True, slots=True)
class Run:
    """What a stack took.

    Attributes:
        seconds: from the command to the PDF.
        cpu: seconds of CPU time.
        pss: peak memory in MB.
    """

    seconds: float
    cpu: float
    pss: float


def command(peer: str, scanner: Scanner, mode: str, dpi: int, sides: int) -> str:
    """The shell command that makes out.pdf from the first `sides` sides in the feeder.

    Debian's policy forbids ImageMagick to write PDF, but not PDF/A. For lineart it uses Flate: for CCITT G4 in a
    PDF, which scand makes, ImageMagick 6.9.11 takes minutes a page.
    """
    scan = shlex.join(
        [
            "scanimage", "-d", scanner.device, *scanner.arguments, *scanner.modes[mode], f"--resolution={dpi}",
            f"--batch-count={sides}",
        ]
    )  # fmt: skip
    if peer == IMG2PDF:
        img2pdf = shlex.join([sys.executable, "-m", "img2pdf"])
        return f"{scan} --format=jpeg --batch=page-%04d.jpg && {img2pdf} page-*.jpg -o out.pdf"
    how = "-compress Zip" if mode == "lineart" else f"-compress jpeg -quality {QUALITY}"
    return f"{scan} --format=tiff --batch=page-%04d.tif && {_convert()} page-*.tif {how} pdfa:out.pdf"


def _convert() -> str:
    """The system's own `convert` of ImageMagick."""
    found = shutil.which("convert", path=os.pathsep.join(("/usr/bin", os.environ["PATH"])))
    assert found, "ImageMagick is missing: make bench installs it"
    return found


def run(line: str, scanner: Scanner, directory: Path) -> Run:
    """Run a shell command in a new directory."""
    directory.mkdir()
    begun = time.monotonic()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["timeout", f"{PATIENCE:g}", "sh", "-c", line],
            cwd=directory,
            env=os.environ | {"SANE_CONFIG_DIR": str(scanner.config), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        with watched(process.pid) as peak:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{line}: {(directory / 'log').read_text()}"
    return Run(seconds, used.ru_utime + used.ru_stime, peak.pss)
