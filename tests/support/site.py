"""A whole site for one test: a simulated scanner, a NAS directory, a database, and the daemon's process."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pikepdf
import psycopg
from psycopg.rows import dict_row

from scand.courier.volume import init_volume
from scand.simulator.marks import read_side_number
from scand.spool.directories import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_ADDRESSES = itertools.count(1)
PATIENCE = 30.0
"""The longest wait for anything, in seconds: long enough for a loaded machine."""


def own_address() -> str:
    """A loopback address that no other test and no other test process uses."""
    number = next(_ADDRESSES)
    return f"127.{100 + number % 150}.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"


def until(what: Callable[[], _T], wanted: str, patience: float = PATIENCE) -> _T:
    """Wait until `what` returns something true, and return that.

    Args:
        what: is called again and again.
        wanted: describes it, for the message of a failure.
        patience: in seconds.
    """
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, f"this did not happen within {patience:g} s: {wanted}"
        time.sleep(0.02)
    return found


def has_ended(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


class Simulator:
    """A simulated scanner as a process.

    Args:
        directory: for its files.
        arguments: more of `scand simulate`.

    Attributes:
        address: the loopback address on which it listens.
        config: a SANE_CONFIG_DIR with which libsane finds it.
        process: its own.
    """

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.address = own_address()
        self.config = directory / "sane"
        self._log = directory / "fed.jsonl"
        self._control = directory / "control"
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "scand.simulator", "--listen", self.address,
                "--net-config", str(self.config), "--log", str(self._log), "--reload", str(self._control),
                *arguments,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "listening" in line, line

    def reload(self) -> None:
        """Load the feeder with the unfinished sheets, or else with a new stack, whose numbers continue."""
        self.process.send_signal(signal.SIGHUP)

    def command(self, text: str) -> None:
        """Give the simulator's operator commands, such as "12" or "from 7" (see `scand simulate --help`)."""
        written = self._control.with_suffix(".new")
        written.write_text(text)
        written.rename(self._control)
        until(lambda: not self._control.exists(), f"the simulator has read {text!r}")

    def fed(self) -> list[int]:
        """The numbers of the sides that were delivered completely, in order."""
        text = self._log.read_text() if self._log.exists() else ""
        return [json.loads(line)["number"] for line in text.splitlines()]

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@dataclass
class Daemon:
    """A running `scand run`, and its log."""

    process: subprocess.Popen[bytes]
    log_path: Path

    def log(self) -> list[dict[str, Any]]:
        """Its log lines so far."""
        # Not splitlines(): a title may contain a Unicode line separator. The last line may be incomplete.
        *lines, _ = self.log_path.read_text().split("\n") if self.log_path.exists() else [""]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.log() if line["event"] == event]

    def child(self, module: str) -> int:
        """The pid of its child `scand.feeder` or `scand.courier`; 0 if there is none."""
        pid = self.process.pid
        with suppress(OSError):
            for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if module in Path(f"/proc/{found}/cmdline").read_text():
                    return int(found)
        return 0

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait(PATIENCE)


@dataclass
class Site:
    """Everything around one daemon.

    Attributes:
        directory: of all its files.
        database_url: for the daemon and the test.
        sane_config: the SANE_CONFIG_DIR of its scanner.
        extra: more sections of the config.
        device: `scanner.device`.
        page_timeout: `scanner.page_timeout`.
        inside: a prefix for the arguments of its commands (see `tests.support.nas`).
        daemons: all that were started, in order.
    """

    directory: Path
    database_url: str
    sane_config: Path
    extra: str = ""
    device: str = ""
    page_timeout: str = "10s"
    inside: tuple[str, ...] = ()
    daemons: list[Daemon] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nas = self.directory / "nas"
        self.staging = self.directory / "staging"
        self.nas.mkdir(exist_ok=True)
        self.config = self.directory / "scand.toml"
        self.configure(self.extra)
        if self.inside:
            self.scand("nas", "init")
        else:  # the same without its two processes, which would take a quarter of a site's time
            Spool(self.staging).set_volume_id(init_volume(self.nas, require_mount=False))
        self.connect(self.database_url)

    def connect(self, url: str) -> None:
        """Open the test's own session, which `close` closes; the one before it must be closed already."""
        self.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def configure(self, extra: str) -> None:
        """Write the config, with `extra` sections at its end."""
        self.config.write_text(
            f"""
[database]
url = "{self.database_url}"
[scanner]
device = "{self.device}"
page_timeout = "{self.page_timeout}"
[staging]
dir = "{self.staging}"
min_free = "1MiB"
[nas]
root = "{self.nas}"
inbox = "Inbox"
require_mount = false
[logging]
format = "json"
level = "debug"
[profiles.default]
resolution = 75
mode = "gray"
{extra}
"""
        )

    def environment(self) -> dict[str, str]:
        """An environment in which libsane finds this site's scanner and no other."""
        return os.environ | {"SANE_CONFIG_DIR": str(self.sane_config)}

    def scand(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a scand command to its end; with `check` it has to succeed."""
        result = subprocess.run(
            [*self.inside, sys.executable, "-m", "scand.cli", "--config", str(self.config), *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check:
            assert result.returncode == 0, f"{arguments}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def start(self) -> Daemon:
        """Start a daemon, and do not wait for it."""
        log = self.directory / f"daemon-{len(self.daemons)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*self.inside, sys.executable, "-m", "scand.cli", "--config", str(self.config), "run"],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        daemon = Daemon(process, log)
        self.daemons.append(daemon)
        return daemon

    def serving(self) -> Daemon:
        """Start a daemon, and wait until it leads."""
        daemon = self.start()
        until(lambda: daemon.said("elected") or daemon.process.poll() is not None, "elected")
        assert daemon.process.poll() is None, daemon.log_path.read_text()
        return daemon

    def close(self) -> None:
        """Kill the daemons that still run, and close the test's session."""
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.kill()
        self.connection.close()

    # The database, as any client uses it.

    def sql(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement."""
        cursor = self.connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def as_agent(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement as the agent, which may write results."""
        with self.connection.transaction():
            self.sql("SET LOCAL scand.actor = 'agent'")
            return self.sql(query, *values)

    def past_guards(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement with the triggers off, as only a superuser can: a row from before the guards."""
        with self.connection.transaction():
            self.sql("SET LOCAL session_replication_role = replica")
            return self.sql(query, *values)

    def submit(self, title: str = "A job", *, status: str = "queued", **settings: Any) -> int:
        """Insert a job, as a web application would."""
        (row,) = self.sql(
            "INSERT INTO scan_jobs (title, settings, status) VALUES (%s, %s, %s) RETURNING id",
            title,
            json.dumps(settings),
            status,
        )
        return int(row["id"])

    def step(self, job: int, status: str) -> None:
        """Change a job's status by one UPDATE, as a button of a web application does."""
        self.sql("UPDATE scan_jobs SET status = %s WHERE id = %s", status, job)

    def job(self, job: int) -> dict[str, Any]:
        """The job's row."""
        (row,) = self.sql("SELECT * FROM scan_jobs WHERE id = %s", job)
        return row

    def batches(self, job: int) -> list[dict[str, Any]]:
        """The job's rows of scan_job_batches, in order."""
        return self.sql("SELECT * FROM scan_job_batches WHERE job_id = %s ORDER BY batch_seq", job)

    def wait(self, job: int, status: str, patience: float = PATIENCE) -> dict[str, Any]:
        """Wait until the job has a status, and return its row."""
        try:
            until(lambda: self.job(job)["status"] == status, f"job {job} is {status}", patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.job(job)}\n{self.last_log()}") from None
        return self.job(job)

    def scan(self, job: int) -> dict[str, Any]:
        """Scan one batch (ready → scanning → ready), and return the job's row."""
        before = len(self.events(job))
        self.step(job, "scanning")
        until(lambda: len(self.events(job)) >= before + 2, "the batch ended")
        return self.job(job)

    def scanned(self, job: int, status: str) -> dict[str, Any]:
        """Scan the job's stack as soon as it is ready, whatever paper was left, and wait for the status."""
        self.wait(job, "ready")
        self.scan(job)
        return self.wait(job, status)

    def spool(self, job: int) -> Path:
        """The job's directory on local disk."""
        return self.staging / "jobs" / str(job)

    def starts_anew(self, job: int) -> None:
        """Queue a canceled job whose files are gone: it scans the scanner's new stack, and has its preview."""
        self.sql(
            "UPDATE scan_jobs SET settings = %s WHERE id = %s", '{"finish": "preview", "scan": "auto"}', job
        )
        self.step(job, "queued")
        self.wait(job, "preview")

    def events(self, job: int) -> list[tuple[str | None, str, str]]:
        """The job's steps: (from, to, actor)."""
        rows = self.sql("SELECT * FROM scan_job_events WHERE job_id = %s ORDER BY id", job)
        return [(row["from_status"], row["to_status"], row["actor"]) for row in rows]

    def last_log(self) -> str:
        """The end of the last daemon's log."""
        return self.daemons[-1].log_path.read_text()[-6000:] if self.daemons else "no daemon ran"

    # The NAS.

    def inbox(self) -> list[Path]:
        """The documents in the Inbox."""
        return sorted((self.nas / "Inbox").glob("*")) if (self.nas / "Inbox").exists() else []


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def numbers(pdf: Path) -> list[int]:
    """The number of the side on each page of a PDF, in order."""
    found = []
    with pikepdf.open(pdf) as document:
        for page in document.pages:
            (picture,) = (image.as_pil_image() for image in _images(page))
            inches = float(page.mediabox[2]) / 72
            found.append(read_side_number(picture, picture.width / inches))
    return found


def _images(page: pikepdf.Page) -> list[pikepdf.PdfImage]:
    return [pikepdf.PdfImage(image) for image in page.get_images().values()]  # type: ignore[arg-type]
