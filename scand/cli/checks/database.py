"""The database, its schema and rights, and the agent that shows in it."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from scand.cli.checks.check import Check, gib, refused, told, wrong
from scand.errors import ScandError
from scand.jobs.lifecycle import Status
from scand.queue import commit_by
from scand.queue.connection import connect, take_role
from scand.queue.intents import ClientQueue
from scand.queue.schema import check as compare_schema
from scand.queue.tables import open_schemas
from scand.spool.directories import Spool
from scand.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scand.config import Config

_NOBODYS = "of no job in this database"


def check_database(url: Callable[[], str], config: Config | None, start: str) -> Iterator[Check]:
    """The database and what is in it.

    Args:
        url: where it is.
        config: the daemon's; None for a client that may not read it, and is not asked for the daemon's rights.
        start: the command that starts the daemon.
    """
    try:
        connection = connect(url(), name="scand-doctor")
    except ScandError as error:
        yield refused("database", error)
        return
    with ClientQueue(connection) as queue:
        info = connection.info
        server = f"PostgreSQL {info.server_version // 10_000} at {info.host}"
        yield Check("database", ok=True, detail=f"{server}, database {info.dbname}, as {info.user}")
        if config is not None:
            schema = told("schema", lambda: check_schema(queue))
            yield schema
            if not schema.ok:
                return
            yield told("rows", lambda: check_rows(queue))
            yield told("commit", lambda: check_commit(config, queue))
            if not config.database.embedded:  # there the daemon sees to the roles itself
                yield told("roles", lambda: check_roles(queue))
            if os.access(config.staging.dir, os.R_OK | os.X_OK):
                yield told("kept", lambda: check_kept(config, queue))
        yield told("agent", lambda: check_agent(queue, start))
        yield told("parked", lambda: check_parked(queue))


def check_schema(queue: ClientQueue) -> Check:
    """Whether the schema is this scand's.

    Raises:
        ConfigError: it is older or newer.
    """
    compare_schema(queue.connection)
    return Check("schema", ok=True, detail="up to date")


def check_rows(queue: ClientQueue) -> Check:
    """Whether the daemon and a client see every row, and no stranger's function can run in their place.

    Raises:
        ConfigError: rows are hidden from one of them.
    """
    for role in ("scand_agent", "scand_client"):
        with queue.connection.transaction():
            take_role(queue.connection, role, local=True)
    for schema in open_schemas(queue.connection):
        why = f"Every login may make functions in the schema {schema}, in which scand's tables are."
        return wrong("rows", why, f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    return Check("rows", ok=True, detail="none is hidden by row-level security")


def check_commit(config: Config, queue: ClientQueue) -> Check:
    """Whether config and database agree on who commits, and whether documents of clients were all found.

    Raises:
        ConfigError: they disagree.
    """
    commit_by.check(queue.connection, config.commit.by)
    if lost := queue.not_read_back():
        jobs = ", ".join(str(job) for job in lost)
        return wrong(
            "commit",
            f"Clients have committed documents that scand does not find: job {jobs}. Their pages are kept.",
            f"scand show {lost[0]}",
            os.EX_UNAVAILABLE,
        )
    return Check("commit", ok=True, detail=f"the {config.commit.by or 'agent'} commits")


def check_roles(queue: ClientQueue) -> Check:
    """Whether this login may do what a client and the agent do."""
    roles, login = queue.roles(), queue.connection.info.user
    used, ours = [role for role in roles if role.granted], [role for role in roles if role.member]
    direct = all(role.direct for role in roles)
    if not used and direct:
        return Check(
            "roles",
            ok=True,
            detail=f"not used here: {login} may take every step (scand migrate --roles makes some)",
        )
    if len(used) < len(roles):
        return wrong(
            "roles",
            "scand_client and scand_agent have no rights in this database.",
            "scand migrate --roles",
        )
    if len(ours) == len(roles) or (direct and not ours):
        return Check("roles", ok=True, detail=f"{login} may take every step")
    missing = [role.name for role in roles if not role.member]
    return wrong(
        "roles",
        f"The login {login} is not in {' and '.join(missing)}; the daemon and this command need both.",
        "; ".join(f'GRANT {name} TO "{login}"' for name in missing),
    )


def check_kept(config: Config, queue: ClientQueue) -> Check:
    """How much lies on local disk, and for what. Nothing of it is wrong."""
    spool, keep = Spool(config.staging.dir), config.staging.keep
    statuses = queue.statuses(spool.ids())
    counts: dict[str, list[int]] = {}
    for job_id in spool.ids():
        size = spool.existing(job_id).size()
        counts.setdefault(statuses.get(job_id, _NOBODYS), []).append(size)
    removed = f"removed after {keep / 86400:g} days" if keep is not None else "staging.keep is for ever"
    fates = {
        "committed": removed,
        "canceled": removed,
        "deleted": removed,
        "failed": "stay until retried or canceled",
        _NOBODYS: "never removed by scand",
    }
    parts = [
        f"{len(sizes)} {whose}, {gib(sum(sizes))} ({fates.get(whose, 'under way')})"
        for whose, sizes in sorted(counts.items())
    ]
    return Check("kept", ok=True, detail=f"jobs with files on local disk: {'; '.join(parts) or 'none'}")


def check_parked(queue: ClientQueue) -> Check:
    """How many jobs have given way to others, and for what they wait. Nothing of it is wrong."""
    stages = Counter(job.resumes_in for job in queue.unfinished() if job.resumes_in is not None)
    previews = stages.pop(Status.PREVIEW, 0)
    waits = {"for the NAS": stages.total(), "for an answer to their preview": previews}
    said = "; ".join(f"{why}: {counted(jobs, 'job')}" for why, jobs in waits.items() if jobs)
    return Check("parked", ok=True, detail=f"waiting {said}" if said else "no job")


def check_agent(queue: ClientQueue, start: str) -> Check:
    """Whether a daemon serves the queue: alive, and ready, which is more.

    Args:
        start: the command that starts one.
    """
    health = queue.health()
    who = f"{health.hostname}, pid {health.pid}: {health.state}"
    if health.alive and health.ready:
        return Check("agent", ok=True, detail=who)
    if health.alive:
        return wrong("agent", f"Alive, but not ready: {who}", "scand logs --follow", os.EX_UNAVAILABLE)
    age = health.heartbeat_age_seconds
    if age is None:
        last = "There never was one, or its row in scan_agent_status was removed; a daemon makes it again."
    elif age < 0:
        last = (
            f"The last heartbeat is {-age:.0f} s in the future, by a clock that was wrong; none came since."
        )
    else:
        last = f"The last heartbeat was {age:.0f} s ago."
    return wrong("agent", last, start, os.EX_UNAVAILABLE)
