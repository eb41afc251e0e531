"""Every event of the log: its MESSAGE_ID, level and wording.

All log wording is here. A MESSAGE_ID never changes: the journal's catalog and operators' alerts depend on it
(`journalctl MESSAGE_ID=…`). Wordings take their fields by name; the same fields go to the journal.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from scand.agent.log.message import Level, Message

if TYPE_CHECKING:
    from collections.abc import Mapping


class Event(StrEnum):
    """What can happen; SCAND_EVENT in the journal."""

    # The daemon.
    DAEMON_STARTED = "daemon_started"
    DAEMON_STOPPING = "daemon_stopping"
    DAEMON_STOPPED = "daemon_stopped"
    READY = "ready"
    WAITING_FOR_LOCK = "waiting_for_lock"
    ELECTED = "elected"
    STOOD_DOWN = "stood_down"
    CONFIG_RELOADED = "config_reloaded"
    CONFIG_REFUSED = "config_refused"
    CONFIG_NEEDS_RESTART = "config_needs_restart"
    CONFIG_WARNING = "config_warning"
    CONFIG_UNWATCHED = "config_unwatched"
    HOOK_FAILED = "hook_failed"
    UNEXPECTED = "unexpected"

    # The database.
    WAITING_FOR_DATABASE = "waiting_for_database"
    DATABASE_AWAY = "database_away"
    DATABASE_BACK = "database_back"
    STEP_REFUSED = "step_refused"
    QUEUE_LOCKED = "queue_locked"
    STATUS_ROW_MADE = "status_row_made"
    HINTS_FLOODED = "hints_flooded"

    # A job.
    JOB_CLAIMED = "job_claimed"
    MANUAL_JOB_MADE = "manual_job_made"
    SCAN_REFUSED = "scan_refused"
    PAPER_LEFT = "paper_left"
    JOB_READY_WITH_ERROR = "job_ready_with_error"
    IDLE_TIMEOUT = "idle_timeout"
    JOB_PARKED = "job_parked"
    JOB_RESUMED = "job_resumed"
    JOB_FAILED = "job_failed"
    JOB_CANCELED = "job_canceled"
    JOB_TAKEN = "job_taken"
    JOB_DELETED = "job_deleted"
    JOB_REOPENED = "job_reopened"

    # A batch.
    BATCH_STARTED = "batch_started"
    PAGE_CAPTURED = "page_captured"
    BATCH_RECORDED = "batch_recorded"
    BATCH_FAULT = "batch_fault"
    SPOOL_PUT_ASIDE = "spool_put_aside"
    FILES_EXPIRED = "files_expired"

    # The document.
    STAGED_LEFT = "staged_left"
    ASSEMBLING = "assembling"
    PREVIEW_READY = "preview_ready"
    COMMITTING = "committing"
    COMMITTED = "committed"
    READ_BACK = "read_back"
    NOT_READ_BACK = "not_read_back"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ACCESS_REFUSED = "access_refused"
    NAS_AWAY = "nas_away"
    NAS_BACK = "nas_back"

    # The scanner.
    SCANNER_ADJUSTS = "scanner_adjusts"
    SCANNER_MISSING = "scanner_missing"
    SCANNER_BACK = "scanner_back"

    # The children.
    FEEDER_STARTED = "feeder_started"
    FEEDER_EXITED = "feeder_exited"
    FEEDER_KILLED = "feeder_killed"
    DRIVER_NOISE = "driver_noise"
    COURIER_STARTED = "courier_started"
    COURIER_FAILED = "courier_failed"
    COURIER_RETRY = "courier_retry"


_MESSAGES = {
    # The daemon.
    Event.DAEMON_STARTED: Message(
        "abc68640b80e4a7dadd2c63ac47d2a9a", Level.INFO, "scand {version} started (pid {pid}), config {path}"
    ),
    Event.DAEMON_STOPPING: Message("1164e1d0f56b481291deb0d12b5ec5da", Level.INFO, "stopping: {why}"),
    Event.DAEMON_STOPPED: Message("0c056c317ea941d0975a1bf8d3924157", Level.INFO, "stopped"),
    Event.READY: Message("5575f23a1baa49e89f82ab7a236aad7d", Level.INFO, "ready for jobs"),
    Event.WAITING_FOR_LOCK: Message(
        "fdebc24122354648ba15c09f37433694", Level.WARNING, "waiting for {what}, held by {who}"
    ),
    Event.ELECTED: Message(
        "f171578c966b4f67a06f2fc447c6c777", Level.INFO, "this is the agent now (epoch {epoch})"
    ),
    Event.STOOD_DOWN: Message(
        "2104caa08ea94d88841cb2aba14856af",
        Level.WARNING,
        "stood down: another daemon is the agent (epoch {epoch})",
    ),
    Event.CONFIG_RELOADED: Message(
        "77e8b7e970564fb5a0f369455b01ca17", Level.INFO, "config read again from {path}"
    ),
    Event.CONFIG_REFUSED: Message(
        "4382a0691169436fbd808642242db7e3", Level.ERROR, "config not taken, the old one stays: {why}"
    ),
    Event.CONFIG_NEEDS_RESTART: Message(
        "3d0d1f1b8f0e4c0b9b0e6a3f4f5a7c21",
        Level.WARNING,
        "{why} cannot change while the daemon runs: restart it (systemctl restart scand)",
    ),
    Event.CONFIG_WARNING: Message(
        "4444bd8919d745fe9aef43899ad741ad", Level.WARNING, "config, probably not meant: {why}"
    ),
    Event.CONFIG_UNWATCHED: Message(
        "53673a41ecc942e3992a36b0719b0a27",
        Level.WARNING,
        "changes of {path} are not noticed by themselves ({why}): systemctl reload scand",
    ),
    Event.HOOK_FAILED: Message("8a4b7c7e21d84d0d9a86c3b5e0a1f642", Level.WARNING, "hooks.on_event: {why}"),
    Event.UNEXPECTED: Message("a3279981242b4dce9f3ff42b0d35da8b", Level.ERROR, "unexpected: {why}"),
    # The database.
    Event.WAITING_FOR_DATABASE: Message(
        "9a8d7906640240baa7917f58aaab8562", Level.WARNING, "waiting for the database: {why}"
    ),
    Event.DATABASE_AWAY: Message("8301a8fbccfe40128ff284f4392283a9", Level.WARNING, "database away: {why}"),
    Event.DATABASE_BACK: Message("96fd670be33b41fcbc8f8329bcf5c143", Level.NOTICE, "database back"),
    Event.STEP_REFUSED: Message(
        "f3f01d1990604ec99a20104f5c1f71d2",
        Level.INFO,
        "job {job}: step to {wanted} not taken: a client was faster",
    ),
    Event.QUEUE_LOCKED: Message(
        "dff583c581f143688f4129040ae058ab", Level.WARNING, "the queue stands still: {why}"
    ),
    Event.STATUS_ROW_MADE: Message(
        "3852d7df91194d34b61f8e676f3e02a2",
        Level.WARNING,
        "scan_agent_status was empty: its row is there again (epoch {epoch})",
    ),
    Event.HINTS_FLOODED: Message(
        "2f0b0eb7dad447cd8b4423bf8c1cb99c",
        Level.WARNING,
        "{count} notifications in {seconds} s are too many: polling for a minute",
    ),
    # A job.
    Event.JOB_CLAIMED: Message("05a3ba2e8b0848d4ae687173667791b6", Level.INFO, "job {job}: claimed: {title}"),
    Event.MANUAL_JOB_MADE: Message(
        "c8e868897cc447eabb8a4e9212c04202", Level.INFO, "job {job}: made by the signal: {title}"
    ),
    Event.SCAN_REFUSED: Message(
        "dd369cd4a7714ba28a2f8d2d2384d726", Level.WARNING, "scan signal changes nothing: {why}"
    ),
    Event.PAPER_LEFT: Message("8d0f6c9b0a5e4d0e9a54e0b2c7f61d38", Level.WARNING, "job {job}: waits: {why}"),
    Event.JOB_READY_WITH_ERROR: Message(
        "751b0a9703af46fba0c4d2e7e636c37f", Level.WARNING, "job {job}: a person is needed ({code}): {why}"
    ),
    Event.IDLE_TIMEOUT: Message(
        "7c846dd905e04e769279b3224e1f2ee1", Level.WARNING, "job {job}: nobody came: {outcome}"
    ),
    Event.JOB_PARKED: Message(
        "5c6706d646f34932aa522e45a43a7c20",
        Level.NOTICE,
        "job {job}: parked, since others want the scanner; it goes on in {status}: {why}",
    ),
    Event.JOB_RESUMED: Message(
        "4f3ff0a63b1d4e0fb0a3d6a7b8f6f1c5", Level.INFO, "job {job}: goes on in {status}"
    ),
    Event.JOB_FAILED: Message(
        "fc67adb0240f4f2a9d4feccd72abef38", Level.ERROR, "job {job}: failed ({code}): {why}"
    ),
    Event.JOB_CANCELED: Message(
        "8a67d6ebb01a422e8e13d65433ad95f6", Level.INFO, "job {job}: canceled by a client"
    ),
    Event.JOB_TAKEN: Message(
        "997819562ebb476d98432648178e5f3e", Level.INFO, "job {job}: a client has made it {status}"
    ),
    Event.JOB_DELETED: Message(
        "4380bccb2bcf48a694aa51f936744060",
        Level.WARNING,
        "job {job}: its row was deleted; what was scanned stays on local disk",
    ),
    Event.JOB_REOPENED: Message("0f7c2f8a5d5c4a55a6a5c8c1e2b9d713", Level.INFO, "job {job}: reopened"),
    # A batch.
    Event.BATCH_STARTED: Message(
        "566bafc6ebc94ab4a3a23f1c62bd3323", Level.INFO, "job {job}: batch {batch} scans"
    ),
    Event.PAGE_CAPTURED: Message(
        "fda1fa8c59554979b03c10c7ca420f8a", Level.DEBUG, "job {job}: batch {batch}: page {page} is safe"
    ),
    Event.BATCH_RECORDED: Message(
        "3b1161e852154e88a9fad9375438c248",
        Level.INFO,
        "job {job}: batch {batch} recorded, {holds}",
    ),
    Event.BATCH_FAULT: Message(
        "489eda620b004fb196f6100e38d29808",
        Level.WARNING,
        "job {job}: batch {batch} ended early ({code}): {why}",
    ),
    Event.SPOOL_PUT_ASIDE: Message(
        "8bcb7138db2b4ddbaad7b5cb5fd629e7",
        Level.WARNING,
        "job {job}: pages of another database put aside as {path}",
    ),
    Event.FILES_EXPIRED: Message(
        "b5aa23223e36447a87080c7a64137f18",
        Level.INFO,
        "job {job}: its time on local disk is over; removing its files",
    ),
    # The document.
    Event.STAGED_LEFT: Message(
        "3785165cb1b94f19972307d6b69e4c0a",
        Level.WARNING,
        "job {job}: left alone on the NAS, since it may not be its own: {path}",
    ),
    Event.ASSEMBLING: Message("ee0f5d237cf74386845ce9bb3480f7f3", Level.INFO, "job {job}: merging"),
    Event.PREVIEW_READY: Message(
        "4cd2b76c72864e7f8f346408bac08c3d", Level.INFO, "job {job}: preview ready, {holds}: {path}"
    ),
    Event.COMMITTING: Message("a89060f24aa1492c82a9c8ac2decdbf5", Level.INFO, "job {job}: committing"),
    Event.COMMITTED: Message("57a3c8c1392842af9a5136e1f85506ff", Level.INFO, "job {job}: committed: {path}"),
    Event.READ_BACK: Message(
        "03a5723f7b334d188cf785a8599c36ee",
        Level.INFO,
        "job {job}: the document that a client has committed was read back",
    ),
    Event.NOT_READ_BACK: Message(
        "1e7caf88f0724b9fbe3d1d186e1426e2", Level.WARNING, "job {job}: pages are kept ({code}): {why}"
    ),
    Event.REFUSED: Message(
        "ff5c2d73e00049bd96367913c5d37b73", Level.WARNING, "job {job}: not committed ({code}): {why}"
    ),
    Event.WITHDRAWN: Message(
        "c1b8a2f5d5a04f6fa7a2f1e5b9d3c874",
        Level.INFO,
        "job {job}: taken back: its document is not in the Inbox",
    ),
    Event.ACCESS_REFUSED: Message(
        "5b6d0c7f2a1e4f4b9f0c8a7d6e5f4a31",
        Level.WARNING,
        "the NAS does not set nas.file_mode and nas.group: scand doctor",
    ),
    Event.NAS_AWAY: Message("257474872aa34936be7335c3dab5a352", Level.WARNING, "NAS away ({code}): {why}"),
    Event.NAS_BACK: Message("795c6321dc074bb189ca5c6e2339a573", Level.NOTICE, "NAS back"),
    # The scanner.
    Event.SCANNER_ADJUSTS: Message(
        "6b2f60d3c1f34a7a8f7c9f7e5a4d3b18", Level.INFO, "job {job}: the scanner does otherwise: {why}"
    ),
    Event.SCANNER_MISSING: Message(
        "b90e7d5a4c814f3f9d0c2a6e8b1f7c35", Level.WARNING, "no scanner ({code}): {why}"
    ),
    Event.SCANNER_BACK: Message("c4e1a8f20b6d4d7c8e53f9a7d1b06e92", Level.NOTICE, "scanner back"),
    # The children.
    Event.FEEDER_STARTED: Message("fedd00c2cd4c47bcb153a4f814627d01", Level.DEBUG, "feeder started"),
    Event.FEEDER_EXITED: Message(
        "da2403d9c5d74e3d913950cbe6fbea98",
        Level.WARNING,
        "job {job}: batch {batch}: the scanner's process ended: {how}",
    ),
    Event.FEEDER_KILLED: Message("267477e1931f4907878e35d7f040189d", Level.WARNING, "feeder killed: {why}"),
    Event.DRIVER_NOISE: Message("1f8cfe0986424de3af39d29512b9c346", Level.DEBUG, "driver: {text}"),
    Event.COURIER_STARTED: Message(
        "7af462ccf60d4b7680383fbfffce78dd", Level.DEBUG, "job {job}: courier sent: {task}"
    ),
    Event.COURIER_FAILED: Message(
        "72182a5496924a18a908b40cbed76b3b", Level.WARNING, "job {job}: {task} failed ({code}): {why}"
    ),
    Event.COURIER_RETRY: Message(
        "9fd484803c674d04b41e7f25a4638d0b",
        Level.WARNING,
        "job {job}: {task} again in {seconds} s (attempt {attempt}): {why}",
    ),
}
MESSAGES: Mapping[Event, Message] = MappingProxyType(_MESSAGES)
"""Every event's message."""
