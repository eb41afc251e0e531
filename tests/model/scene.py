"""The real parts: a server, a scanner, a NAS and a daemon, each of which can go away and come back."""

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

_BRISK = '[agent]\nheartbeat = "500ms"\npoll = "200ms"'
_SILENCE = "3s"
"""Generous: a machine that stands still for so long would be taken for a scanner that hangs."""


class Stage:
    """What all examples share: the server, with a database to copy, and the scanner, whose sheets are counted on.

    Attributes:
        sheets: how many there are so far, over all stacks.
    """

    def __init__(self, directory: Path, postgres: PrivatePostgres, template: str) -> None:
        self.directory, self.postgres, self.template = directory, postgres, template
        self.simulator = Simulator(directory, "--count", "0", "--ppm", "900")
        self.sheets = 0
        self._scenes = 0

    def put_in(self, first: int, last: int, fault: str = "") -> None:
        """Those sheets go into the feeder, and nothing else; the last is new, or the last of the last stack."""
        new = [str(last - self.sheets)] if last > self.sheets else []
        self.sheets = last
        self.simulator.command("\n".join([*new, f"from {first}", *([f"fault {fault}"] if fault else [])]))

    @contextmanager
    def scene(self) -> Iterator[Scene]:
        """A scene of its own."""
        self._scenes += 1
        directory = self.directory / f"scene-{self._scenes}"
        directory.mkdir()
        with database(self.postgres.url, self.template) as url:
            scene = Scene(self, directory, url)
            try:
                yield scene
            finally:
                scene.close()


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """A stage, which ends with the block."""
    with ExitStack() as opened:
        postgres = opened.enter_context(private_postgres())
        url = opened.enter_context(database(postgres.url, "template0"))
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        made = Stage(directory, postgres, urlsplit(url).path.lstrip("/"))
        opened.callback(made.simulator.stop)
        yield made


class Scene:
    """One installation, and what is there of it.

    Attributes:
        volume: the NAS, wherever it is; its place is a symbolic link, which leads to `bare` while it is away.
    """

    def __init__(self, stage: Stage, directory: Path, url: str) -> None:
        self.stage, self._url = stage, url
        self.volume, self.bare = directory / "volume", directory / "bare"
        self.volume.mkdir()
        self.bare.mkdir()
        self._place = directory / "nas"
        self._place.symlink_to(self.volume)
        self._proxy = Proxy(url)
        self.site = Site(directory, self._proxy.url, stage.simulator.config, _BRISK, page_timeout=_SILENCE)
        self.site.connection.close()
        self.daemon: Daemon | None = None
        self._connect()

    def close(self) -> None:
        """End all of it; the server is there again."""
        self.start_database()
        self.site.close()
        self._proxy.close()

    @property
    def whole(self) -> bool:
        """Whether nothing is away."""
        nas = self._place.resolve() == self.volume.resolve()
        return self.alive and self.reachable and nas and self._proxy.mode is Mode.PASS

    def mend(self) -> None:
        """Everything that is away is there again."""
        self.start_database()
        self.nas(there=True)
        self.start_daemon()

    # The daemon.

    @property
    def alive(self) -> bool:
        """Whether a daemon runs."""
        return self.daemon is not None and self.daemon.process.poll() is None

    def start_daemon(self) -> None:
        """Start one, if there is none; it is not waited for."""
        if not self.daemon:
            self.daemon = self.site.start()

    def kill_daemon(self) -> None:
        """SIGKILL."""
        if self.daemon:
            self.daemon.kill()
        self.daemon = None

    def stop_daemon(self) -> None:
        """SIGTERM; one that has begun to serve says that all is well."""
        if self.daemon:
            serves = bool(self.daemon.log())
            status = self.daemon.stop()
            assert status == 0 or (not serves and status == -signal.SIGTERM), f"its exit status is {status}"
        self.daemon = None

    def kill_child(self, kind: str) -> bool:
        """SIGKILL the daemon's "feeder" or "courier"; False: none has come in a moment."""
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
        """Whether clients have the database."""
        return not self.site.connection.closed

    def stop_database(self) -> None:
        """As in a crash."""
        if self.reachable:
            self.site.connection.close()
            self.stage.postgres.stop()

    def start_database(self) -> None:
        """There it is again, and the network too."""
        self._proxy.mode = Mode.PASS
        if not self.reachable:
            self.stage.postgres.start()
            self._connect()

    def network(self, mode: Mode) -> None:
        """Between daemon and server; clients are on the other side."""
        self._proxy.mode = mode

    def _connect(self) -> None:
        self.site.connection = psycopg.connect(self._url, autocommit=True, row_factory=dict_row)

    # The NAS.

    def nas(self, *, there: bool) -> None:
        """Away, and there again: who has it open still has it."""
        new = self._place.with_name("nas.new")
        new.symlink_to(self.volume if there else self.bare)
        new.rename(self._place)

    # The scanner.

    def stands_still(self, job: int) -> bool:
        """Wait until no batch of the job is under way. False: it takes long."""
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
