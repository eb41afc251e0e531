"""The MFP as a process, and its operator."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.site import PATIENCE, own_address

_PORT = 8080
_ROOT = Path(__file__).parents[3]


class Mfp:
    """An MFP whose address is in sane-airscan's configuration, as at a site without mDNS.

    Args:
        directory: for its files; is made.
        arguments: of `python -m tests.support.escl`.

    Attributes:
        address: the loopback address on which it listens.
        config: a SANE_CONFIG_DIR that names this device and no other.
        process: its own.
    """

    def __init__(self, directory: Path, *arguments: str) -> None:
        directory.mkdir()
        self.address = own_address()
        self.config = directory / "sane"
        self._log = directory / "fed.jsonl"
        self.config.mkdir()
        (self.config / "dll.conf").write_text("airscan\n")
        (self.config / "airscan.conf").write_text(
            f'[devices]\n"Loopback MFP" = http://{self.address}:{_PORT}/eSCL, eSCL\n'
            "[options]\ndiscovery = disable\n"
        )
        self.switch_on(*arguments)

    def switch_on(self, *arguments: str) -> None:
        """Start it, with these arguments of `python -m tests.support.escl`."""
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.escl",
                self.address,
                str(_PORT),
                str(self._log),
                *arguments,
            ],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert "listening" in self.process.stdout.readline()

    def reload(self) -> None:
        """Load what jammed and what lies below it, or else a new stack, whose numbers continue."""
        self.process.send_signal(signal.SIGHUP)

    def fed(self) -> list[int]:
        """The numbers of the sides that were delivered completely, in order."""
        text = self._log.read_text() if self._log.exists() else ""
        return [json.loads(line)["number"] for line in text.splitlines()]

    def switch_off(self) -> None:
        """End the process, if it still runs."""
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
