"""One installation that is struck again and again: a job each time, from paper to Inbox, and then the checker."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from scand.queue.schema import migrate
from tests.conftest import database
from tests.crash.blows import Blow, Cut, Result, Statement, Strike
from tests.crash.person import SHEETS, STACKS, Person
from tests.crash.steps import Names, Step, without_repetition
from tests.crash.tracer import Tracer
from tests.crash.trial import Trial
from tests.crash.wiretap import Wiretap
from tests.support.checker import Checker, Violation
from tests.support.site import Daemon, Simulator, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def installation(url: str, directory: Path) -> Iterator[Scene]:
    """A scene in which one job has gone through, with a database of its own on a server; `directory` is made."""
    with database(url, "template0") as own:
        with psycopg.connect(own, autocommit=True) as connection:
            migrate(connection)
        directory.mkdir()
        scene = Scene(directory, own)
        try:
            scene.rehearse()
            yield scene
        finally:
            scene.close()


class Scene:
    """A site, its scanner, its person, and the checker.

    Args:
        directory: for all of it.
        url: an empty, migrated database.
    """

    def __init__(self, directory: Path, url: str) -> None:
        self._control = directory / "control"
        self._simulator = Simulator(directory, "--count", "0", "--reload", str(self._control))
        self._wiretap = Wiretap(url)
        self._tracer = Tracer(directory / "trace")
        self._site = Site(directory, self._wiretap.url, self._simulator.config)
        self._taken = directory / "taken"
        self._checker = Checker(
            self._site.connection, self._site.staging, self._site.nas, self._simulator.fed, self._taken
        )
        self._daemon: Daemon | None = None
        self._sheets = 0

    def close(self) -> None:
        """End all of it."""
        self._site.close()
        self._simulator.stop()
        self._wiretap.close()

    def rehearse(self) -> None:
        """One job in peace: what is made once only is there from then on."""
        trial = self._run(self._draft(), lambda: False, everything=False)
        assert trial.violations == [], trial.violations

    def record(self) -> tuple[list[Step], list[Statement]]:
        """Every step and statement of a clean run, the start of the daemon included."""
        self._kill()
        job = self._draft()
        self._wiretap.forget()
        self._tracer.record()
        trial = self._run(job, lambda: False, everything=False)
        assert trial.violations == [], trial.violations
        steps = without_repetition(self._tracer.steps(Names(self._site.directory, job)))
        return steps, list(dict.fromkeys(self._wiretap.statements))

    def deal(self, blow: Blow) -> Result:
        """One job, with one blow on its way."""
        self._kill()  # its start is part of what is struck, and a courier that waits has been counted
        job = self._draft()
        self._wiretap.forget()
        self._tracer.forget()
        has_struck: Callable[[], bool]
        if isinstance(blow, Cut):
            self._wiretap.strike(blow.statement, blow.moment, self._kill if blow.kills else None)
            has_struck = self._wiretap.has_struck.is_set
        else:
            names = Names(self._site.directory, job)
            self._tracer.strike(blow, names)
            has_struck = partial(self._tracer.has_struck, blow, names)
        trial = self._run(job, has_struck, everything=isinstance(blow, Strike) and blow.everything)
        if isinstance(blow, Strike) and self._tracer.synced_again(blow):
            again = f"{blow.step.place} was fsynced again after a failed fsync, and not written again"
            trial.violations.append(Violation("P", again))
        return Result(
            blow,
            has_struck(),
            (trial.recovered or time.monotonic()) - trial.struck if trial.struck else 0.0,
            tuple(dict.fromkeys(trial.violations)),
        )

    def last_log(self) -> str:
        """The end of the last daemon's log."""
        return self._site.last_log()

    def _draft(self) -> int:
        """A job whose files' names are its own, those in the NAS too."""
        job = self._site.submit(status="draft")
        self._site.sql(
            "UPDATE scan_jobs SET title = %s, settings = jsonb_build_object('inbox', %s::text) WHERE id = %s",
            f"Job {job}",
            f"Inbox/job-{job}",
            job,
        )
        return job

    def _run(self, job: int, has_struck: Callable[[], bool], *, everything: bool) -> Trial:
        trial = Trial(self._site, job, has_struck)
        person = Person(self._site, self._control, self._sheets + 1)
        self._sheets += STACKS * SHEETS
        self._site.step(job, "queued")

        def keep_up(struck: bool) -> None:
            if struck and everything:
                self._kill()
            if self._daemon is None or self._daemon.process.poll() is not None:
                self._start()
            self._consume()

        trial.see_through(person, self._checker, keep_up)
        trial.violations += self._checker.settled()
        return trial

    def _consume(self) -> None:
        """A consumer takes a document out of the Inbox as soon as it sees it."""
        with suppress(FileNotFoundError):  # a directory that was just made, and has another name by now
            for document in (self._site.nas / "Inbox").glob("*/*.pdf"):
                place = self._taken / document.relative_to(self._site.nas)
                place.parent.mkdir(parents=True, exist_ok=True)
                document.rename(place if not place.exists() else place.with_stem(f"{place.stem}, again"))

    def _start(self) -> None:
        log = self._site.directory / f"daemon-{len(self._site.daemons)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                self._tracer.daemon(["--config", str(self._site.config), "run"]),
                env=self._site.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self._daemon = Daemon(process, log)
        self._site.daemons.append(self._daemon)

    def _kill(self) -> None:
        if self._daemon is not None:
            self._daemon.kill()
