"""`scand trigger`: scan now, as a key or a scanner's button does, and say what came of it."""

from __future__ import annotations

import grp
import os
import pwd
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scand.agent.lock import open_holder
from scand.cli.outcome import Came, begun, of_scan, of_silence, parked
from scand.cli.program import as_called
from scand.cli.session import open_queue
from scand.cli.terminal import console, echo_json, json_option, visible
from scand.config import Config
from scand.decide.timeouts import SCAN_ASKED_FOR
from scand.errors import ConfigError, ScandError, Unavailable
from scand.jobs.lifecycle import DELIVERIES, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scand.cli.outcome import Outcome
    from scand.queue.intents import ClientQueue, JobRow, Mark

KEY = Path("/run/scand-scan")
"""Touching this file starts a scan: scand-scan.path watches it. systemd/scand.tmpfiles says who may."""

_HEARD_WITHIN = {False: 3.0, True: 6.0}
"""Seconds within which the daemon begins to scan; True: through the path unit, with systemd in between."""

_UNCHANGED = 1.0
"""Seconds after which a job that was busy and still is shows that the signal has changed nothing."""

_REMEMBERED = SCAN_ASKED_FOR + _UNCHANGED
"""The same for a job on its way to the NAS: it may be done, or parked, while the daemon remembers the signal."""

_SEEN = 10.0
"""Seconds to wait for the first page, or for a fault in its place; a warm scanner needs two."""

_STATUSES = {
    Came.SCANS: os.EX_OK,
    Came.NOTHING: os.EX_TEMPFAIL,
    Came.FAULT: os.EX_TEMPFAIL,
    Came.NOT_TAKEN: os.EX_UNAVAILABLE,
}


@click.command()
@json_option
@click.pass_obj
def trigger(config: Path | None, *, as_json: bool) -> int:
    """Scan now, on this host: what a key or a button does; and say what came of it.

    Into the job that is ready; with none, a new job as [manual] of the config says. While a batch runs, or a
    preview is there that somebody has touched a moment ago (agent.preview_hold), it changes nothing, and says so.
    While a document is on its way to the NAS, the daemon remembers the request for half a minute.

    Root and the daemon's user send the signal; members of the group scand-users touch /run/scand-scan, for which
    scand-scan.path is watching. The exit status is 0 where it scans, 75 where a person must do something first, 69
    where the daemon has not heard.
    """
    with ExitStack() as stack:
        unreadable: ScandError | None = None
        try:
            queue = stack.enter_context(open_queue(config))
            before, active = queue.mark(), _active(queue)
        except ScandError as error:
            unreadable = error
        by_path = _ask(config)
        if unreadable is not None:
            unreadable.sentence = (
                f"The daemon is told to scan, but what came of it cannot be read: {unreadable.sentence}"
            )
            raise unreadable
        pages = {active.id: active.pages_scanned or 0} if active else {}
        outcome = _what_came(queue, before, pages, by_path=by_path)
    if as_json:
        job = outcome.job and {"id": outcome.job.id, "title": outcome.job.title, "status": outcome.job.status}
        code = outcome.job.error_code if outcome.job else None
        echo_json({"came": outcome.came, "sentence": outcome.sentence, "job": job, "error_code": code})
    else:
        console().print(visible(as_called(outcome.sentence)), soft_wrap=True)
    return _STATUSES[outcome.came]


def _ask(config: Path | None) -> bool:
    """Ask the daemon to scan.

    Returns:
        Whether it was asked through the path unit, and not by a signal.

    Raises:
        Unavailable: there is no daemon.
        ConfigError: this user may not ask.
    """
    staging = _staging(config)
    if staging is not None:
        with suppress(PermissionError):
            held = open_holder(staging)
            if held is None:
                raise Unavailable(f"No daemon holds {staging}: start it (systemctl start scand).")
            _pid, pidfd = held
            try:
                signal.pidfd_send_signal(pidfd, signal.SIGUSR1)
            except ProcessLookupError as error:
                raise Unavailable("The daemon has just gone: systemctl status scand tells why.") from error
            finally:
                os.close(pidfd)
            return False
    touch(KEY)
    return True


def _staging(config: Path | None) -> Path | None:
    """The directory of the daemon's lock; None where this user may not read the config and there is a key."""
    try:
        return Config.load(config, os.environ, need="client").staging.dir
    except ScandError:
        if KEY.exists():
            return None
        raise


def touch(key: Path) -> None:
    """Touch the file for which the path unit is watching.

    Raises:
        ConfigError: this user may not, or there is no such file.
    """
    try:
        fd = os.open(key, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ConfigError(
            f"The daemon is another user's, and there is no {key} to touch: sudo scand trigger"
        ) from error
    except OSError as error:
        raise ConfigError(_who_may(key)) from error
    try:
        os.utime(fd)
    finally:
        os.close(fd)


def _who_may(key: Path) -> str:
    found = key.stat()
    user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(found.st_gid)
    refused = f"Only members of the group {group.gr_name} may scan with {key}"
    if user.pw_name in group.gr_mem:
        return f"{refused}; {user.pw_name} is one from the next login on: until then newgrp {group.gr_name}"
    return (
        f"{refused}: sudo usermod -aG {group.gr_name} {user.pw_name} makes {user.pw_name} one from the next login "
        "on; until then sudo scand trigger"
    )


def _active(queue: ClientQueue) -> JobRow | None:
    """The job that holds the scanner."""
    found = [job.id for job in queue.unfinished() if Status(job.status).active]
    return queue.job(found[0]) if found else None


def _patience(active: JobRow | None, *, by_path: bool) -> float:
    """Seconds after which a job in this status shows that nothing comes of the request."""
    if active is None or active.status == Status.READY:
        return _HEARD_WITHIN[by_path]
    return _REMEMBERED if active.status in DELIVERIES else _UNCHANGED


def _what_came(queue: ClientQueue, before: Mark, pages: Mapping[int, int], *, by_path: bool) -> Outcome:
    """Look at the queue until it shows what came of the request.

    Args:
        before: the last step before the daemon was asked; a step to scanning after it is the answer.
        pages: the job that held the scanner then → how many pages it had.
        by_path: the daemon was asked through the path unit.
    """
    queue.listen()
    since, seen = time.monotonic(), _active(queue)
    told = False
    while (job_id := begun(steps := queue.steps_since(before))) is None:
        active, now = _active(queue), time.monotonic()
        if (active and (active.id, active.status)) != (seen and (seen.id, seen.status)):
            since, seen = now, active  # that job has gone on, or was parked: the signal may be obeyed now
        if now - since >= _patience(active, by_path=by_path):
            return of_silence(active, queue.health(), by_path=by_path)
        if not told and active is not None and active.status in DELIVERIES and now - since >= _UNCHANGED:
            told = True
            click.echo(f"job {active.id} is on its way to the NAS: the signal waits for it", err=True)
        queue.wait(0.1)
    since = time.monotonic()
    while True:
        outcome = of_scan(queue.job(job_id), pages.get(job_id, 0), parked(steps))
        if outcome.final or time.monotonic() - since >= _SEEN:
            return outcome
        queue.wait(0.1)
