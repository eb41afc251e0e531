"""Every command that scand prints, in a sentence, a hint, a document or a unit, is one that there is."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from scand.cli import scand

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[3]
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
OTHERS = [path for path in sorted((CHECKOUT / "systemd").rglob("*")) if path.is_file()]

_PLACE = re.compile(r"\{[^{}]*\}|…|\bJOB\b|\bSEQ\b|\bNAME\b|\bTITLE\b|<[a-z ]+>")
_CALL = re.compile(r"(?<![\w./:@-])(?:\.venv/bin/)?scand((?: --config \S+)? [a-z]+\b[^\n`|]*)")
_TICKED = re.compile(r"`([^`\n]+)`")

ELSEWHERE = {"apt", "apt-get", "sudo", "ntfy", "psql", "pg_dump", "curl", "gpasswd", "newgrp"}
"""Programs that are named, and need not be on a machine that runs the tests."""


def texts() -> Iterator[tuple[str, str]]:
    """Everything that a person may read, with where it stands; what is filled in later is 1."""
    for path in sorted((CHECKOUT / "scand").rglob("*.py")):
        tree = ast.parse(path.read_text())
        inner = {
            id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "1" for part in node.values]
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno}", "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno}", node.value
    for path in [*DOCUMENTS, *OTHERS]:
        yield str(path.relative_to(CHECKOUT)), path.read_text()


def calls() -> list[tuple[str, str]]:
    """Each `scand …` in them: where, and what follows the name."""
    names = scand.list_commands(click.Context(scand))
    found = []
    for where, text in texts():
        for call in _CALL.findall(text):
            words = call.split()
            if words[0] == "--config":
                words = words[2:]
            if words and words[0] in names:
                found.append((where, " ".join(words)))
    return sorted(set(found))


def test_there_are_many() -> None:
    """The search finds what it is for."""
    assert len(calls()) > 150
    assert {"submit", "setup", "doctor", "finish"} <= {call.split()[0] for _, call in calls()}


@pytest.mark.parametrize(("where", "call"), calls())
def test_its_words_are_understood(where: str, call: str) -> None:
    """The command and each option that stands directly behind it are known; prose may follow."""
    words = _words(call)
    command: click.Command = scand
    context = click.Context(scand)
    while isinstance(command, click.Group) and words:
        inner = command.get_command(context, words[0])
        if inner is None:
            break
        command, words = inner, words[1:]
    assert not isinstance(command, click.Group) or not words, f"{where}: scand {call}"
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        if word.startswith("-") and len(word) > 1 and word != "--":
            assert word.partition("=")[0] in known | {"--help", "-h"}, f"{where}: scand {call}"


def test_a_command_in_backticks_is_whole() -> None:
    """What stands between backticks is the whole command: click takes it, with every argument that it needs."""
    names = scand.list_commands(click.Context(scand))
    wrong = []
    for where, text in texts():
        for ticked in _TICKED.findall(text):
            words = _words(ticked.removeprefix("sudo ").removeprefix("-u scand "))
            if len(words) < 2 or words[0] != "scand" or words[1] not in names:
                continue
            try:
                scand.make_context("scand", words[1:])
                _parsed(words[1:])
            except click.UsageError as error:
                wrong.append(f"{where}: `{ticked}`: {error.format_message()}")
    # A command's name alone may stand for the command; that it wants an argument is no mistake then.
    assert [line for line in wrong if "Missing argument" not in line] == []


def test_programs_in_backticks_are_there() -> None:
    """`sudo …`, `systemctl …`: the program is one that Debian has."""
    missing = []
    for where, text in texts():
        for ticked in _TICKED.findall(text):
            words = ticked.split()
            if len(words) > 1 and words[0] == "sudo":
                program = next((word for word in words[1:] if not word.startswith("-")), "")
                if words[1] == "-u":
                    program = words[3] if len(words) > 3 else ""
                if program and program not in {*ELSEWHERE, "scand"} and not shutil.which(program):
                    missing.append(f"{where}: `{ticked}`")
    assert missing == []


def _words(call: str) -> list[str]:
    call = _PLACE.sub("1", call).partition("  #")[0]
    try:
        return shlex.split(call)
    except ValueError:
        return call.split()


def _parsed(words: list[str]) -> None:
    """Let click read a command line to its end, without running it.

    Raises:
        click.UsageError: it does not take it.
    """
    command: click.Command = scand
    context = click.Context(scand)
    while isinstance(command, click.Group):
        inner = command.get_command(context, words[0]) if words else None
        if inner is None:
            return
        command, words = inner, words[1:]
    command.make_context(command.name, list(words), parent=context)
