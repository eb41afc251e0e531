"""scand(1): the commands and options as click knows them, and what surrounds them."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

import click

from scand import __version__, cli
from scand.cli.manual import roff
from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DESCRIPTION = """
`scand` is the daemon of a scan host, and the command line to it. The daemon takes jobs from PostgreSQL, scans
through SANE, keeps every page safe on local disk, and puts one verified PDF into the Inbox on a NAS, exactly
once. The commands below are another client of the same database: each writes what you want into the job's row,
and the daemon does it.

A job begins as `queued` (or as a `draft`), is `ready` when the scanner is its own, `scanning` while a batch runs,
`assembling` while its batches are merged, in `preview` until somebody has looked at the document, `committing`
while it goes into the Inbox, and then `committed`. After a fault it is `ready` again, with a sentence that says
what is safe and from which sheet to feed again. `canceled` and `failed` jobs keep their pages and can be queued
again.
"""

_SIGNALS = {
    "SIGUSR1": "Scan now: into the job that is ready; with none, a new job as [manual] in scand.toml(5) says. "
    "While a batch runs or a preview waits, nothing changes, and the log says so.",
    "SIGHUP": "Read the config again. A bad one is refused as a whole, and the old one stays. A changed file is "
    "read without it, too.",
    "SIGTERM, SIGINT": "Stop: finish the sheet under way, keep it, record the batch as interrupted, exit with 0.",
}

_ENVIRONMENT = {
    "SCAND_CONFIG": "The config file, where `--config` does not say it.",
    "SCAND_DATABASE_URL": "Outranks database.url of the config; with it, the commands that only need the database "
    "do without a config.",
    "SANE_CONFIG_DIR": "Where libsane looks for its own config; see sane-dll(5).",
    "NO_COLOR": "If it is not empty, no colors on the terminal.",
}

_FILES = {
    "/etc/scand/scand.toml": "The config: scand.toml(5). `~/.config/scand/scand.toml` outranks it, for that user.",
    "/etc/scand/profiles.d/": "Profiles, a file each.",
    "/etc/credstore/scand.database-url": "The daemon's database URL if that has a password: root's, mode 0600.",
    "/var/lib/scand": "Pages until their document is committed (staging.dir), and the embedded database.",
    "/run/scand-scan": "Touched, it scans, while scand-scan.path is enabled.",
}

EXAMPLES = {
    "A job that is scanned at once and goes into the Inbox by itself:": (
        'scand submit "Invoices 2026" --scan auto --finish commit',
    ),
    "Step by step, for a look at the document in between:": (
        'scand submit "Invoices 2026"',
        "scand scan",
        "scand watch",
        "scand finish",
        "scand commit",
    ),
    "After a jam in batch 1 of job 42, with the stack from the sheet on that `scand show 42` names:": (
        "scand scan 42",
    ),
    "Or once more from the first sheet:": ("scand discard 42 1", "scand scan 42"),
    "What the scanner would be set to for a job in gray:": ("scand probe --set mode=gray",),
    "What happened to job 42:": ("scand show 42", "scand logs 42"),
}

_SEE_ALSO = ("scand.toml(5)", "journalctl(1)", "systemctl(1)", "scanimage(1)", "sane(7)")


def scand_1(date: str) -> list[str]:
    """The page, line by line.

    Args:
        date: `2026-11-30`.
    """
    context = click.Context(cli.scand, info_name="scand")
    return [
        *roff.title("scand", 1, date, f"scand {__version__}", "scand"),
        *roff.heading("Name"),
        r"scand \- document scanner daemon, and the command line to it",
        *roff.heading("Synopsis"),
        *roff.paragraphs(f"`scand` {' '.join(cli.scand.collect_usage_pieces(context))}"),
        *roff.heading("Description"),
        *roff.paragraphs(_DESCRIPTION),
        *roff.heading("Options"),
        *_options(cli.scand, context),
        *roff.heading("Commands"),
        *(line for command, inner in commands(context) for line in _command(command, inner)),
        *roff.heading("Exit status"),
        *(line for status, text in _statuses().items() for line in roff.entry(str(status), text)),
        *roff.heading("Environment"),
        *_entries(_ENVIRONMENT),
        *roff.heading("Files"),
        *_entries(_FILES),
        *roff.heading("Signals"),
        *roff.paragraphs("To the daemon, `scand run`:"),
        *_entries(_SIGNALS),
        *roff.heading("Examples"),
        *[line for text, lines in EXAMPLES.items() for line in _example(text, lines)][1:],
        *roff.heading("See also"),
        *roff.paragraphs(", ".join(_SEE_ALSO)),
    ]


def commands(context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command below that of a context, in the order of the help, groups before what they hold."""
    group = context.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            inner = click.Context(command, info_name=name, parent=context)
            yield command, inner
            yield from commands(inner)


def _command(command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = inspect.cleandoc(command.help or "")
    return [*roff.subheading(usage), *roff.paragraphs(text), *_options(command, context)]


def _options(command: click.Command, context: click.Context) -> list[str]:
    """The options that have a help text; `--help` itself only once, in the page's own options."""
    records = [
        parameter.get_help_record(context)
        for parameter in command.get_params(context)
        if context.parent is None or parameter.name != "help"
    ]
    return [line for record in records if record and record[1] for line in roff.entry(*record)]


def _entries(table: dict[str, str]) -> list[str]:
    return [line for term, text in table.items() for line in roff.entry(term, text)]


def _example(text: str, lines: tuple[str, ...]) -> list[str]:
    return [".PP", *roff.paragraphs(text), ".RS 4", *roff.verbatim("\n".join(lines)), ".RE"]


def _statuses() -> dict[int, str]:
    """The exit statuses in order, as sysexits.h numbers them, each with the docstring of its exception."""
    told = {kind.exit_status: inspect.getdoc(kind) or "" for kind in ScandError.__subclasses__()}
    told |= {os.EX_OK: "All is well.", 130: "Ctrl-C."}
    return dict(sorted(told.items()))
