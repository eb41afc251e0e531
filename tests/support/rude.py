"""The SANE backend "rude" (see rude.c), which misbehaves as its rude.conf says."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCANNER = "device usb:001 fi-7160"
OTHER = "device usb:009 ScanSnap iX500"
"""Lines of rude.conf: the default scanner, and another one."""


def build(directory: Path) -> Path:
    """Compile libsane-rude.so.1 into a directory, and return that: LD_LIBRARY_PATH then has to name it."""
    source = Path(__file__).with_name("rude.c")
    library = directory / "libsane-rude.so.1"
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", library, source], check=True)
    return directory


class Rude:
    """The backend's configuration, in a SANE_CONFIG_DIR with no other backend.

    Args:
        config: the directory, which is made.
    """

    def __init__(self, config: Path) -> None:
        self.config = config
        config.mkdir()
        (config / "dll.conf").write_text("rude\n")
        self.behave()

    def behave(self, *lines: str, scanners: tuple[str, ...] = (SCANNER,)) -> None:
        """Replace rude.conf: from now on the backend misbehaves as `lines` say, and in nothing else."""
        text = "".join(f"{line}\n" for line in (*scanners, *lines))
        written = self.config / "rude.conf.new"
        written.write_text(text)
        written.replace(self.config / "rude.conf")  # the driver may read it at any moment

    def log(self) -> list[str]:
        """Every call so far with its argument, such as "open usb:001"."""
        log = self.config / "rude.log"
        return [line.strip() for line in log.read_text().splitlines()] if log.exists() else []

    def calls(self, call: str) -> list[str]:
        """The argument of each call of that name so far: for "open", the device's name."""
        return [line.partition(" ")[2] for line in self.log() if line.split()[0] == call]
