"""Actions on the rows of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scand import wire
    from scand.faults import ErrorCode
    from scand.jobs.lifecycle import Actor, Status
    from scand.jobs.rows import Job
    from scand.spool.leaves import Plan
    from scand.spool.records import BatchPdf


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Read the rows and the disk again.

    Attributes:
        after: of the jobs with stale staged files, those with a higher id come first.
    """

    after: int = 0


@dataclass(frozen=True, slots=True)
class RecordCanceled:
    """Write into the database what was scanned of batches whose job was canceled meanwhile.

    Attributes:
        job_id: 0: of every canceled job that has files here.
    """

    job_id: int


@dataclass(frozen=True, slots=True)
class MakeManualJob:
    """Make a new job from the config's `[manual]`, as a client would."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Take a step of the job, and write its results.

    Attributes:
        to_status: the next status.
        actor: in whose name the step is taken.
        error: the row's new `error`; None clears it.
        code: the row's new `error_code`; None clears it.
        staged: for assembling → preview: the merge, and where it is on the NAS.
        plan: what the merge holds and leaves out, for the log.
        left_out: what is not in it, for the log (see `jobs.answers`).
    """

    job_id: int
    from_status: Status
    to_status: Status
    actor: Actor
    entered: int = 0
    error: str | None = None
    code: ErrorCode | None = None
    staged: wire.Staged | None = None
    plan: Plan | None = None
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Write a batch into the database; a scanning job becomes ready in the same transaction.

    Attributes:
        pdf: the batch's PDF; None for a batch whose only side is the front of a torn sheet.
        kept: whether the batch goes into the merge.
        code: the batch's `error_code`.
        error: the job's `error`, with `code` as its `error_code`; None when the job has no error.
        blank: number of sides that are left out as blank.
        listed: so many of its pages have rows already.
        fault: the batch's `error`: the sentence about the fault that ended it.
        answered: nobody has to say what becomes of the batch's pages.
        answers: the batch is complete, so the kept ones before it that ended in a fault have their rest.
        halves: in manual duplex the discarded ones are answered, too, since the whole half was fed again.
    """

    job_id: int
    status: Status
    seq: int
    pdf: BatchPdf | None
    kept: bool
    code: ErrorCode | None
    error: str | None
    blank: int = 0
    listed: int = 0
    fault: str | None = None
    answered: bool = True
    answers: bool = False
    halves: bool = False


@dataclass(frozen=True, slots=True)
class WritePages:
    """Write rows of pages that are on disk, of a batch that is not recorded yet.

    Attributes:
        after, upto: the pages from number `after` + 1 to number `upto`.
    """

    job_id: int
    status: Status
    seq: int
    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class RepairPages:
    """Compare the rows of a job's pages with its disk, and write what is missing or wrong."""

    job: Job


@dataclass(frozen=True, slots=True)
class ReadPages:
    """Compare the rows of a job's pages with the disk, repair them, and read what its merge is made from."""

    job: Job


@dataclass(frozen=True, slots=True)
class Rebound:
    """Write that a recorded batch has a new PDF.

    Attributes:
        pdf: the PDF, which has every side of every whole sheet.
        blank: number of sides in it that are left out as blank.
    """

    job_id: int
    status: Status
    seq: int
    pdf: BatchPdf
    blank: int


@dataclass(frozen=True, slots=True)
class Postpone:
    """Keep the status, write why, and try again later.

    Attributes:
        code: the row's new `error_code`.
        error: the row's new `error`.
        seconds: how long to wait.
        attempt: number of the try that failed, from 1.
    """

    job_id: int
    status: Status
    code: ErrorCode
    error: str
    seconds: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Write that the job makes progress.

    Attributes:
        pages: while it is scanning: number of pages so far; else None.
        step: else: how far the courier has come.
    """

    job_id: int
    pages: int | None
    step: wire.Alive | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """Write the document's name and hash into the row, then send the courier `Go`."""

    job_id: int
    named: wire.Named


@dataclass(frozen=True, slots=True)
class Commit:
    """The document is in the Inbox: write that into the row, and link it."""

    job_id: int
    published: wire.Published


@dataclass(frozen=True, slots=True)
class ExpectStaged:
    """Write into the row where on the NAS the job's merge is going to be, before it is copied.

    Attributes:
        staged: relative to the NAS root.
        odd: what the row said before, if scand never stages this job there; it is left alone.
    """

    job_id: int
    staged: str
    odd: str | None = None


@dataclass(frozen=True, slots=True)
class ForgetStaged:
    """Write into the row that nothing of the job is staged on the NAS any more.

    Attributes:
        left: what the row named and nobody can prove to be the job's; it is left alone.
    """

    job_id: int
    left: str | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Write whether a document that a client has committed was found in the Inbox.

    Attributes:
        found: it was read back with its hash, and the staged file is gone.
        attempts: how often it was looked for in vain.
        seconds: until it is looked for again; None: no more.
        code: the row's new `error_code`, when it is looked for no more; else None.
        error: the row's new `error`.
    """

    job_id: int
    found: bool
    attempts: int = 0
    seconds: float | None = None
    code: ErrorCode | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Expire:
    """Expire the local files of jobs that were committed or canceled `keep` seconds ago."""

    keep: float
