"""`scand commit --steps`: the document that was seen, or none."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from tests.shell import beat, status_of, step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell


def test_a_document_that_was_changed_since_is_not_committed(shell: Shell, agent: Connection) -> None:
    """What `scand show` says is enough to commit that document; after a reopen it commits no other."""
    beat(agent)
    shell.run("submit", "Letter")
    for status in ("ready", "assembling", "preview"):
        step(agent, 1, status)
    seen = shell.json("show", "1")["steps"]
    assert re.search(rf"^steps +{seen} *$", shell.run("show", "1")[0], re.MULTILINE)
    for status in ("ready", "assembling", "preview"):
        step(agent, 1, status)
    said = shell.refused("commit", "1", "--steps", str(seen), status=os.EX_DATAERR)
    assert said == f"Job 1 has changed since (steps is {seen + 3} now): scand show 1"
    assert status_of(agent, 1) == "preview"
    shell.run("commit", "1", "--steps", str(seen + 3))
    assert status_of(agent, 1) == "committing"
