"""Everything that can go wrong with a job, as one table: a row an error code.

Source: docs/design.md "Faults", which has the same table; a test compares the two. What deciding, the feeder, the
command line and the log do about a fault is read from its row, so a new fault is one row here and one there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, StrEnum


class ErrorCode(StrEnum):
    """The value of `scan_jobs.error_code` and `scan_job_batches.error_code`."""

    FEEDER_EMPTY = "feeder_empty"  # SANE's NO_DOCS before the first page
    PAPER_LEFT = "paper_left"  # a stopped stack may still be in the feeder: no job scans by itself
    FEEDER_JAMMED = "feeder_jammed"  # SANE's JAMMED: a jam, a double feed or skew; drivers do not distinguish
    COVER_OPEN = "cover_open"
    DEVICE_BUSY = "device_busy"
    DEVICE_NOT_FOUND = "device_not_found"
    ACCESS_DENIED = "access_denied"
    DEVICE_ERROR = "device_error"  # I/O error, connection lost, a page shorter than promised
    DRIVER_CRASHED = "driver_crashed"  # the feeder process died by a signal
    DRIVER_HUNG = "driver_hung"  # no data for scanner.page_timeout seconds
    UNSUPPORTED_SETTINGS = "unsupported_settings"  # this device cannot do what the settings ask for
    BAD_SETTINGS = "bad_settings"  # no device can: a misspelt key, a value that does not exist
    INTERRUPTED = "interrupted"  # the daemon stopped, or was killed, in mid-batch
    STAGING_FULL = "staging_full"
    PAGE_LIMIT = "page_limit"  # max_pages was reached; every sheet that was fed is captured
    CANCELED = "canceled"  # a client canceled the job during the batch
    NO_PAGES = "no_pages"
    SIDES_MISMATCH = "sides_mismatch"
    SPOOL_DAMAGED = "spool_damaged"
    COURIER_CRASHED = "courier_crashed"
    VERIFY_FAILED = "verify_failed"
    NAS_UNAVAILABLE = "nas_unavailable"
    NAS_FULL = "nas_full"
    NAS_READONLY = "nas_readonly"
    NAS_HUNG = "nas_hung"
    NAS_WRONG_VOLUME = "nas_wrong_volume"
    PLACE_REFUSED = "place_refused"  # the NAS refuses this document's name or folder, and no other's
    STAGED_FILE_GONE = "staged_file_gone"  # not on the NAS, or not the file that was previewed
    PUBLICATION_UNKNOWN = (
        "publication_unknown"  # an operator gave the job up; its document may be in the Inbox
    )
    IDLE_TIMEOUT = "idle_timeout"
    CLIENT_TIMEOUT = (
        "client_timeout"  # a client that commits by itself said nothing for commit.client_timeout
    )
    NOT_READ_BACK = "not_read_back"  # the document that a client committed is not where it said


class Group(StrEnum):
    """Where the cause lies, and so what has to be put right."""

    PAPER = "paper"
    DEVICE = "device"
    ASKED = "asked"
    DISK = "disk"
    NAS = "nas"
    COURIER = "courier"
    AGENT = "agent"


class Retry(StrEnum):
    """Whether the agent tries again by itself, always with growing pauses (`decide.timeouts.backoff`)."""

    NO = "no"
    A_FEW = "a few tries"  # at the first page only: the fault may pass by itself
    FIVE = "5 times"  # each time from the source files
    FOR_EVER = "for ever"  # nothing is lost by waiting


class Then(Enum):
    """The status that the job goes to when it is not tried again; STAYS: it keeps its status."""

    READY = "ready"
    FAILED = "failed"
    PREVIEW = "preview"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table.

    Attributes:
        group: where the cause lies.
        retry: whether the agent tries again by itself.
        then: where the job goes when it does not.
        in_batch: what happened, as a clause of the sentence about a batch with pages; `{sheet}` stands for the
            number of the sheet under way. Empty for faults that cannot end a batch.
        at_start: the whole sentence when no page is safe yet.
        exit_status: of a command that fails with this code; see sysexits(3).
        sane: the name of the SANE_Status that means this fault, without SANE_STATUS_.
    """

    group: Group
    retry: Retry
    then: Then
    in_batch: str = ""
    at_start: str = ""
    exit_status: int = os.EX_UNAVAILABLE
    sane: str = ""


FAULTS: dict[ErrorCode, Fault] = {
    ErrorCode.FEEDER_EMPTY: Fault(
        Group.PAPER,
        Retry.NO,
        Then.READY,
        at_start="The feeder is empty: put the paper in, then scan again.",
        sane="NO_DOCS",
    ),
    ErrorCode.PAPER_LEFT: Fault(Group.PAPER, Retry.NO, Then.STAYS),
    ErrorCode.FEEDER_JAMMED: Fault(
        Group.PAPER,
        Retry.NO,
        Then.READY,
        "sheet {sheet} jammed (or two were pulled at once)",
        "The feeder is jammed before the first page: check the feeder, then scan again.",
        sane="JAMMED",
    ),
    ErrorCode.COVER_OPEN: Fault(
        Group.PAPER,
        Retry.NO,
        Then.READY,
        "the cover was opened at sheet {sheet}",
        "The scanner's cover is open: close it, then scan again.",
        sane="COVER_OPEN",
    ),
    ErrorCode.DEVICE_BUSY: Fault(
        Group.DEVICE,
        Retry.A_FEW,
        Then.READY,
        "the scanner was busy at sheet {sheet}",
        "The scanner is busy: another program is using it. Close that, then scan again.",
        exit_status=os.EX_TEMPFAIL,
        sane="DEVICE_BUSY",
    ),
    ErrorCode.DEVICE_NOT_FOUND: Fault(
        Group.DEVICE,
        Retry.A_FEW,
        Then.READY,
        "the scanner was gone at sheet {sheet}",
        "The scanner is not found: check its power and cable (`scand devices`), then scan again.",
    ),
    ErrorCode.ACCESS_DENIED: Fault(
        Group.DEVICE,
        Retry.A_FEW,
        Then.READY,
        "the scanner denied access at sheet {sheet}",
        "Access to the scanner is denied: is scand's user in the group scanner? `scand doctor` tells.",
        sane="ACCESS_DENIED",
    ),
    ErrorCode.DEVICE_ERROR: Fault(
        Group.DEVICE,
        Retry.NO,
        Then.READY,
        "the scanner failed at sheet {sheet}",
        "The scanner failed before the first page was safe: check it, put back what went through, "
        "then scan again.",
    ),
    ErrorCode.DRIVER_CRASHED: Fault(
        Group.DEVICE,
        Retry.NO,
        Then.READY,
        "the scanner's driver crashed at sheet {sheet}",
        "The scanner's driver crashed before the first page was safe: put back what went through, "
        "then scan again.",
    ),
    ErrorCode.DRIVER_HUNG: Fault(
        Group.DEVICE,
        Retry.NO,
        Then.READY,
        "the scanner fell silent at sheet {sheet}",
        "The scanner's driver was silent too long before the first page was safe: switch the scanner off and on, "
        "put back what went through, then scan again.",
    ),
    ErrorCode.UNSUPPORTED_SETTINGS: Fault(Group.ASKED, Retry.NO, Then.FAILED, exit_status=os.EX_DATAERR),
    ErrorCode.BAD_SETTINGS: Fault(Group.ASKED, Retry.NO, Then.FAILED, exit_status=os.EX_DATAERR),
    ErrorCode.INTERRUPTED: Fault(
        Group.AGENT,
        Retry.NO,
        Then.READY,
        "scanning was interrupted at sheet {sheet}",
        "Scanning was interrupted before the first page was safe: put the sheet that was under way back "
        "onto the stack, then scan again.",
    ),
    ErrorCode.STAGING_FULL: Fault(
        Group.DISK,
        Retry.FOR_EVER,
        Then.READY,
        "the staging disk is full; scanning stopped before sheet {sheet}",
        "The staging disk is nearly full: make room (`scand doctor`), then scan again.",
    ),
    ErrorCode.PAGE_LIMIT: Fault(
        Group.ASKED,
        Retry.NO,
        Then.READY,
        "max_pages was reached; the feeder may hold more sheets, from sheet {sheet} on",
    ),
    ErrorCode.CANCELED: Fault(
        Group.AGENT, Retry.NO, Then.STAYS, "scanning was canceled at sheet {sheet}", sane="CANCELLED"
    ),
    ErrorCode.NO_PAGES: Fault(Group.ASKED, Retry.NO, Then.READY),
    ErrorCode.SIDES_MISMATCH: Fault(Group.PAPER, Retry.NO, Then.READY),
    ErrorCode.SPOOL_DAMAGED: Fault(Group.DISK, Retry.NO, Then.FAILED),
    ErrorCode.COURIER_CRASHED: Fault(Group.COURIER, Retry.FIVE, Then.FAILED),
    ErrorCode.VERIFY_FAILED: Fault(Group.COURIER, Retry.FIVE, Then.FAILED),
    ErrorCode.NAS_UNAVAILABLE: Fault(Group.NAS, Retry.FOR_EVER, Then.STAYS),
    ErrorCode.NAS_FULL: Fault(Group.NAS, Retry.FOR_EVER, Then.STAYS, exit_status=os.EX_TEMPFAIL),
    ErrorCode.NAS_READONLY: Fault(Group.NAS, Retry.FOR_EVER, Then.STAYS, exit_status=os.EX_CONFIG),
    ErrorCode.NAS_HUNG: Fault(Group.NAS, Retry.FOR_EVER, Then.STAYS, exit_status=os.EX_TEMPFAIL),
    ErrorCode.NAS_WRONG_VOLUME: Fault(Group.NAS, Retry.FOR_EVER, Then.STAYS, exit_status=os.EX_CONFIG),
    ErrorCode.PLACE_REFUSED: Fault(Group.NAS, Retry.NO, Then.PREVIEW),
    ErrorCode.STAGED_FILE_GONE: Fault(Group.NAS, Retry.NO, Then.PREVIEW),
    ErrorCode.PUBLICATION_UNKNOWN: Fault(Group.NAS, Retry.NO, Then.FAILED),
    ErrorCode.IDLE_TIMEOUT: Fault(Group.AGENT, Retry.NO, Then.FAILED),
    ErrorCode.CLIENT_TIMEOUT: Fault(Group.AGENT, Retry.NO, Then.PREVIEW),
    ErrorCode.NOT_READ_BACK: Fault(Group.NAS, Retry.NO, Then.STAYS),
}


def nas_is_away(code: str | None) -> bool:
    """Whether a fault means that the NAS cannot be used now: the agent waits for it, and logs it once.

    Args:
        code: an `ErrorCode`, or whatever a row says.
    """
    fault = FAULTS.get(ErrorCode(code)) if code in set(ErrorCode) else None
    return fault is not None and fault.group is Group.NAS and fault.retry is Retry.FOR_EVER
