"""Simulators as processes, and their clients: python-sane and scanimage, through the real libsane.

Each client is a process, too, and libsane is never loaded here: a client that hangs or crashes harms no test.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]

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
    """A running simulator, its clients, and its operator.

    Attributes:
        process: its own.
        address: the loopback address on which it listens.
        config: a SANE_CONFIG_DIR with which libsane finds it.
        control_file: for `command`.
        log: has a line of JSON for each side that was delivered.
    """

    process: subprocess.Popen[str]
    address: str
    config: Path
    control_file: Path
    log: Path

    def environment(self) -> dict[str, str]:
        """An environment in which libsane finds this simulator and no other scanner."""
        return os.environ | {"SANE_CONFIG_DIR": str(self.config), "LC_ALL": "C", "PYTHONPATH": str(ROOT)}

    def start_client(self, script: str) -> subprocess.Popen[str]:
        """Start a python-sane client whose script may use the functions of `CLIENT`."""
        return subprocess.Popen(
            [sys.executable, "-c", CLIENT + script], env=self.environment(), stdout=subprocess.PIPE, text=True
        )

    def client(self, script: str) -> list[Any]:
        """Run a client to its end, and return its first answer (see `tell` in `CLIENT`)."""
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

    def command(self, text: str) -> None:
        """Give the operator commands by the control file, and wait until they are carried out."""
        draft = self.control_file.with_suffix(".draft")
        draft.write_text(text)
        draft.rename(self.control_file)
        while self.control_file.exists():
            time.sleep(0.01)

    def fed(self) -> list[int]:
        """The numbers of the sides that were delivered, in order."""
        return [json.loads(line)["number"] for line in self.log.read_text().splitlines()]
