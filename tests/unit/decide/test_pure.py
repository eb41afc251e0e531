"""Deciding does no I/O: none of its modules imports anything that could."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scand import decide

MODULES = sorted(Path(decide.__file__).parent.glob("*.py"))
ALLOWED = {
    "__future__",
    "dataclasses",
    "enum",
    "typing",
    "collections.abc",
    "scand",  # `from scand import wire`: the messages
    "scand.decide",
    "scand.errors",
    "scand.faults",
    "scand.jobs.answers",
    "scand.jobs.lifecycle",
    "scand.jobs.rows",
    "scand.jobs.settings",
    "scand.jobs.staged",
    "scand.spool.leaves",
    "scand.spool.records",
    "scand.wording",
}


def imported(module: Path) -> set[str]:
    """The modules that a file imports from; those of its own package as that package."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            if node.module == "scand":
                assert {name.name for name in node.names} == {"wire"}
    return {"scand.decide" if name.startswith("scand.decide.") else name for name in found}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_of_decide_imports_only_values(module: Path) -> None:
    """No clock, no file, no socket, no process, no database and no log: only the standard library's data types."""
    assert imported(module) <= ALLOWED
