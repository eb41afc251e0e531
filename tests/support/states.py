"""The generated part of docs/states.md; `python -m tests.support.states` writes it from the table of steps."""

from __future__ import annotations

import re
from pathlib import Path

from scand.jobs.lifecycle import STEPS, Actor, Status

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
BEGIN, END = "<!-- steps: generated -->", "<!-- steps: end -->"
_ENDS = frozenset({Status.FAILED, Status.CANCELED})
_BETWEEN = re.compile(f"(?<={BEGIN}\n).*(?={END})", re.DOTALL)


def _who(from_status: Status | None, to_status: Status) -> str:
    """Who may take a step: "client", "agent", "client, agent"; empty where it is none."""
    return ", ".join(actor for actor in Actor if (from_status, to_status, actor) in STEPS)


def diagram() -> str:
    """The steps between all statuses but failed and canceled, in the language of Mermaid."""
    road = [status for status in Status if status not in _ENDS]
    arrows = [
        f"    {from_status or '[*]'} --> {to_status} : {who}"
        for from_status in (None, *road)
        for to_status in road
        if (who := _who(from_status, to_status))
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])


def table() -> str:
    """Every step: a row a status, a column for each that can follow, and in the cell who may take the step."""
    columns = [status for status in Status if any(step.to_status is status for step in STEPS)]
    rows = [
        f"| {from_status or '(new row)'} | {' | '.join(_who(from_status, to) or '·' for to in columns)} |"
        for from_status in (None, *Status)
    ]
    return "\n".join(
        [f"| from \\ to | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}", *rows],
    )


def generated() -> str:
    """What stands between the two marks."""
    return f"{diagram()}\n\n{table()}\n"


def written(page: str) -> str:
    """The page with its generated part as the code has it now."""
    return _BETWEEN.sub(lambda _: generated(), page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
