"""The real parts: a database server, a scanner, a NAS and a daemon, each of which can go away and come back."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row

from scand.queue.schema import migrate
from tests.conftest import database
from tests.postgres import private_postgres
from tests.support.proxy import Mode, Proxy
from tests.support.site import Simulator, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import PrivatePostgres
    from tests.support.site import Daemon

_SHORT_INTERVALS = '[agent]\nheartbeat = "500ms"\npoll = "200ms"\npreview_hold = "300ms"'
_PAGE_TIMEOUT = "3s"
"""Long enough that a slow machine is not mistaken for a scanner that hangs."""


class SharedParts:
    """What all examples share: the server, with a database to copy, and the scanner.

    Args:
        directory: for everything.
        postgres: the server.
        template: the name of the database to copy.

    Attributes:
        simulator: the scanner.
        sheets: how many there were so far, over all stacks.
    """

    def __init__(self, directory: Path, postgres: PrivatePostgres, template: str) -> None:
        self.directory, self.postgres, self.template = directory, postgres, template
        self.simulator = Simulator(directory, "--count", "0", "--ppm", "900")
        self.sheets = 0
        self._installations = 0

    def load(self, first: int, last: int, fault: str = "") -> None:
        """Load exactly these sheets; the last one is new, or the last sheet of the last stack."""
        new = [str(last - self.sheets)] if last > self.sheets else []
        self.sheets = last
        self.simulator.command("\n".join([*new, f"from {first}", *([f"fault {fault}"] if fault else [])]))

    @contextmanager
    def installation(self) -> Iterator[Installation]:
        """An installation of its own, which ends with the block."""
        self._installations += 1
        directory = self.directory / f"installation-{self._installations}"
        directory.mkdir()
        with database(self.postgres.url, self.template) as url:
            installation = Installation(self, directory, url)
            try:
                yield installation
            finally:
                installation.close()


@contextmanager
def shared_parts(directory: Path) -> Iterator[SharedParts]:
    """The shared parts, which end with the block."""
    with ExitStack() as opened:
        postgres = opened.enter_context(private_postgres())
        url = opened.enter_context(database(postgres.url, "template0"))
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        made = SharedParts(directory, postgres, urlsplit(url).path.lstrip("/"))
        opened.callback(made.simulator.stop)
        yield made


class Installation:
    """One installation, whose parts may be away.

    Attributes:
        shared_parts: of all examples.
        volume: the NAS. Its place is a symbolic link, which leads to `bare` while the NAS is away.
        bare: the bare mountpoint.
        site: config, staging directory and database.
        daemon: None: there is none.
    """

    def __init__(self, shared_parts: SharedParts, directory: Path, url: str) -> None:
        self.shared_parts, self._url = shared_parts, url
        self.volume, self.bare = directory / "volume", directory / "bare"
        self.volume.mkdir()
        self.bare.mkdir()
        self._place = directory / "nas"
        self._place.symlink_to(self.volume)
        self._proxy = Proxy(url)
        scanner = shared_parts.simulator.config
        self.site = Site(directory, self._proxy.url, scanner, _SHORT_INTERVALS, page_timeout=_PAGE_TIMEOUT)
        self.site.connection.close()
        self.daemon: Daemon | None = None
        self._connect()

    def close(self) -> None:
        """End all processes, and start the server again if it is stopped."""
        self.start_database()
        self.site.close()
        self._proxy.close()

    @property
    def complete(self) -> bool:
        """Whether nothing is away."""
        nas = self._place.resolve() == self.volume.resolve()
        return self.alive and self.reachable and nas and self._proxy.mode is Mode.PASS

    def mend(self) -> None:
        """Bring back everything that is away."""
        self.start_database()
        self.nas(there=True)
        self.start_daemon()

    # The daemon.

    @property
    def alive(self) -> bool:
        """Whether a daemon runs."""
        return self.daemon is not None and self.daemon.process.poll() is None

    def start_daemon(self) -> None:
        """Start a daemon, if there is none, without waiting for it."""
        if not self.daemon:
            self.daemon = self.site.start()

    def kill_daemon(self) -> None:
        """Send SIGKILL to the daemon."""
        if self.daemon:
            self.daemon.kill()
        self.daemon = None

    def stop_daemon(self) -> None:
        """Send SIGTERM to the daemon; its exit status must be 0 if it had begun to serve."""
        if self.daemon:
            serves = bool(self.daemon.log())
            status = self.daemon.stop()
            assert status == 0 or (not serves and status == -signal.SIGTERM), f"its exit status is {status}"
        self.daemon = None

    def kill_child(self, kind: str) -> bool:
        """Send SIGKILL to the daemon's "feeder" or "courier"; False: there was none within 0.5 s."""
        end = time.monotonic() + 0.5
        while self.alive and time.monotonic() < end:
            for child in self._children():
                with suppress(FileNotFoundError, ProcessLookupError):
                    if f"scand.{kind}" in Path(f"/proc/{child}/cmdline").read_text():
                        os.kill(child, signal.SIGKILL)
                        return True
            time.sleep(0.005)
        return False

    def _children(self) -> list[int]:
        assert self.daemon
        pid = self.daemon.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    # The database.

    @property
    def reachable(self) -> bool:
        """Whether clients can use the database."""
        return not self.site.connection.closed

    def stop_database(self) -> None:
        """Stop the server as a crash would."""
        if self.reachable:
            self.site.connection.close()
            self.shared_parts.postgres.stop()

    def start_database(self) -> None:
        """Start the server again, and restore the network."""
        self._proxy.mode = Mode.PASS
        if not self.reachable:
            self.shared_parts.postgres.start()
            self._connect()

    def network(self, mode: Mode) -> None:
        """Change the network between daemon and server; clients do not use it."""
        self._proxy.mode = mode

    def _connect(self) -> None:
        self.site.connection = psycopg.connect(self._url, autocommit=True, row_factory=dict_row)

    # The NAS.

    def nas(self, *, there: bool) -> None:
        """Mount or unmount the NAS; files that are open stay open."""
        new = self._place.with_name("nas.new")
        new.symlink_to(self.volume if there else self.bare)
        new.rename(self._place)

    # The scanner.

    def wait_until_idle(self, job: int) -> bool:
        """Wait until no batch of the job is being scanned; False: that took too long."""
        if not self.alive:
            time.sleep(0.1)  # a feeder ends with its daemon
            return True
        end = time.monotonic() + 10
        begun = self.site.staging / "jobs" / str(job)
        while any(not file.with_name("end.json").exists() for file in begun.glob("*/begin.json")):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True
