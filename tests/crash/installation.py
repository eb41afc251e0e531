"""An installation into which faults are injected, one in each job; the checker looks at it all the time."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from scand.queue.schema import migrate
from tests.conftest import database
from tests.crash.faults import CallFault, Fault, Result, Statement, StatementFault
from tests.crash.operator import SHEETS, STACKS, Operator
from tests.crash.statement_proxy import StatementProxy
from tests.crash.steps import Names, Step, without_repetition
from tests.crash.tracer import Tracer
from tests.crash.trial import Trial
from tests.support.checker import Checker, Violation
from tests.support.site import Daemon, Simulator, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_ANOTHERS = b"%PDF of another installation"


@contextmanager
def installation(url: str, directory: Path) -> Iterator[Installation]:
    """An installation in which one job is committed already.

    Args:
        url: of a PostgreSQL server, on which it gets a database of its own.
        directory: for its files; is made.
    """
    with database(url, "template0") as own:
        with psycopg.connect(own, autocommit=True) as connection:
            migrate(connection)
        directory.mkdir()
        made = Installation(directory, own)
        try:
            made.warm_up()
            yield made
        finally:
            made.close()


class Installation:
    """A site with its scanner, its operator and the checker.

    Args:
        directory: for all files.
        url: of an empty, migrated database.
    """

    def __init__(self, directory: Path, url: str) -> None:
        self._control = directory / "control"
        self._simulator = Simulator(directory, "--count", "0", "--reload", str(self._control))
        self._proxy = StatementProxy(url)
        self._tracer = Tracer(directory / "trace")
        hold = '[agent]\npreview_hold = "100ms"'
        self._site = Site(directory, self._proxy.url, self._simulator.config, hold)
        self._taken = directory / "taken"
        self._checker = Checker(
            self._site.connection, self._site.staging, self._site.nas, self._simulator.fed, self._taken
        )
        self._daemon: Daemon | None = None
        self._sheets = 0

    def close(self) -> None:
        """End all processes."""
        self._site.close()
        self._simulator.stop()
        self._proxy.close()

    def warm_up(self) -> None:
        """Run one job without a fault, so that everything that is made only once exists from then on."""
        trial = self._run(self._new_job(), lambda: False, kill_all=False)
        assert trial.violations == [], trial.violations

    def record(self) -> tuple[list[Step], list[Statement]]:
        """Run a job without a fault, and return its steps and statements, with those of the daemon's start."""
        self._kill()
        job = self._new_job()
        self._proxy.reset()
        self._tracer.record()
        trial = self._run(job, lambda: False, kill_all=False)
        assert trial.violations == [], trial.violations
        steps = without_repetition(self._tracer.steps(Names(self._site.directory, job)))
        return steps, list(dict.fromkeys(self._proxy.statements))

    def inject(self, fault: Fault) -> Result:
        """Run a job with one fault."""
        self._kill()  # its start may get the fault, too, and a waiting courier would already have been counted
        job = self._new_job()
        self._proxy.reset()
        self._tracer.reset()
        was_hit: Callable[[], bool]
        if isinstance(fault, StatementFault):
            self._proxy.arm(fault.statement, fault.moment, self._kill if fault.kills else None)
            was_hit = self._proxy.hit.is_set
        else:
            names = Names(self._site.directory, job)
            self._tracer.arm(fault, names)
            was_hit = partial(self._tracer.was_hit, fault, names)
        trial = self._run(job, was_hit, kill_all=isinstance(fault, CallFault) and fault.kill_all)
        if isinstance(fault, CallFault) and self._tracer.synced_again(fault):
            again = f"{fault.step.place} was fsynced again after a failed fsync, and not written again"
            trial.violations.append(Violation("P", again))
        return Result(
            fault,
            was_hit(),
            (trial.recovered_at or time.monotonic()) - trial.hit_at if trial.hit_at else 0.0,
            tuple(dict.fromkeys(trial.violations)),
        )

    def last_log(self) -> str:
        """The end of the last daemon's log."""
        return self._site.last_log()

    def _new_job(self) -> int:
        """Submit a draft whose files have its id in their names, also on the NAS."""
        job = self._site.submit(status="draft")
        self._site.sql(
            "UPDATE scan_jobs SET title = %s, settings = jsonb_build_object('inbox', %s::text) WHERE id = %s",
            f"Job {job}",
            f"Inbox/job-{job}",
            job,
        )
        for other in self._others(job):
            other.parent.mkdir(parents=True)
            other.write_bytes(_ANOTHERS)
        return job

    def _others(self, job: int) -> list[Path]:
        """What other installations have staged on this NAS of jobs with the same number: of 0.2 and of 0.1."""
        staging = self._site.nas / ".scan-staging"
        return [staging / f"9f9f9f9f/job-{job}-{job}/merged.pdf", staging / f"job-{job}/merged.pdf"]

    def _run(self, job: int, was_hit: Callable[[], bool], *, kill_all: bool) -> Trial:
        trial = Trial(self._site, job, was_hit)
        operator = Operator(self._site, self._control, self._sheets + 1)
        self._sheets += STACKS * SHEETS
        self._site.step(job, "queued")

        def on_look(hit: bool) -> None:
            if hit and kill_all:
                self._kill()
            if self._daemon is None or self._daemon.process.poll() is not None:
                self._start()
            self._consume()

        trial.run(operator, self._checker, on_look)
        trial.violations += self._checker.settled()
        lost = [path for path in self._others(job) if not path.is_file() or path.read_bytes() != _ANOTHERS]
        trial.violations += [
            Violation("P", f"{path} is another installation's, and was touched") for path in lost
        ]
        return trial

    def _consume(self) -> None:
        """Move every document out of the Inbox, as a consumer does."""
        with suppress(FileNotFoundError):  # a directory that was just made has been renamed meanwhile
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
