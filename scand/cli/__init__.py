"""The command line: another client of the database, and the operator's tool on the scan host.

`main` is the console script. A command's module is loaded when the command is asked for, so that `scand list`
does not wait for what only `scand demo` needs. Exit statuses are those of sysexits(3): 0, 64 usage, 65 bad data,
69 unavailable, 75 try again, 78 config; and 130 for Ctrl-C.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from scand import __version__
from scand.cli.program import as_called
from scand.errors import BadConfig, ScandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SECTIONS = {
    "Jobs": {
        "submit": ("scand.cli.submit:submit", "Ask for a scan."),
        "scan": ("scand.cli.steps:scan", "Scan one batch now."),
        "finish": ("scand.cli.steps:finish", "Merge the kept batches for a preview."),
        "commit": ("scand.cli.steps:commit", "Put the previewed document into the Inbox."),
        "cancel": ("scand.cli.steps:cancel", "Stop a job; its pages stay on disk for a while."),
        "retry": ("scand.cli.steps:retry", "Queue a failed or canceled job again."),
        "reopen": ("scand.cli.steps:reopen", "Go back from the preview, to add or discard batches."),
        "discard": ("scand.cli.batches:discard", "Keep a batch out of the document."),
        "restore": ("scand.cli.batches:restore", "Take a discarded batch in again."),
        "drop": ("scand.cli.edits:drop", "Leave pages out of the document."),
        "keep": ("scand.cli.edits:keep", "Take blank or dropped pages in again."),
        "turn": ("scand.cli.edits:turn", "Turn pages by 90, 180 or 270 degrees."),
        "move": ("scand.cli.edits:move", "Give pages another place in the document."),
        "rename": ("scand.cli.rename:rename", "Give a job another title."),
    },
    "Looking": {
        "list": ("scand.cli.listing:list_jobs", "The newest jobs."),
        "show": ("scand.cli.show:show", "One job: its batches, and what happened to it."),
        "pages": ("scand.cli.pages:pages", "The pages of a job, also while it is scanned."),
        "sheet": ("scand.cli.pages:sheet", "A contact sheet of what the document will hold."),
        "watch": ("scand.cli.watching:watch", "Follow a job live, until it rests."),
    },
    "Scanner": {
        "devices": ("scand.cli.scanner:devices", "The scanners that SANE finds."),
        "probe": ("scand.cli.scanner:probe", "What a profile becomes on a device, without scanning."),
        "simulate": ("scand.simulator.main:simulate", "Be a virtual scanner on the network."),
    },
    "Service": {
        "setup": ("scand.cli.setup.command:setup", "Set up scanner, NAS and who may use them. For root."),
        "run": ("scand.cli.service:run", "The daemon."),
        "trigger": ("scand.cli.trigger:trigger", "Scan now, as a key or a button does; say what came of it."),
        "logs": ("scand.cli.logs:logs", "The daemon's log, or one job's story."),
        "config": ("scand.cli.config:config", "config check: would the daemon take the config?"),
        "migrate": ("scand.cli.service:migrate", "Bring the database's schema up to date."),
        "nas": (
            "scand.cli.service:nas",
            "nas init: mark the NAS as the one that belongs to this installation.",
        ),
        "purge": (
            "scand.cli.purge:purge",
            "Remove finished jobs' files from local disk; orphans after asking.",
        ),
        "doctor": ("scand.cli.doctor:doctor", "Check everything; say how to mend what is wrong."),
        "demo": ("scand.cli.demo.command:demo", "Paper in, PDF out: all of it, on a simulated scanner."),
    },
}
COMMANDS = {name: place for section in _SECTIONS.values() for name, (place, _help) in section.items()}
"""The name of each command → the module and the name of its function."""


class _Commands(click.Group):
    """The commands of `_SECTIONS`, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them by section."""
        del ctx
        width = max(map(len, COMMANDS))
        for title, section in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, (_place, text) in section.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, readable=False),  # what cannot be read is no wrong usage: exit status 78
    help="The config file.  [default: $SCAND_CONFIG, ~/.config/scand/scand.toml, /etc/scand/scand.toml]",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def scand(ctx: click.Context, config: Path | None) -> None:
    """A stack of paper goes in once; no page is lost, doubled or silently missing."""
    ctx.obj = config


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: without the program's name; None: those of this process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows "?" for it
    if _COMPLETE in os.environ:
        sys.exit(_complete())
    sys.exit(_outcome(given))


_COMPLETE = "_SCAND_COMPLETE"
"""Set by a shell that asks what can be completed. Source: click, "Shell Completion"."""


def _complete() -> int:
    """Answer a shell that completes; it would show anything else that is written, so nothing else is."""
    from scand.cli.bash import register  # noqa: PLC0415 - only a shell needs it

    register()
    try:
        scand.main([], prog_name="scand", complete_var=_COMPLETE, standalone_mode=False)
    except Exception:  # noqa: BLE001 - a TAB is no place for a traceback
        return os.EX_SOFTWARE
    return os.EX_OK


def _outcome(arguments: list[str]) -> int:
    """Run a command and return its exit status; a refusal is a sentence on stderr."""
    try:
        outcome = scand.main(arguments, prog_name="scand", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return _refuse(arguments, error.format_message(), os.EX_USAGE)
    except click.ClickException as error:
        error.show()
        return _refuse(arguments, error.format_message(), error.exit_code)
    except click.Abort:
        return 128 + 2  # as a shell says of SIGINT
    except ScandError as error:
        sentence = as_called(error.sentence, _config(arguments))
        from scand.cli.terminal import visible_lines  # noqa: PLC0415 - rich is slow to load

        for line in sentence.splitlines():
            click.echo(f"scand: {visible_lines(line)}", err=True)
        more: dict[str, object] = {"offers": error.offers} if error.offers else {}
        if isinstance(error, BadConfig):
            more["problems"] = [problem._asdict() for problem in error.problems]
        return _refuse(arguments, sentence, error.exit_status, error_code=error.code, **more)
    return outcome if isinstance(outcome, int) else os.EX_OK


def _config(arguments: list[str]) -> Path | None:
    """The value of --config."""
    with (
        suppress(click.ClickException),
        scand.make_context("scand", [*arguments], resilient_parsing=True) as ctx,
    ):
        found: Path | None = ctx.params.get("config")
        return found
    return None


def _refuse(arguments: Iterable[str], sentence: str, status: int, **more: object) -> int:
    """Print a refusal as JSON, too, where JSON was asked for; return its exit status."""
    if "--json" in itertools.takewhile(lambda argument: argument != "--", arguments):
        click.echo(json.dumps({"error": sentence, "error_code": None, **more}, ensure_ascii=False))
    return status
