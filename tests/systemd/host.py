"""A scan host in a box: scand installed, a scanner on the loopback, a NAS on a mount of its own."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from tests.systemd.box import PATIENCE, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.systemd.box import Box

UNIT = "scand.service"
SCANNER = "127.0.0.42"
_VOLUME = "0b5bb1c6-5f4c-4b7e-9d2f-6b1f3a0c9e11\n"
_SMALL = 'resolution = 75\nmode = "gray"\n'


class ScanHost:
    """A box, with what people and programs do on it.

    Args:
        box: scand's files are in place there, and nothing else has been done.
        install: the command that does the rest of the installation.

    Attributes:
        nas: the NAS, seen from outside.
        login: the database, for libpq, from outside; the embedded one unless it is said otherwise.
    """

    def __init__(
        self, box: Box, install: tuple[str, ...] = ("sh", "/src/systemd/install.sh", "activate")
    ) -> None:
        self.box = box
        self.nas = box.root / "mnt/nas"
        self.login = f"host={box.root}/run/scand user=postgres"
        box.run(*install, timeout=180)
        box.write("/etc/sane.d/dll.conf", "net\n")
        box.write("/etc/sane.d/net.conf", f"{SCANNER}\n")
        for extra in (box.root / "etc/sane.d/dll.d").glob("*"):
            extra.unlink()
        # Small pages, as a drop-in of the config: the config itself stays as it was installed.
        box.write("/etc/scand/profiles.d/default.toml", _SMALL)
        # What `scand nas init` has remembered.
        box.write("/var/lib/scand/nas-volume", _VOLUME)

    # The surroundings.

    def plug_in(self, *arguments: str) -> None:
        """Connect a scanner instead of the one before: `scand simulate` with these arguments."""
        self.box.run("systemctl", "stop", "scanner", check=False)
        (self.box.root / "run/fed.jsonl").unlink(missing_ok=True)
        started = len(self.messages("--unit=scanner"))
        self.box.run(
            "systemd-run", "--quiet", "--collect", "--unit=scanner", "scand", "simulate",
            "--listen", SCANNER, "--log", "/run/fed.jsonl", *arguments,
        )  # fmt: skip
        listening = "listening on"
        until(
            lambda: any(listening in said for said in self.messages("--unit=scanner")[started:]),
            "the scanner is on",
        )

    def refill(self) -> None:
        """Put a stack into its feeder."""
        self.box.run("systemctl", "kill", "--signal=HUP", "scanner")

    def fed(self) -> list[int]:
        """The numbers of the sides that the scanner has delivered, in order."""
        log = self.box.root / "run/fed.jsonl"
        return [json.loads(line)["number"] for line in log.read_text().splitlines()] if log.exists() else []

    def mount_nas(self) -> None:
        """Mount the NAS, which is empty except for its marker."""
        (self.box.root / "mnt/nas").mkdir(exist_ok=True)
        self.box.run("mount", "-t", "tmpfs", "-o", "mode=0775,gid=scand", "nas", "/mnt/nas")
        (self.nas / ".scand-volume").write_text(_VOLUME)

    def drop_in(self, name: str, text: str) -> None:
        """Add a drop-in to the unit, as `systemctl edit` does."""
        self.box.write(f"/etc/systemd/system/{UNIT}.d/{name}.conf", text)
        self.box.run("systemctl", "daemon-reload")

    # The service.

    def start(self) -> int:
        """`systemctl start scand`; the daemon's pid in the box."""
        started = self.box.run("systemctl", "start", "scand", check=False)
        assert started.returncode == 0, "\n".join(self.messages(f"--unit={UNIT}"))
        return self.pid()

    def serves(self, times: int = 1) -> None:
        """Wait until the daemon is ready for jobs, for the first time or again."""
        until(lambda: len(self.said("ready")) >= times, "it is ready for jobs")

    def pid(self) -> int:
        """The daemon's pid in the box; 0 if it does not run."""
        return int(self.box.show(UNIT, "MainPID")["MainPID"])

    def processes(self) -> list[int]:
        """The pids of everything that runs in the unit, outside the box."""
        procs = self.box.root / f"sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs"
        return [int(pid) for pid in procs.read_text().split()]

    def status(self) -> str:
        """Its STATUS=."""
        return self.box.show(UNIT, "StatusText")["StatusText"]

    def restarts(self) -> int:
        """How often systemd has restarted the daemon."""
        return int(self.box.show(UNIT, "NRestarts")["NRestarts"])

    def signal(self, name: str) -> None:
        """Signal the daemon as an operator does: systemctl signals every process of the unit."""
        self.box.run("systemctl", "kill", f"--signal={name}", "scand")

    def freeze(self, module: str) -> int:
        """SIGSTOP a child of the daemon, `scand.feeder` or `scand.courier`; its pid, or 0 if there is none now."""
        proc, daemon = self.box.root / "proc", self.pid()
        for child in (proc / f"{daemon}/task/{daemon}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):
                of_kind = module.encode() in (proc / child / "cmdline").read_bytes()
                if of_kind and self.box.run("kill", "-STOP", child, check=False).returncode == 0:
                    return int(child)
        return 0

    def messages(self, *matches: str) -> list[str]:
        """The log's messages, in order."""
        return [entry["MESSAGE"] for entry in self.box.journal(*matches)]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The daemon's entries of one event."""
        return self.box.journal(f"--unit={UNIT}", f"SCAND_EVENT={event}")

    # The queue.

    def sql(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement, from outside, over the database's unix socket."""
        with psycopg.connect(self.login, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def submit(self, title: str = "A job") -> int:
        """A job that scans and is committed by itself, made as any client of the database would."""
        settings = '{"scan": "auto", "finish": "commit"}'
        query = "INSERT INTO scan_jobs (title, settings, status) VALUES (%s, %s, 'queued') RETURNING id"
        return int(self.sql(query, title, settings)[0]["id"])

    def step(self, job: int, status: str) -> None:
        """Change a job's status by one UPDATE, as a button of a web application does."""
        self.sql("UPDATE scan_jobs SET status = %s WHERE id = %s", status, job)

    def job(self, job: int) -> dict[str, Any]:
        """The row."""
        (row,) = self.sql("SELECT * FROM scan_jobs WHERE id = %s", job)
        return row

    def wait(self, job: int, status: str, patience: float = PATIENCE) -> dict[str, Any]:
        """Wait until the job has a status, and return its row."""
        try:
            until(lambda: self.job(job)["status"] == status, f"job {job} is {status}", patience)
        except AssertionError as error:
            story = "\n".join(self.messages(f"--unit={UNIT}")[-30:])
            raise AssertionError(f"{error}\n{self.job(job)}\n{story}") from None
        return self.job(job)

    def inbox(self) -> list[Path]:
        """The documents in the Inbox."""
        return sorted((self.nas / "PKM/Inbox").glob("*"))
