"""What the daemon can want done. Values only; `agent.perform` carries them out.

The actions of one decision are performed in order. If one fails, those after it are not performed. In all of them,
`job_id` is `scan_jobs.id`, `seq` the number of a batch within the job, and `status`, `from_status` and `entered`
are the job's when this was decided: the row must still have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from scand.decide.actions.host import (
    AbandonCourier,
    AbandonFeeder,
    DropBatch,
    EndBatch,
    Exit,
    FindScanner,
    KillCourier,
    KillFeeder,
    RefuseScan,
    RetireFeeder,
    Scan,
    Send,
    StartFeeder,
    TellFeeder,
)
from scand.decide.actions.rows import (
    Advance,
    Commit,
    ExpectStaged,
    Expire,
    ForgetStaged,
    LookAgain,
    MakeManualJob,
    Name,
    Postpone,
    Progress,
    ReadBack,
    ReadPages,
    Rebound,
    Record,
    RecordCanceled,
    RepairPages,
    WritePages,
)
from scand.decide.actions.waiting import Claim, GiveUp, Hold, LetWait, Park

if TYPE_CHECKING:
    from scand.decide.state import State

__all__ = [
    "AbandonCourier",
    "AbandonFeeder",
    "Action",
    "Advance",
    "Claim",
    "Commit",
    "DatabaseAction",
    "Decided",
    "DropBatch",
    "EndBatch",
    "Exit",
    "ExpectStaged",
    "Expire",
    "FindScanner",
    "ForgetStaged",
    "GiveUp",
    "Hold",
    "KillCourier",
    "KillFeeder",
    "LetWait",
    "LocalAction",
    "LookAgain",
    "MakeManualJob",
    "Name",
    "Park",
    "PlainWrite",
    "Postpone",
    "Progress",
    "ReadBack",
    "ReadPages",
    "Rebound",
    "Record",
    "RecordCanceled",
    "RefuseScan",
    "RepairPages",
    "RetireFeeder",
    "RowWrite",
    "Scan",
    "Send",
    "StartFeeder",
    "TellFeeder",
    "WritePages",
]

PlainWrite: TypeAlias = (
    Hold | LetWait | Park | GiveUp | Advance | Rebound | Postpone | ExpectStaged | ForgetStaged | ReadBack
)
"""Writes that are one statement each."""

RowWrite: TypeAlias = (
    PlainWrite
    | Claim
    | MakeManualJob
    | Record
    | RecordCanceled
    | Name
    | Commit
    | Expire
    | WritePages
    | RepairPages
)
"""Writes of rows that deciding goes by: after each the rows are read again."""

DatabaseAction: TypeAlias = LookAgain | Progress | ReadPages | RowWrite
"""What needs the database."""

LocalAction: TypeAlias = (
    StartFeeder
    | Scan
    | TellFeeder
    | FindScanner
    | RetireFeeder
    | KillFeeder
    | AbandonFeeder
    | EndBatch
    | DropBatch
    | Send
    | KillCourier
    | AbandonCourier
    | RefuseScan
)
"""What needs only this host: its processes and its disk."""

Action: TypeAlias = DatabaseAction | LocalAction | Exit
"""Everything that the daemon can want done."""

Decided: TypeAlias = "tuple[State, list[Action]]"
"""A decision: the next state, and the actions in order."""
