"""Commands in a sentence are said as this program was called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scand.cli.program import as_called, program
from scand.config.files import SYSTEM


def test_a_command_has_the_config_that_was_named() -> None:
    """Quoted where a shell needs it; the installation's own goes without saying."""
    said = "Job 4 has no preview yet: scand finish 4"
    assert as_called(said) == said
    assert as_called(said, Path("a b.toml")) == "Job 4 has no preview yet: scand --config 'a b.toml' finish 4"
    assert as_called(said, SYSTEM) == said
    assert as_called("run `scand migrate`, (scand list …)", Path("x")) == (
        "run `scand --config x migrate`, (scand --config x list …)"
    )


@pytest.mark.parametrize(
    "text",
    ["systemctl start scand", "/var/lib/scand list", "scand is there", "sudo -u scand ls", "scand-scan list"],
)
def test_what_is_no_command_stays(text: str) -> None:
    """The name alone, a path, a word that is no command."""
    assert as_called(text, Path("x")) == text


def test_a_program_off_the_path_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by its name alone where PATH finds the same file."""
    script = tmp_path / "my bin" / "scand"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert program() == f"'{script}'"
    monkeypatch.setenv("PATH", str(script.parent))
    assert program() == "scand"
