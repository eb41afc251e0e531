"""What a scan host needs, one check each: what is there, or the command that mends it.

Effects are at the edge: each check asks one thing of the outside (in a child process where it may hang) and
says what it found. A check that fails is no exception; what cannot be asked without it is left out.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from scand import embedded, wire
from scand.config import Config, embedded_directory
from scand.database import connect
from scand.desk import Desk
from scand.errands import task
from scand.errors import ConfigError, ErrorCode, ScandError
from scand.inquiry import ask_courier, ask_feeder
from scand.migrate import check as compare_schema
from scand.settings import resolve
from scand.spool import Spool
from scand.view import Errand, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_NOBODYS = "of no job in this database"
_NAS_PATIENCE = 10.0  # seconds


class Check(NamedTuple):
    """What was found.

    Attributes:
        name: what was looked at.
        detail: what is there, or what is wrong, in a sentence.
        mend: the command that mends it; empty where all is well, or the detail says it already.
        exit_status: of sysexits(3), where it is not ok.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""
    exit_status: int = os.EX_OK


def examine(path: Path | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every check, in the order in which they should be mended.

    Args:
        path: `--config`, or None for the usual places.
    """
    try:
        config = Config.load(path, environ, need="daemon")
    except ScandError as error:
        yield _bad("config", error)
        return
    yield Check("config", ok=True, detail=str(config.path))
    yield _told("staging", lambda: check_staging(config))
    yield _told("disk", lambda: check_disk(config))
    yield _told("nas", lambda: check_nas(config))
    served = False
    for check in _database(config):
        yield check
        served = check.name == "agent" and check.ok
    yield _told("scanner", lambda: check_scanner(config, served=served))


def _told(name: str, check: Callable[[], Check]) -> Check:
    """A check that is refused is one that failed."""
    try:
        return check()
    except ScandError as error:
        return _bad(name, error)
    except psycopg.Error as error:
        return Check(
            name, ok=False, detail=f"The database refuses: {error}".strip(), exit_status=os.EX_UNAVAILABLE
        )


def _bad(name: str, error: ScandError, mend: str = "") -> Check:
    return Check(name, ok=False, detail=error.sentence, mend=mend, exit_status=error.exit_status)


# The host.


def check_staging(config: Config) -> Check:
    """Whether this user can write where the pages go."""
    directory = config.staging.dir
    if not directory.is_dir():
        return Check(
            "staging",
            ok=False,
            detail=f"{directory} does not exist.",
            mend=f"install -d -m 0750 -o scand -g scand {directory}",
            exit_status=os.EX_CONFIG,
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        owner = directory.stat().st_uid
        return Check(
            "staging",
            ok=False,
            detail=f"{directory} cannot be written by this user (it is user {owner}'s).",
            mend=f"sudo -u '#{owner}' scand doctor",
            exit_status=os.EX_CONFIG,
        )
    aside = Spool(directory).put_aside()
    told = (
        f"; put aside, since they belong to no job of this database: {', '.join(map(str, aside))}"
        if aside
        else ""
    )
    return Check("staging", ok=True, detail=f"{directory}{told}")


def check_kept(config: Config, desk: Desk) -> Check:
    """How much lies on local disk, and for what. Nothing of it is wrong."""
    spool, keep = Spool(config.staging.dir), config.staging.keep
    statuses = desk.statuses(spool.ids())
    counts: dict[str, list[int]] = {}
    for job_id in spool.ids():
        size = spool.existing(job_id).size()
        counts.setdefault(statuses.get(job_id, _NOBODYS), []).append(size)
    removed = f"removed after {keep / 86400:g} days" if keep is not None else "staging.keep is for ever"
    fates = {
        "committed": removed,
        "canceled": removed,
        "failed": "stay until retried or canceled",
        _NOBODYS: "never removed by scand",
    }
    parts = [
        f"{len(sizes)} {whose}, {_gib(sum(sizes))} ({fates.get(whose, 'under way')})"
        for whose, sizes in sorted(counts.items())
    ]
    return Check("kept", ok=True, detail=f"jobs with files on local disk: {'; '.join(parts) or 'none'}")


def check_disk(config: Config) -> Check:
    """Whether there is room for pages.

    Raises:
        OSError: never where `check_staging` was content.
    """
    directory, least = config.staging.dir, config.staging.min_free
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    detail = f"{_gib(free)} free below {directory}; staging.min_free is {_gib(least)}"
    if free >= least:
        return Check("disk", ok=True, detail=detail)
    return Check("disk", ok=False, detail=f"{detail}.", mend="make room there", exit_status=os.EX_UNAVAILABLE)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def check_scanner(config: Config, *, served: bool) -> Check:
    """Whether the device opens, and can do what the default profile asks.

    Args:
        served: an agent is alive; it may have the device open, and some drivers let nobody else in.

    Raises:
        ScandError: it cannot; the sentence says what it offers.
    """
    question = wire.Probe(device=config.scanner.device, settings=resolve({}, config.presets))
    try:
        probed = ask_feeder(question, wire.Probed, config.scanner.page_timeout)
    except ScandError as error:
        if served and error.code is ErrorCode.DEVICE_BUSY:
            return Check("scanner", ok=True, detail="in use by the agent, and not asked")
        raise
    facts = [probed.device, probed.source, probed.sides, probed.mode, f"{probed.resolution:g} dpi"]
    return Check("scanner", ok=True, detail=", ".join(str(fact) for fact in facts if fact))


def check_nas(config: Config) -> Check:
    """Whether the NAS is mounted and the one that is meant.

    Raises:
        ScandError: it is not, or does not answer.
    """
    spool = Spool(config.staging.dir)
    volume_id = spool.volume_id()
    if not volume_id:
        raise ConfigError("No NAS is known yet: mount it, then run `scand nas init`.")
    # A courier that removes what is not there takes the whole road to the NAS, and changes nothing.
    nothing = Send(Errand.UNSTAGE, 0, staged=f"{config.nas.staging_from_root}/doctor/nothing.pdf")
    ask_courier(task(nothing, spool.existing(0), None, config, volume_id), wire.Unstaged, _NAS_PATIENCE)
    return Check("nas", ok=True, detail=f"{config.nas_root} is volume {volume_id}")


# The database.


def _database(config: Config) -> Iterator[Check]:
    try:
        own = config.database.embedded
        url = embedded.url(embedded_directory(config)) if own else config.database.url.get_secret_value()
        connection = connect(url, name="scand-doctor")
    except ScandError as error:
        yield _bad("database", error)
        return
    with Desk(connection) as desk:
        info = connection.info
        server = f"PostgreSQL {info.server_version // 10_000} at {info.host}"
        yield Check("database", ok=True, detail=f"{server}, database {info.dbname}, as {info.user}")
        schema = _told("schema", lambda: check_schema(desk))
        yield schema
        if schema.ok:
            yield _told("roles", lambda: check_roles(desk))
            if os.access(config.staging.dir, os.R_OK | os.X_OK):
                yield _told("kept", lambda: check_kept(config, desk))
            yield _told("agent", lambda: check_agent(desk))


def check_schema(desk: Desk) -> Check:
    """Whether the schema is this scand's.

    Raises:
        ConfigError: it is older or newer.
    """
    compare_schema(desk.connection)
    return Check("schema", ok=True, detail="up to date")


def check_roles(desk: Desk) -> Check:
    """Whether this login may do what a client and the agent do."""
    roles, login = desk.roles(), desk.connection.info.user
    used, ours = [role for role in roles if role.granted], [role for role in roles if role.member]
    direct = all(role.direct for role in roles)
    if not used and direct:
        return Check(
            "roles", ok=True, detail=f"not used here: {login} may take every step (see sql/roles.sql)"
        )
    if len(used) < len(roles):
        return Check(
            "roles",
            ok=False,
            detail="scand_client and scand_agent have no rights in this database.",
            mend="psql -1 -f sql/roles.sql",
            exit_status=os.EX_CONFIG,
        )
    if len(ours) == len(roles) or (direct and not ours):
        return Check("roles", ok=True, detail=f"{login} may take every step")
    missing = [role.name for role in roles if not role.member]
    return Check(
        "roles",
        ok=False,
        detail=f"The login {login} is not in {' and '.join(missing)}; the daemon and this command need both.",
        mend="; ".join(f'GRANT {name} TO "{login}"' for name in missing),
        exit_status=os.EX_CONFIG,
    )


def check_agent(desk: Desk) -> Check:
    """Whether a daemon serves the queue: alive, and ready, which is more."""
    health = desk.health()
    who = f"{health.hostname}, pid {health.pid}: {health.state}"
    if health.alive and health.ready:
        return Check("agent", ok=True, detail=who)
    if health.alive:
        mend = "scand logs --follow"
        detail = f"Alive, but not ready: {who}"
        return Check("agent", ok=False, detail=detail, mend=mend, exit_status=os.EX_UNAVAILABLE)
    age = health.heartbeat_age_seconds
    last = f"The last heartbeat was {age:.0f} s ago." if age is not None else "There never was one."
    return Check("agent", ok=False, detail=last, mend="systemctl start scand", exit_status=os.EX_UNAVAILABLE)


def exit_status(checks: list[Check]) -> int:
    """0, or 78 where an operator must mend something, or 69 where something is only not there now."""
    failed = {check.exit_status for check in checks if not check.ok}
    if not failed:
        return os.EX_OK
    return os.EX_UNAVAILABLE if failed <= {os.EX_UNAVAILABLE, os.EX_TEMPFAIL} else os.EX_CONFIG
