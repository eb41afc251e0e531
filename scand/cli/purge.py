"""`scand purge`: remove what finished jobs keep on local disk; orphans after asking."""

from __future__ import annotations

import os
import pwd
import sys
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import psycopg
from rich.text import Text

from scand.agent import retention
from scand.cli.operator import be_the_agent, refuse_strangers
from scand.cli.program import as_called
from scand.cli.session import agent_url
from scand.cli.tables import table
from scand.cli.terminal import console, echo_json, json_option, visible, when
from scand.config import Config
from scand.queue import leftovers, rivals, statements
from scand.queue.connection import connect
from scand.queue.refusals import told
from scand.queue.results import AgentQueue
from scand.spool.directories import Spool, expired, remove
from scand.spool.disk import disk_errors
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scand.agent.retention import Orphan
    from scand.queue.connection import Connection

_PATIENCE = 60.0
"""Seconds for one statement; and, on top of page_timeout, until a feeder that is silent has been killed."""


class _Disk(NamedTuple):
    """The staging directory, with the queue that it belongs to.

    Attributes:
        installation: the id of the database (`scand_installation`).
        quiet: seconds without a new file after which nobody writes into a directory any more.
    """

    store: AgentQueue
    spool: Spool
    installation: str
    quiet: float


@click.command()
@click.option(
    "--orphans", "orphans_too", is_flag=True, help="Also directories of no job in this database; see --yes."
)
@click.option(
    "--not-read-back",
    is_flag=True,
    help="Also pages of jobs that a client has committed and whose document was not found in the Inbox.",
)
@click.option("--yes", is_flag=True, help="With --orphans: remove them without asking.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
@click.pass_obj
def purge(
    config: Path | None, *, orphans_too: bool, not_read_back: bool, yes: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove now what finished jobs keep on the scan host's disk.

    That is the pages of committed jobs, whose file was read back from the Inbox, and of canceled ones, before
    staging.keep is over; a canceled job that is retried later begins without its batches. No page of any other
    job is touched, and nothing on the NAS.

    Where clients commit by themselves, the pages of a document that was not found afterwards stay. See to it that
    you have the document before you say --not-read-back.

    Orphans are directories with pages of no job in this database: a restored or new one, or a deleted job. They
    are shown, and removed only once you say so: by an answer on the terminal, or with --orphans --yes.

    Run it as root or as the daemon's user, whether the daemon runs or not: sudo scand purge.
    """
    if yes and not orphans_too:
        raise click.UsageError("--yes is for orphans: say --orphans --yes")
    settings = Config.load(config, os.environ, need="client")
    staging = settings.staging.dir
    refuse_strangers(staging, "purge")
    with told(), connect(agent_url(config), name="scand-purge", deadline=_PATIENCE) as connection:
        be_the_agent(connection, "purge")
        _become_owner(staging)
        disk = _disk(connection, staging, settings.scanner.page_timeout + _PATIENCE)
        with disk_errors():
            with suppress(FileNotFoundError):  # a directory that cannot be read would look empty to glob
                os.scandir(disk.spool.jobs).close()
            gone = _finished(disk, dry_run=dry_run, not_read_back=not_read_back)
            found = retention.orphans(disk.store, disk.spool, disk.installation)
            if not as_json:
                _say(gone, found, dry_run=dry_run)
            agreed = found and not dry_run and ((orphans_too and yes) or _asked(found, as_json=as_json))
            removed = _orphans(disk, found) if agreed else []
            if not dry_run:
                for directory in expired(disk.spool.jobs):
                    remove(directory)
    if as_json:
        left = [one for one in found if one not in removed]
        echo_json(
            {"dry_run": dry_run, "jobs": gone, "orphans_removed": _plain(removed), "orphans": _plain(left)}
        )
    elif removed:
        console().print(f"{counted(len(removed), 'orphan')} removed")


def _disk(connection: Connection, staging: Path, quiet: float) -> _Disk:
    store = AgentQueue(connection, statements.load())
    rivals.join(store)
    return _Disk(store, Spool(staging), store.installation()[0], quiet)


def _finished(disk: _Disk, *, dry_run: bool, not_read_back: bool) -> list[dict[str, Any]]:
    """Remove the files of finished jobs, and return each job's id, status and bytes.

    A dry run does the same statements and rolls them back.
    """
    store, spool = disk.store, disk.spool
    sizes = {job_id: spool.existing(job_id).size() for job_id in spool.ids()}
    spare = retention.being_written(spool, disk.quiet)
    gone: list[int] = []
    with store.connection.transaction() if dry_run else nullcontext():
        while more := retention.let_go(store, spool, 0.0, spare=spare, not_read_back=not_read_back):
            gone += more
        if dry_run:
            raise psycopg.Rollback
    if not dry_run:
        for job_id in retention.put_out_of_the_way(store, spool, disk.installation, spare=spare):
            gone += [] if job_id in gone else [job_id]  # its row was changed by a purge that was killed
    jobs = leftovers.jobs_of(store, gone)
    return [
        {"id": job_id, "status": jobs[job_id][1], "bytes": sizes[job_id]}
        for job_id in sorted(gone)
        if job_id in sizes and job_id in jobs
    ]


def _orphans(disk: _Disk, found: Sequence[Orphan]) -> list[Orphan]:
    return [
        one for one in found if retention.retire(disk.store, disk.spool, one, disk.installation, disk.quiet)
    ]


def _say(gone: Sequence[dict[str, Any]], found: Sequence[Orphan], *, dry_run: bool) -> None:
    out = console()
    would = "would be removed" if dry_run else "removed"
    amount = megabytes(sum(job["bytes"] for job in gone))
    out.print(
        f"{counted(len(gone), 'finished job')}, {amount}: {would}" if gone else "no finished job keeps files"
    )
    if not found:
        return
    out.print()
    made = table("orphan", "pages", "size", "last written", "of", right=("pages", "size"))
    for one in found:
        since = when(datetime.fromtimestamp(one.touched, UTC)).rpartition(":")[0]
        made.add_row(
            visible(one.directory.path.name), str(one.pages), megabytes(one.size), since, _whose(one)
        )
    out.print(made)
    out.print(Text(f"below {found[0].directory.path.parent}", "dim"), soft_wrap=True)


def _whose(orphan: Orphan) -> str:
    if orphan.record is None:
        return "an unknown job"
    day = orphan.record.created_at.partition("T")[0]
    if orphan.deleted:
        return f"job {orphan.record.id} of {day}, deleted"
    return visible(f"job {orphan.record.id} of {day}, database {orphan.record.database[:8]}")


def _asked(found: Sequence[Orphan], *, as_json: bool) -> bool:
    """Ask on the terminal whether the orphans may be removed; without a terminal they stay."""
    if as_json:
        return False
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(as_called("orphans stay: sudo scand purge --orphans --yes removes them"))
        return False
    pages = counted(sum(one.pages for one in found), "page")
    return click.confirm(f"Remove {counted(len(found), 'orphan')} with {pages} for ever?", default=False)


def _plain(orphans: Sequence[Orphan]) -> list[dict[str, Any]]:
    return [
        {
            "path": one.directory.path,
            "job": one.record and one.record.model_dump(),
            "pages": one.pages,
            "bytes": one.size,
            "last_written": datetime.fromtimestamp(one.touched, UTC),
        }
        for one in orphans
    ]


def megabytes(size: int) -> str:
    """A number of bytes for a person, in powers of ten: "1.5 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _become_owner(staging: Path) -> None:
    """Turn root into the directory's owner, for good: root must not follow the symbolic links that lie there."""
    found = staging.stat()
    if os.geteuid() == found.st_uid:
        return
    try:
        user = pwd.getpwuid(found.st_uid)
        os.initgroups(user.pw_name, found.st_gid)
    except KeyError:
        os.setgroups([found.st_gid])
    os.setresgid(found.st_gid, found.st_gid, found.st_gid)
    os.setresuid(found.st_uid, found.st_uid, found.st_uid)
