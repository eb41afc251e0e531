"""The stage of `scand demo`: a simulated scanner, a directory for a NAS, and the daemon itself.

All of these are real processes. What stays (the NAS with its Inbox, the daemon's log) goes into one directory; the
rest goes into a temporary one with a short path, since the path of a unix socket must be short.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from scand.cli.host.nas_mark import mark_nas
from scand.config import Config, embedded_directory
from scand.errors import ConfigError, ScandError, Unavailable
from scand.queue import embedded
from scand.queue.intents import ClientQueue
from scand.simulator.main import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

SHEETS = 6
"""Sheets in the feeder, each time it is loaded."""

IMAGES_PER_MINUTE = 240
"""The speed of the simulated scanner: a fast one, so that nobody waits."""

_START = 60.0  # seconds until the daemon must serve; PostgreSQL takes a few to make its files
_STOP = 20.0  # seconds until a process that was told to end is killed

_CONFIG = """\
# scand demo: everything that is not said here has its default.
[database]
url = "embedded"
[scanner]
device = {device}
[staging]
dir = {staging}
min_free = "200MiB"
[nas]
root = {nas}
require_mount = false
[logging]
format = "console"
[profiles.default]
source = "adf"
sides = "duplex"
mode = "color"
resolution = 200
"""


class Stage:
    """The directories and processes of a demo; a context manager that clears away all but what stays.

    Args:
        keepsakes: the directory for what stays; made if need be.

    Attributes:
        nas: the directory that takes the place of a NAS.
        config: the daemon's config file.
        log: the daemon's log.
    """

    def __init__(self, keepsakes: Path) -> None:
        self.nas = keepsakes / "nas"
        self.log = keepsakes / "scand.log"
        self._work = Path(tempfile.mkdtemp(prefix="scand-demo-", dir=_temporary()))
        self.config = self._work / "scand.toml"
        self._environ = _environ(self._work)
        self._simulator: subprocess.Popen[str] | None = None
        self._daemon: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.clear()

    def _set_up(self) -> None:
        try:
            self.nas.mkdir(parents=True, exist_ok=True)
            log = self.log.open("w")
        except OSError as error:
            raise ConfigError(
                f"{error.filename} cannot be written ({error.strerror}): name another directory with --dir."
            ) from error
        with log:
            address = self._start_simulator()
            values = {
                "device": f"net:{address}:sim",
                "staging": str(self._work / "spool"),
                "nas": str(self.nas),
            }
            # A JSON string is a TOML string, too.
            quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
            self.config.write_text(_CONFIG.format(**quoted))
            mark_nas(self._read())
            self._daemon = self._start(
                "scand.cli", "--config", str(self.config), "run", stdout=log, stderr=log
            )

    @property
    def daemon_pid(self) -> int:
        """The daemon's process; 0 before it is started."""
        return self._daemon.pid if self._daemon else 0

    @property
    def simulator_pid(self) -> int:
        """The simulated scanner's process; 0 before it is started."""
        return self._simulator.pid if self._simulator else 0

    @property
    def database_url(self) -> str:
        """Where the daemon's own PostgreSQL is.

        Raises:
            Unavailable: it does not run.
        """
        return embedded.url(embedded_directory(self._read()))

    @property
    def sane_config(self) -> Path:
        """The directory by which libsane finds the simulated scanner, and no other: SANE_CONFIG_DIR."""
        return Path(self._environ["SANE_CONFIG_DIR"])

    def _read(self) -> Config:
        return Config.load(self.config, {}, need="daemon")

    def queue(self) -> ClientQueue:
        """The queue, once the daemon serves it.

        Raises:
            Unavailable: it does not come up, or has ended.
        """
        deadline = time.monotonic() + _START
        trouble = "it does not answer"
        while time.monotonic() < deadline:
            self.check()
            try:
                queue = ClientQueue.open(self.database_url)
                if queue.health().alive:
                    return queue
                queue.connection.close()
            except ScandError as error:
                trouble = error.sentence
            except psycopg.Error as error:
                trouble = str(error)  # the daemon is still making the tables
            time.sleep(0.05)
        raise Unavailable(f"The daemon has not come up within {_START:g} s: {trouble}")

    def check(self) -> None:
        """Check that the daemon and the simulator still run.

        Raises:
            Unavailable: one of them has ended.
        """
        for name, process in (("daemon", self._daemon), ("simulated scanner", self._simulator)):
            if process is not None and process.poll() is not None:
                raise Unavailable(f"The {name} has ended with status {process.returncode}.")

    def reload(self) -> None:
        """Put the next stack into the feeder."""
        os.kill(self.simulator_pid, signal.SIGHUP)

    def clear(self) -> None:
        """Stop everything that was started here, by its pid, and remove what is temporary."""
        for process in (self._daemon, self._simulator):
            if process is not None:
                _stop(process)
        if self._daemon is not None:
            # A daemon that was killed could not do it itself.
            server = embedded.Postmaster.find(embedded_directory(self._read()))
            if server is not None:
                server.stop()
        shutil.rmtree(self._work, ignore_errors=True)

    def _start_simulator(self) -> str:
        """The loopback address on which it listens: one that no other simulator has."""
        for address in _addresses():
            arguments = ["--listen", address, "--count", str(SHEETS), "--source", "ADF Duplex"]
            arguments += ["--ppm", str(IMAGES_PER_MINUTE), "--net-config", self._environ["SANE_CONFIG_DIR"]]
            process = self._start(
                "scand.simulator", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            self._simulator = process
            if process.stdout is not None and process.stdout.readline():
                return address  # it has said that it listens
            _stop(process)
        raise Unavailable(f"No address of 127.0.0.0/8 is free on port {PORT}: is a firewall in the way?")

    def _start(self, module: str, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            env=self._environ,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which stops them in good order
            **streams,
        )


def _temporary() -> str:
    """Where temporary files go, if a unix socket below it has a path of 107 bytes at most. Source: unix(7)."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= 50 else "/tmp"  # noqa: S108 - mkdtemp makes it ours


def _environ(work: Path) -> dict[str, str]:
    """This process's environment without what would lead a daemon elsewhere."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SCAND_", "SANE_", "PG"))
    }
    for ours in ("NOTIFY_SOCKET", "RUNTIME_DIRECTORY"):  # of a service that runs the demo
        kept.pop(ours, None)
    return kept | {"SANE_CONFIG_DIR": str(work / "sane")}


def _addresses() -> Iterator[str]:
    """A few loopback addresses on which nobody listens."""
    for number in random.sample(range(43, 255), 20):
        address = f"127.0.0.{number}"
        try:
            with socket.socket() as probe:
                probe.bind((address, PORT))
        except OSError:
            continue
        yield address


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
