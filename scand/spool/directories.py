"""The directories below `staging.dir`, written so that after a kill at any instant the disk can still be read.

    <staging.dir>/jobs/<job id>/job.json              whose pages these are
                               /batch-0001/begin.json  written before the first page is asked for
                                           page-0001.jpg, page-0002.jpg …
                                           picture-0001.jpg …  a small picture of each, for its row
                                           pages.jsonl  a line a page: only then is the page captured
                                           end.json     written after the last page
                                           batch.pdf    every side of every whole sheet
                                           bound.json   which pages batch.pdf holds
                               /merged.pdf
                               /publishing.json        written before the rename that publishes
    <staging.dir>/paper.json                           whose paper may be in the scanner's feeder

begin.json without end.json is an interrupted batch. A job directory that belongs to another row (of a restored
or a new database) is renamed and so put aside: never used, never deleted. Source: docs/design.md "On disk".
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scand import durable
from scand.spool.batches import BatchDirectory, write_record
from scand.spool.paper import Paper
from scand.spool.records import JobRecord, SpooledBatch

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


_EXPIRED = ".expired-"
_JOB = "job.json"


class JobDirectory:
    """One job on disk.

    Attributes:
        path: of the directory.
        merged: path of the job's document, which may not exist yet.
        publishing: path of the record of an attempt to publish it, which may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.merged = path / "merged.pdf"
        self.publishing = path / "publishing.json"

    def size(self) -> int:
        """Size of all its files, bytes; files that disappear during the count are left out."""
        size = 0
        for path in self.path.rglob("*"):
            with suppress(FileNotFoundError):
                size += 0 if path.is_dir() else path.stat().st_size
        return size

    def record(self) -> JobRecord | None:
        """Whose pages these are; None where job.json is missing or no longer readable."""
        return _read_job(self.path)

    def merge_size(self) -> int:
        """Bytes of the job's merge, or what it will have about: the sum of its batches; 0 if nobody can say."""
        with suppress(OSError):
            return self.merged.stat().st_size
        total = 0
        for path in self.path.glob("batch-*/batch.pdf"):
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def batch(self, seq: int) -> BatchDirectory:
        """The directory of one batch, which may not exist yet."""
        return BatchDirectory(self.path / f"batch-{seq:04d}")

    def batches(self) -> list[BatchDirectory]:
        """Those that there are, in order."""
        found = (
            BatchDirectory(path)
            for path in self.path.glob("batch-*")
            if path.name.removeprefix("batch-").isdecimal()  # batch-0001.bak is somebody's copy
        )
        return sorted(found, key=lambda batch: batch.seq)

    def look(self, recorded: Collection[int]) -> tuple[list[SpooledBatch], int]:
        """Read the batches that the database does not know yet.

        Args:
            recorded: the batch numbers that the database knows; those batches are not read.

        Returns:
            The batches that are on disk only, in order; and the highest batch number, recorded or on disk.

        Raises:
            OSError: they cannot be read.
            pydantic.ValidationError: a file is damaged.
        """
        read = (batch.read() for batch in self.batches() if batch.seq not in recorded)
        unrecorded = [batch for batch in read if batch is not None]
        return unrecorded, max([*recorded, *(batch.seq for batch in unrecorded)], default=0)


class Spool:
    """The staging directory.

    Args:
        root: `staging.dir`, absolute.

    Attributes:
        jobs: the directory in which each job has its own.
        paper: whose paper may be in the scanner's feeder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = root / "jobs"
        self.paper = Paper(root / "paper.json")

    def job(self, record: JobRecord) -> tuple[JobDirectory, Path | None]:
        """The directory of a job, made if need be.

        A directory whose job.json differs from `record` (another creation time, another database) has the pages
        of another job: it is renamed to `<id>.aside-<seconds since 1970>`, and a new one is made.

        Returns:
            The directory; and where the other job's now is, if one was put aside.

        Raises:
            OSError: the disk is full or broken.
        """
        path, aside = self.jobs / str(record.id), None
        if path.exists() and _read_job(path) != record:
            aside = path.with_name(f"{record.id}.aside-{time.time_ns() // 1_000_000_000}")
            path.rename(aside)
            durable.sync_directory(self.jobs)
        if not path.exists():
            new = path.with_name(f".{record.id}.new")  # appears with its job.json or not at all
            new.mkdir(parents=True, exist_ok=True)
            write_record(new / _JOB, record)
            new.rename(path)
            durable.sync_directory(self.jobs)
        return JobDirectory(path), aside

    def existing(self, job_id: int) -> JobDirectory:
        """Where a job's directory is, if it has one; nothing is made or checked."""
        return JobDirectory(self.jobs / str(job_id))

    def ids(self) -> list[int]:
        """The ids of the jobs that have a directory."""
        return [int(path.name) for path in self.jobs.glob("*") if path.name.isdecimal()]

    def all(self) -> list[JobDirectory]:
        """Every directory with pages, those that were put aside, too."""
        return [
            JobDirectory(path)
            for path in sorted(self.jobs.glob("*"))
            if path.name.isdecimal() or ".aside-" in path.name.partition(_EXPIRED)[0]
        ]

    def databases(self) -> set[str]:
        """The ids of the databases whose jobs have pages here."""
        return {record.database for directory in self.all() if (record := directory.record())}

    def retire(self, directory: JobDirectory) -> Path:
        """Mark a directory as past its time, whosever it is; see `expired`."""
        number = directory.path.name.partition(".")[0]
        target = directory.path.with_name(f"{number}{_EXPIRED}{time.time_ns()}")
        directory.path.rename(target)
        return target

    def expire(self, record: JobRecord) -> bool:
        """Mark a job's directory as expired, by renaming it; a courier removes it later (see `expired`).

        Returns:
            Whether the directory existed and belonged to this job; another job's pages are left alone.

        Raises:
            OSError: it cannot be renamed.
        """
        directory = self.existing(record.id)
        if directory.record() != record:
            return False
        self.retire(directory)
        return True

    def volume_id(self) -> str:
        """The id that the NAS must show (`nas-volume`, written by `scand nas init`); "" when none is set."""
        try:
            return (self.root / "nas-volume").read_text().strip()
        except FileNotFoundError:
            return ""

    def set_volume_id(self, volume_id: str) -> None:
        """Record which NAS belongs to this installation."""
        self.root.mkdir(parents=True, exist_ok=True)
        durable.write_atomic(self.root / "nas-volume", f"{volume_id}\n".encode())

    def put_aside(self) -> list[Path]:
        """The directories that were put aside because they belong to no row of this database; for `doctor`."""
        return sorted(self.jobs.glob("*.aside-*"))


def remove(directory: Path) -> None:
    """Remove a directory that is past its time; another process that does the same is no obstacle.

    Raises:
        OSError: something in it cannot be removed.
    """

    def gone_already(_call: object, _path: object, raised: tuple[object, BaseException, object]) -> None:
        if not isinstance(raised[1], FileNotFoundError):
            raise raised[1]

    shutil.rmtree(directory, onerror=gone_already)


def expired(jobs: Path) -> list[Path]:
    """The expired directories in `jobs` (see `Spool.expire`), which are to be removed."""
    return sorted(jobs.glob(f"*{_EXPIRED}*"))


def _read_job(path: Path) -> JobRecord | None:
    """job.json; None when it is missing or damaged: the directory then belongs to no row."""
    try:
        return JobRecord.model_validate_json((path / _JOB).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
