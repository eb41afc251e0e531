"""The man pages: everything that `--help` and the config know is in them, and man and mandoc take them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from scand import cli
from scand.cli.manual.command_line import EXAMPLES, commands
from scand.config import Config
from scand.errors import ScandError
from scand.jobs.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[3]
EXAMPLE = CHECKOUT / "systemd/scand.toml"
CONTEXT = click.Context(cli.scand, info_name="scand")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the pages, made as `make install` and the package make them."""
    directory = tmp_path_factory.mktemp("man")
    subprocess.run(
        [sys.executable, "-m", "scand.cli.manual", EXAMPLE, directory],
        cwd=CHECKOUT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        check=True,
    )
    return directory


def read(page: Path) -> str:
    """The page as `man` shows it on a very wide terminal, each run of spaces within a line as one."""
    said = subprocess.run(
        ["man", "--warnings", "--encoding=UTF-8", "--local-file", page],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    return re.sub(r"(?<=\S)[ \t]+", " ", re.sub(r".\x08", "", said.stdout))


def parameters() -> Iterator[tuple[str, str]]:
    """Every command with each of its options and arguments, as `--help` has them."""
    for command, context in [(cli.scand, CONTEXT), *commands(CONTEXT)]:
        for parameter in command.get_params(context):
            if record := parameter.get_help_record(context):
                yield context.command_path, record[0]
        assert "--help" in command.get_help(context)


def test_every_command_and_option_is_told(pages: Path) -> None:
    """What a new command brings along is in the page by itself."""
    text = read(pages / "man1/scand.1")
    sections = dict(re.findall(r"(?ms)^   (scand [a-z]+(?: [a-z]+)*)\b(.*?)(?=^   \S|^\S)", text))
    known = {context.command_path for _, context in commands(CONTEXT)}
    assert known >= {"scand submit", "scand nas init", "scand doctor"}
    assert set(sections) == known
    for command, term in parameters():
        where = sections.get(command, text)
        assert term.split()[0].rstrip(",") in where, f"{command}: {term}"


def test_every_key_of_the_config_is_told(pages: Path) -> None:
    """Section by section, and profiles with every setting of a job."""
    text = read(pages / "man5/scand.toml.5")
    sections = dict(re.findall(r"(?ms)^   \[([a-z]+)[^\n]*\n(.*?)(?=^   \S|^\S)", text))
    assert set(sections) == set(Config.model_fields)
    for name, field in Config.model_fields.items():
        model = Settings if name == "profiles" else field.annotation
        for key in set(getattr(model, "model_fields", {})) - {"profile"}:
            # With a value, which says that the example config has it, or at least by its name.
            assert re.search(rf"(?m)^       {key}( = .+)?$", sections[name]), f"{name}.{key}"


def test_every_exit_status_is_told(pages: Path) -> None:
    """Each of the typed errors, with what it says of itself."""
    text = read(pages / "man1/scand.1")
    for kind in ScandError.__subclasses__():
        said = (kind.__doc__ or "").split("\n")[0]
        assert re.search(rf"(?m)^       {kind.exit_status} {re.escape(said)}", text), kind


def test_every_example_is_a_command() -> None:
    """Each is taken by the command line as it stands: options, arguments and their values."""
    lines = [line for lines in EXAMPLES.values() for line in lines]
    assert lines
    for line in lines:
        program, name, *arguments = shlex.split(line)
        assert program == "scand"
        command = cli.scand.get_command(CONTEXT, name)
        assert command is not None, line
        command.make_context(name, arguments, parent=CONTEXT)


@pytest.mark.parametrize("page", ["man1/scand.1", "man5/scand.toml.5"])
def test_a_page_is_clean(pages: Path, page: str) -> None:
    """mandoc's lint has nothing to say, and the date is that of the source."""
    said = subprocess.run(
        ["mandoc", "-T", "lint", pages / page], stdout=subprocess.PIPE, text=True, check=False
    )
    assert said.stdout == ""
    assert " 2023-11-14 " in (pages / page).read_text().splitlines()[0]
