"""The embedded PostgreSQL: what it changes, who may come in, and how it is found again."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

from scand.agent.service import Database
from scand.config import Config
from scand.errors import ConfigError, ScandError, Unavailable
from scand.queue import embedded
from scand.queue.embedded.postmaster import PID_FILE
from scand.queue.embedded.programs import Programs
from tests.conftest import fast_directory
from tests.postgres import PrivatePostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = os.geteuid() == 0
NO_ENVIRON: dict[str, str] = {}
REFUSED = r"no password|authentication failed"


@pytest.fixture
def staging() -> Iterator[Path]:
    """A private directory with a short path."""
    place = Path(tempfile.mkdtemp(prefix="scand-", dir=fast_directory()))
    yield place
    left = embedded.Postmaster.find(place / "postgres")
    if left is not None:
        left.stop()
    shutil.rmtree(place)


def settings(staging: Path) -> Config:
    """A config that is right in every other way."""
    return Config.model_validate(
        {"database": {"url": "embedded"}, "staging": {"dir": str(staging)}, "nas": {"root": "/nas"}}
    )


@contextmanager
def serving(staging: Path) -> Iterator[Database]:
    """The daemon's database, with schema, roles and logins."""
    database = Database(settings(staging), NO_ENVIRON)
    try:
        database.open().close()
        yield database
    finally:
        database.close()


def pid(staging: Path) -> int:
    """Of the server that runs; 0: none does."""
    found = embedded.Postmaster.find(staging / "postgres")
    if found is None:
        return 0
    found.close()
    return found.pid


def ask(staging: Path, query: str, user: str = "household", **options: Any) -> list[tuple[Any, ...]]:
    """One statement, as a login, over the socket in the data directory."""
    where = {"host": str(staging / "postgres"), "dbname": "postgres", **options}
    with psycopg.connect(user=user, autocommit=True, **where) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def as_admin(staging: Path, query: str) -> list[tuple[Any, ...]]:
    """One statement, with scand's own secret."""
    return ask(staging, query, "scand_admin", passfile=str(staging / "postgres" / "scand.passfile"))


def sockets(place: Path) -> set[str]:
    """The sockets in a directory."""
    return {
        entry.name for entry in os.scandir(place) if stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode)
    }


def outside(path: Path) -> list[object]:
    """What a start must leave alone: modes and owners of all parents, users, groups, what lies open in /tmp."""
    states = [(str(parent), parent.stat()) for parent in path.parents]
    modes = [(name, state.st_mode, state.st_uid, state.st_gid) for name, state in states]
    accounts = [Path("/etc/passwd").read_text(), Path("/etc/group").read_text()]
    return [modes, accounts, sockets(Path("/tmp"))]


# What is changed.


def test_nothing_outside_the_staging_directory_is_changed(staging: Path) -> None:
    """Made, run and stopped: no mode, no owner, no user, no socket in /tmp; all its files are private."""
    directory = staging / "spool" / "postgres"
    directory.parent.mkdir(mode=0o700)
    programs = Programs.find().directory
    before = outside(directory), outside(programs / "postgres"), programs.stat()
    server = embedded.start(directory, NO_ENVIRON)
    assert sockets(directory) == {".s.PGSQL.5432"}
    server.stop()
    assert (outside(directory), outside(programs / "postgres"), programs.stat()) == before
    for path in (directory, *directory.rglob("*")):
        state = path.lstat()
        assert state.st_uid == os.geteuid(), path
        assert not state.st_mode & 0o077, path
    assert [path.name for path in directory.parent.iterdir()] == ["postgres"]


def test_a_path_too_long_for_a_socket_is_refused_before_anything_is_made(staging: Path) -> None:
    """The sentence says by how much; no file, and no socket anywhere else."""
    before = outside(staging)
    longest = staging / ("x" * (107 - len(f"{staging}//postgres/.s.PGSQL.5432")))
    longer = longest.with_name(longest.name + "x")
    with pytest.raises(ConfigError, match=r"too long by 1 bytes.*shorter staging\.dir"):
        embedded.start(longer / "postgres", NO_ENVIRON)
    assert not longer.exists()
    assert outside(staging) == before
    embedded.start(longest / "postgres", NO_ENVIRON).stop()


def test_a_daemon_with_such_a_path_is_not_tried_again(staging: Path) -> None:
    """`scand run`: one sentence, and the exit status after which systemd does not start it again."""
    config = staging / "scand.toml"
    spool = staging / ("x" * 90)
    config.write_text(
        f'[database]\nurl = "embedded"\n[staging]\ndir = "{spool}"\n[nas]\nroot = "{staging}"\n'
    )
    before = sockets(Path("/tmp"))
    command = [sys.executable, "-m", "scand.cli", "--config", str(config), "run"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == os.EX_CONFIG, ran.stderr
    assert "Choose a shorter staging.dir." in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (spool / "postgres").exists()
    assert sockets(Path("/tmp")) == before


def test_any_path_will_do(staging: Path) -> None:
    """Spaces, quotes, letters: nothing of it is read as something else; only a comma cannot be written."""
    with pytest.raises(ConfigError, match="without one"):
        embedded.start(staging / "a,b" / "postgres", NO_ENVIRON)
    odd = staging / "a 'b\" c=ü%20\\"
    server = embedded.start(odd / "postgres", NO_ENVIRON)
    with psycopg.connect(server.daemon_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("scand",)
    with psycopg.connect(embedded.url(odd / "postgres")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("household",)
    server.stop()


def test_another_users_database_is_not_touched(staging: Path) -> None:
    """The sentence has both names, and the command."""
    foreign = staging / "postgres"
    foreign.mkdir()
    if ROOT:
        os.chown(foreign, 65534, 65534)
    else:
        foreign = Path("/usr")
    with pytest.raises(ConfigError, match=r"run the daemon as .*sudo chown -R"):
        embedded.start(foreign, NO_ENVIRON)


def test_root_without_a_user_namespace_is_told(staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where unshare is missing root gets a sentence, and nothing is made; nobody else needs it."""
    monkeypatch.setenv("PATH", str(staging))
    if ROOT:
        with pytest.raises(ConfigError, match="run this as an ordinary user"):
            embedded.start(staging / "postgres", NO_ENVIRON)
        assert not (staging / "postgres").exists()
    else:
        embedded.start(staging / "postgres", NO_ENVIRON).stop()


# Who may come in.


def test_whoever_reaches_the_socket_is_a_client_and_nothing_more(staging: Path) -> None:
    """Intents and no results; a login without any right of its own, in one role, in one database."""
    with serving(staging):
        assert ask(staging, "SELECT session_user, current_setting('is_superuser')") == [("household", "off")]
        ask(staging, "INSERT INTO scan_jobs (title, status) VALUES ('a', 'queued')")
        for query in (
            "UPDATE scan_jobs SET file_hash = repeat('0', 64)",
            "UPDATE scan_jobs SET status = 'ready'",
            "UPDATE scan_agent_status SET ready = true",
            "SET ROLE scand_agent",
            "CREATE TABLE mine ()",
            "COPY scan_jobs TO PROGRAM 'true'",
        ):
            with pytest.raises(psycopg.Error):
                ask(staging, query)
        with pytest.raises(psycopg.OperationalError, match=REFUSED):
            ask(staging, "SELECT 1", dbname="template1")


def test_nobody_is_superuser_or_daemon_by_user_id(staging: Path) -> None:
    """Without the secret this user, whose the daemon is, is refused; root alone becomes postgres."""
    with serving(staging):
        for login in ("scand", "scand_admin"):
            for password in ({}, {"password": "guess"}):
                with pytest.raises(psycopg.OperationalError, match=REFUSED):
                    ask(staging, "SELECT 1", login, passfile="/dev/null", **password)
        if ROOT:
            assert ask(staging, "SELECT current_user", "postgres") == [("postgres",)]
        else:
            with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
                ask(staging, "SELECT 1", "postgres")
        assert stat.S_IMODE((staging / "postgres" / "scand.passfile").stat().st_mode) == 0o600


def test_the_daemons_login_is_agent_and_client_and_nothing_more(staging: Path) -> None:
    """Member of the two roles, with no attribute; and the tables are the superuser's, whoever migrated."""
    with serving(staging):
        query = """SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
                          array(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid ORDER BY 1)
                     FROM pg_roles AS r WHERE rolname = '{}'"""
        assert as_admin(staging, query.format("scand")) == [(False, ["scand_agent", "scand_client"])]
        assert as_admin(staging, query.format("household")) == [(False, ["scand_client"])]
        owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        assert as_admin(staging, owners) == [("postgres",)]


def test_an_operators_own_login_comes_in_by_its_password(staging: Path) -> None:
    """A web on the same host: a login of its own, in scand_client, by password and not without."""
    word = uuid4().hex
    with serving(staging):
        as_admin(staging, f"CREATE ROLE web LOGIN PASSWORD '{word}' IN ROLE scand_client")
        assert ask(staging, "SELECT count(*) FROM scan_jobs", "web", password=word) == [(0,)]
        with pytest.raises(psycopg.OperationalError):
            ask(staging, "SELECT 1", "web", passfile="/dev/null")


def test_the_rules_are_scands_whatever_was_written(staging: Path) -> None:
    """An edited pg_hba.conf, ALTER SYSTEM: at the next start the door is as closed as before."""
    with serving(staging):
        as_admin(staging, "ALTER SYSTEM SET listen_addresses = '*'")
        as_admin(staging, "ALTER SYSTEM SET hba_file = '/dev/null'")
    hba = staging / "postgres" / "pg_hba.conf"
    hba.write_text("local all all trust\n")
    with serving(staging):
        with pytest.raises(psycopg.OperationalError):
            ask(staging, "SELECT 1", "scand", passfile="/dev/null")
        query = "SELECT current_setting('listen_addresses'), current_setting('hba_file')"
        assert as_admin(staging, query) == [("", str(hba))]


def test_a_lost_secret_is_made_anew(staging: Path) -> None:
    """The file is gone, whether the server runs or not: a new one, and no job is lost."""
    secret = staging / "postgres" / "scand.passfile"
    with serving(staging):
        ask(staging, "INSERT INTO scan_jobs (title) VALUES ('kept')")
        first = secret.read_text()
        secret.unlink()
        with serving(staging):
            second = secret.read_text()
    secret.unlink()
    with serving(staging):
        assert len({first, second, secret.read_text()}) == 3
        assert ask(staging, "SELECT title FROM scan_jobs") == [("kept",)]


def test_a_secret_that_is_not_the_databases_says_what_mends_it(staging: Path) -> None:
    """The sentence names the file to remove; once it is, the daemon serves."""
    secret = staging / "postgres" / "scand.passfile"
    with serving(staging):
        secret.write_text("*:*:*:*:other\n")
    with pytest.raises(ConfigError, match=f"rm {secret}"), serving(staging):
        pass
    secret.unlink()
    with serving(staging):
        assert ask(staging, "SELECT count(*) FROM scan_jobs") == [(0,)]


# Clusters of an earlier scand.


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize("running", [True, False], ids=["still running", "stopped"])
def test_a_cluster_of_0_1_is_closed_at_its_first_start(staging: Path, version: int, running: bool) -> None:
    """It let everybody in as superuser: it is opened by its own version, keeps its rows, and asks for secrets."""
    old = PrivatePostgres(staging / "postgres", version)
    old.make()
    old.start()
    ask(staging, "CREATE TABLE mine AS SELECT 'kept' AS title", "postgres")
    if not running:
        old.shut_down()
    with serving(staging):
        for login in ("scand", "scand_admin"):
            with pytest.raises(psycopg.OperationalError):
                ask(staging, "SELECT 1", login, passfile="/dev/null")
        assert as_admin(staging, "SELECT title FROM mine") == [("kept",)]
        [(number,)] = as_admin(staging, "SELECT current_setting('server_version_num')::int / 10000")
        assert number == version
    old.stop()


def test_a_long_migration_is_not_cut_off(staging: Path) -> None:
    """A statement of a migration that takes longer than any other call may: it comes to its end."""
    old = PrivatePostgres(staging / "postgres")
    old.make()
    old.start()
    ask(
        staging,
        """CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(6); END';
           CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION slow()""",
        "postgres",
    )
    old.shut_down()
    with serving(staging):
        assert ask(staging, "SELECT count(*) FROM scan_jobs") == [(0,)]


# Found, started, stopped.


def test_a_server_that_still_runs_is_found_again(staging: Path) -> None:
    """The daemon was killed: the next one takes its server over, and stops it in good order."""
    code = "import os, sys; from pathlib import Path; from scand.queue import embedded; "
    code += "embedded.start(Path(sys.argv[1]), {}); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, staging / "postgres"], check=False)
    first = pid(staging)
    assert first
    with serving(staging):
        assert pid(staging) == first
    assert not pid(staging)
    assert "database system is shut down" in (staging / "postgres" / "log").read_text()


def test_a_server_that_has_died_is_started_again(staging: Path) -> None:
    """Within one daemon's life: the next session finds another server, with the rows."""
    with serving(staging) as database:
        ask(staging, "INSERT INTO scan_jobs (title) VALUES ('kept')")
        first = pid(staging)
        os.kill(first, 9)
        assert database._server
        assert database._server._postmaster._ended(10)
        for _ in range(100):  # the dead one's backends may still hold its memory for a moment
            try:
                database.open().close()
                break
            except Unavailable:
                continue
        assert pid(staging) not in {0, first}
        assert ask(staging, "SELECT title FROM scan_jobs") == [("kept",)]


def test_the_pid_of_an_innocent_process_is_in_nobodys_way(staging: Path) -> None:
    """After a power cut the number in the lock files is another program's: scand starts, and never signals it."""
    with serving(staging):
        lines = (staging / "postgres" / PID_FILE).read_text().split("\n")
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        for name in (PID_FILE, ".s.PGSQL.5432.lock"):
            (staging / "postgres" / name).write_text("\n".join([str(innocent.pid), *lines[1:]]))
        with serving(staging):
            assert pid(staging) not in {0, innocent.pid}
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("torn", ["", "x", "4711\n"])
def test_a_torn_lock_file_is_in_nobodys_way(staging: Path, torn: str) -> None:
    """A power cut may leave any of it."""
    with serving(staging):
        pass
    for name in (PID_FILE, ".s.PGSQL.5432.lock"):
        (staging / "postgres" / name).write_text(torn)
    with serving(staging):
        assert pid(staging)


def test_a_half_made_database_is_made_anew(staging: Path) -> None:
    """The power went while it was being made: what there is of it has no name yet."""
    (staging / "postgres.new" / "base").mkdir(parents=True)
    (staging / "postgres.new" / "PG_VERSION").write_text("18\n")
    with serving(staging):
        assert [path.name for path in staging.iterdir()] == ["postgres"]


def test_a_stop_during_the_start_leaves_no_server(staging: Path) -> None:
    """SIGTERM while PostgreSQL is being started: it is waited for, and stopped."""
    database = Database(settings(staging), NO_ENVIRON)
    outcome: list[Exception] = []

    def begin() -> None:
        try:
            database.open().close()
        except (ScandError, psycopg.Error) as error:
            outcome.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    while not (staging / "postgres.new").exists():
        assert thread.is_alive()
    database.close()
    thread.join(60)
    assert not pid(staging)
    assert outcome
    with pytest.raises(Unavailable):
        database.open()
    assert not pid(staging)


def test_a_server_that_does_not_start_says_why(staging: Path) -> None:
    """The last words of its log, and where that is."""
    with serving(staging):
        pass
    (staging / "postgres" / "postgresql.conf").write_text("max_connections = many\n")
    with pytest.raises(Unavailable, match=r"\(FATAL: .*contains errors.*postgres/log"):
        embedded.start(staging / "postgres", NO_ENVIRON)


def test_a_version_that_is_not_installed_says_so(staging: Path) -> None:
    """Never opened by another version, which would refuse, or worse."""
    (staging / "postgres").mkdir()
    (staging / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ConfigError, match=r"PostgreSQL 9's.*has 16 and 18 only"):
        embedded.start(staging / "postgres", NO_ENVIRON)


# How clients find it.


def test_a_client_finds_the_database_only_while_it_runs(staging: Path) -> None:
    """The sentence names the command that starts it."""
    with pytest.raises(Unavailable, match="`scand run`"):
        embedded.url(staging / "postgres")
    with serving(staging), psycopg.connect(embedded.url(staging / "postgres")) as connection:
        assert connection.info.user == "household"
    with pytest.raises(Unavailable, match="`scand run`"):
        embedded.maintenance_url(staging / "postgres")


def test_the_service_is_found_by_its_socket(staging: Path) -> None:
    """Under systemd the socket lies in the runtime directory; without a service the sentence says so."""
    runtime = staging / "run"
    runtime.mkdir()
    with pytest.raises(Unavailable, match="SCAND_DATABASE_URL"):
        embedded.running_service_url(runtime)
    server = embedded.start(staging / "postgres", {"RUNTIME_DIRECTORY": str(runtime)})
    assert sockets(runtime) == {".s.PGSQL.5432"}
    assert sockets(staging / "postgres") == set()
    with psycopg.connect(embedded.running_service_url(runtime)) as connection:
        assert connection.info.user == "household"
    server.stop()


def test_a_runtime_directory_of_another_user_is_not_taken(staging: Path) -> None:
    """A variable that leaked into a shell: the socket stays in the data directory."""
    foreign = staging / "run"
    foreign.mkdir()
    if ROOT:
        os.chown(foreign, 65534, 65534)
    else:
        foreign = Path("/run")
    server = embedded.start(staging / "postgres", {"RUNTIME_DIRECTORY": str(foreign)})
    assert sockets(staging / "postgres") == {".s.PGSQL.5432"}
    server.stop()


def test_migrate_goes_in_as_the_superuser(staging: Path) -> None:
    """The command that an operator runs by hand, beside a running daemon."""
    config = staging / "scand.toml"
    config.write_text(f'[database]\nurl = "embedded"\n[staging]\ndir = "{staging}"\n')
    with serving(staging):
        command = [sys.executable, "-m", "scand.cli", "--config", str(config)]
        migrated = subprocess.run([*command, "migrate"], capture_output=True, text=True, check=False)
        assert migrated.stdout == "the schema is up to date\n", migrated.stderr
        listed = subprocess.run([*command, "list", "--json"], capture_output=True, text=True, check=False)
        assert listed.stdout == "[]\n", listed.stderr
