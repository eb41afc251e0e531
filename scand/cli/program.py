"""How this program was called, so that the commands that it prints run as they are printed."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import click

_USUAL = "/etc/scand/scand.toml"
"""The installation's config (`config.files.SYSTEM`), which the unit names and a person need not."""

_NAMED = re.compile(r"(?<![\w./:-])scand (?=(?P<command>[a-z]+)\b)")


def program() -> str:
    """How a shell runs this program: by its name where PATH finds it, else by its path."""
    called = Path(sys.argv[0])
    if called.name in {"__main__.py", "-c", ""}:
        return "scand"  # python -m scand.cli, or from another program
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return called.name
    return shlex.quote(str(called.absolute()))


def as_called(text: str, config: Path | None = None) -> str:
    """A sentence with every `scand finish 4` in it spelled as this program was called, `--config` included.

    Args:
        config: `--config` of this call; of the command that runs now, where there is one.
    """
    context = click.get_current_context(silent=True)
    if config is None and context is not None:
        config = context.find_root().params.get("config")
    named = config is not None and str(config) != _USUAL
    call = program() + (f" --config {shlex.quote(str(config))}" if named else "")
    if call == "scand":
        return text
    from scand.cli import COMMANDS  # noqa: PLC0415 - which loads commands, and those load this

    def called(found: re.Match[str]) -> str:
        return f"{call} " if found["command"] in COMMANDS else found[0]

    return _NAMED.sub(called, text)
