"""Which columns a client may write; every other one is the agent's, or kept by a trigger.

`docs/database.md` shows this list, `sql/roles.sql` grants it, and the guards in `sql/migrations/` (0011, 0017 and
0018) hold everybody to it who is not the agent, with the roles or without.
`tests/integration/queue/test_columns.py` compares the four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_INSERTS: Mapping[str, frozenset[str]] = {
    "scan_jobs": frozenset({"title", "settings", "status"}),
    "scan_job_batches": frozenset(),
    "scan_job_pages": frozenset(),
}
"""Table → what a client chooses of a new row."""

CLIENT_UPDATES: Mapping[str, frozenset[str]] = {
    "scan_jobs": frozenset({"title", "settings", "status", "steps"}),
    "scan_job_batches": frozenset({"status", "answered"}),
    "scan_job_pages": frozenset({"choice", "turn", "place"}),
}
"""Table → what a client changes. `steps` only goes up by one: it is the version column of mappers."""

FIXED_BY_THE_COMMIT = frozenset({"title"})
"""Of those in scan_jobs, what it changes no more from committing on (migration 0019)."""

COMMITTING_CLIENT_UPDATES = frozenset({"doc_id", "error", "error_code"})
"""What it changes of a job that is committing, too, where `sql/client-commits.sql` was run."""

COMMIT_CLIENT_UPDATES = frozenset({"inbox_path", "file_hash"})
"""What it writes there with the step to committed, and only then (migration 0015)."""

DOCUMENT_SERVER_UPDATES = frozenset({"doc_id"})
"""What it changes, too, where the table `documents` is not scand's own."""
