"""Who may use scand on a scan host: root, members of scand-users, others; and which logins they get."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

MEMBER, STRANGER, LATER = "mia", "otto", "lena"
REFUSED = r"no password supplied|authentication failed"


@pytest.fixture(scope="module")
def home(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host that serves, with a member of the household, and others."""
    with new_host() as host:
        for user in (MEMBER, STRANGER, LATER):
            host.box.run("useradd", "--create-home", user)
        host.box.run("usermod", "-aG", "scand-users", MEMBER)
        host.mount_nas()
        host.start()
        host.serves()
        yield host


def psql(
    host: ScanHost, login: str, query: str, *become: str, passfile: str = "/dev/null"
) -> subprocess.CompletedProcess[str]:
    """Run one statement with psql as a login."""
    (programs,) = (host.box.root / "opt/scand/lib").glob("python3*/site-packages/*/pginstall18/bin")
    where = f"host=/run/scand user={login} dbname=postgres passfile={passfile}"
    program = f"/{programs.relative_to(host.box.root)}/psql"
    return host.box.run(*become, program, "--no-password", "-XAtc", query, where, check=False)


def member(uid: str) -> list[str]:
    """A user id that can connect to the socket."""
    return ["setpriv", f"--reuid={uid}", "--regid=nogroup", "--groups=scand-users"]


# The command line.


def test_a_member_uses_scand_without_sudo(home: ScanHost) -> None:
    """Submit, list, show: to the Inbox; though neither config nor pages nor secrets may be read."""
    home.plug_in("--count=1")
    asked = ("scand", "submit", "Mia's", "--scan", "auto", "--finish", "commit", "--json")
    job = json.loads(home.box.run(*asked, user=MEMBER).stdout)["id"]
    home.wait(job, "committed")
    assert "Mia's" in home.box.run("scand", "list", user=MEMBER).stdout
    assert "committed" in home.box.run("scand", "show", str(job), user=MEMBER).stdout
    for private in (
        "/etc/scand/scand.toml",
        "/var/lib/scand/jobs",
        "/var/lib/scand/postgres/scand.passfile",
    ):
        looked = home.box.run("ls", "-l", f"{private}/", user=MEMBER, check=False)
        read = home.box.run("cat", private, user=MEMBER, check=False)
        assert "Permission denied" in read.stderr, (private, looked.stderr)


def test_a_member_presses_the_key(home: ScanHost) -> None:
    """`touch /run/scand-scan` is for the household; a stranger is refused."""
    assert "Permission denied" in home.box.run("touch", "/run/scand-scan", user=STRANGER, check=False).stderr
    home.box.run("touch", "/run/scand-scan", user=MEMBER)
    unheard = home.box.run("scand", "trigger", user=MEMBER, check=False)
    assert (unheard.returncode, "enable --now scand-scan.path" in unheard.stdout) == (69, True), unheard


def test_a_stranger_is_told_how_to_become_a_member(home: ScanHost) -> None:
    """The sentence's command, run as it is printed, is what was missing."""
    refused = home.box.run("scand", "list", user=LATER, check=False)
    assert refused.returncode == 78, refused.stderr
    assert "Traceback" not in refused.stderr
    (command,) = re.findall(r"`sudo (.*?)`", refused.stderr)
    assert command == f"usermod -aG scand-users {LATER}"
    home.box.run(*command.split())
    assert home.box.run("scand", "list", "--json", user=LATER).returncode == 0
    # Whose session is older than the membership is told that.
    uid, gid = (home.box.run("id", what, LATER).stdout.strip() for what in ("-u", "-g"))
    old_session = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "scand", "list")
    assert "log out and in again" in home.box.run(*old_session, check=False).stderr


def test_root_is_a_client_and_migrates_as_superuser(home: ScanHost) -> None:
    """The same commands; and the one that is root's alone, by a sentence for the others."""
    assert home.box.run("scand", "list", "--json").returncode == 0
    assert home.box.run("scand", "migrate").stdout == "the schema is up to date\n"
    checks = json.loads(home.box.run("scand", "doctor", "--json", check=False).stdout)
    found = {check["name"]: check for check in checks}
    assert found["database"]["ok"], checks
    assert found["schema"]["ok"], checks
    # No scanner is plugged in, which the daemon finds out some time after its start.
    assert found["agent"]["ok"] or found["agent"]["detail"].startswith("Alive, but not ready"), checks
    refused = home.box.run("scand", "migrate", user=MEMBER, check=False)
    assert (refused.returncode, "sudo" in refused.stderr) == (78, True), refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_readable_config_changes_nothing_for_a_member(home: ScanHost) -> None:
    """Where an operator lets everybody read the config, the socket is found all the same."""
    home.box.run("chmod", "0644", "/etc/scand/scand.toml")
    try:
        assert home.box.run("scand", "list", "--json", user=MEMBER).returncode == 0
        assert "usermod" in home.box.run("scand", "list", user=STRANGER, check=False).stderr
    finally:
        home.box.run("chmod", "0640", "/etc/scand/scand.toml")


# The database.


def test_the_socket_is_the_households(home: ScanHost) -> None:
    """Where it lies, whose it is; and none in /tmp, the unit's own or the machine's."""
    said = home.box.run("stat", "--format=%A %U:%G", "/run/scand/.s.PGSQL.5432", "/run/scand").stdout
    assert said.splitlines() == ["srwxrwx--- scand:scand-users", "drwxr-xr-x scand:scand"]
    assert home.box.run("find", "/tmp", "/var/lib/scand", "-type", "s").stdout == ""


def test_a_stranger_cannot_connect(home: ScanHost) -> None:
    """A stranger gets in as no login, since the socket is closed to others."""
    for login in ("household", "postgres", "scand"):
        become = ("setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups")
        assert "Permission denied" in psql(home, login, "SELECT 1", *become).stderr


@pytest.mark.parametrize("user", ["nobody", "scand", MEMBER])
def test_nobody_is_superuser_or_daemon_by_user_id(home: ScanHost, user: str) -> None:
    """Nobody gets in as postgres or as the daemon by user id, not even a driver, which has scand's."""
    for login in ("postgres", "scand", "scand_admin"):
        refused = psql(home, login, "SELECT 1", *member(user))
        assert re.search(REFUSED, refused.stderr), (login, refused)


@pytest.mark.parametrize("user", ["nobody", "scand", MEMBER])
def test_whoever_reaches_the_socket_is_a_client(home: ScanHost, user: str) -> None:
    """Rows are read, a result is not written, and there is no way to become more."""
    assert psql(home, "household", "SELECT current_user", *member(user)).stdout == "household\n"
    for query in (
        "UPDATE scan_jobs SET inbox_path = 'elsewhere'",
        "INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (1, 99)",
        "UPDATE scan_agent_status SET ready = false",
        "SET ROLE scand_agent",
        "COPY scan_jobs TO PROGRAM 'true'",
    ):
        assert "ERROR:" in psql(home, "household", query, *member(user)).stderr, query


def test_root_is_the_superuser(home: ScanHost) -> None:
    """By user id; and the daemon's own session is not: it is agent and client."""
    assert psql(home, "postgres", "SHOW is_superuser").stdout == "on\n"
    query = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'scand'"
    assert psql(home, "postgres", query).stdout == "scand\n"
    passfile = "/var/lib/scand/postgres/scand.passfile"
    asked = psql(home, "scand", "SELECT session_user", *member("scand"), passfile=passfile)
    assert asked.stdout == "scand\n"


# What is not there.


def test_a_service_that_does_not_run_is_told_with_its_command(home: ScanHost) -> None:
    """For a member and for root: systemctl, and never `scand run`, which would make files of root's."""
    home.box.run("systemctl", "stop", "scand")
    for user in (MEMBER, ""):
        refused = home.box.run("scand", "list", user=user, check=False)
        assert refused.returncode == 69, refused.stderr
        (command,) = re.findall(r"`sudo (.*?)`", refused.stderr)
        assert command == "systemctl start scand"
    home.box.run(*command.split())
    until(lambda: home.box.run("scand", "list", user=MEMBER, check=False).returncode == 0, "it serves again")


def test_root_by_hand_without_user_namespaces_is_told(home: ScanHost) -> None:
    """In a container that allows none: a sentence and 78; nothing was made, and no user added."""
    users = (home.box.root / "etc/passwd").read_text()
    home.box.write(
        "/root/scand.toml",
        '[database]\nurl = "embedded"\n[staging]\ndir = "/root/spool"\n[nas]\nroot = "/mnt/nas"\n',
    )
    ran = home.box.run(
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=RestrictNamespaces=yes",
        "/opt/scand/bin/scand", "--config", "/root/scand.toml", "run", check=False,
    )  # fmt: skip
    assert ran.returncode == 78, ran.stderr
    assert "run this as an ordinary user" in ran.stderr
    assert not (home.box.root / "root/spool/postgres").exists()
    assert (home.box.root / "etc/passwd").read_text() == users


def test_root_by_hand_changes_nothing_but_its_staging_directory(home: ScanHost) -> None:
    """Below a 0700 home: it serves; no mode, no owner, no user, no socket for others."""

    def state() -> tuple[str, str, str]:
        told = home.box.run("stat", "--format=%A %U %n", "/", "/root", "/root/by-hand", "/opt/scand", "/tmp")
        sockets = home.box.run("find", "/tmp", "-type", "s")
        return told.stdout, sockets.stdout, (home.box.root / "etc/passwd").read_text()

    home.box.run("chmod", "0700", "/root")
    home.box.run("mkdir", "/root/by-hand")
    before = state()
    home.box.write(
        "/root/by-hand.toml",
        '[database]\nurl = "embedded"\n[staging]\ndir = "/root/by-hand/spool"\n[nas]\nroot = "/mnt/nas"\n',
    )
    scand = ("/opt/scand/bin/scand", "--config", "/root/by-hand.toml")
    home.box.run("systemd-run", "--quiet", "--collect", "--unit=by-hand", *scand, "run")
    until(lambda: home.box.run(*scand, "list", check=False).returncode == 0, "it serves")
    assert home.box.run(*scand, "list", "--json").stdout == "[]\n"
    home.box.run("systemctl", "stop", "by-hand")
    assert state() == before
    assert "database system is shut down" in (home.box.root / "root/by-hand/spool/postgres/log").read_text()


def test_purge_is_for_those_who_may_know_the_secret(home: ScanHost) -> None:
    """Root makes room in the embedded queue's spool; a member is told to use sudo, and nothing goes."""
    home.plug_in("--count=1")
    job = home.submit("To be purged")
    home.wait(job, "committed")
    spooled = home.box.root / f"var/lib/scand/jobs/{job}"
    refused = home.box.run("scand", "purge", user=MEMBER, check=False)
    assert (refused.returncode, "sudo" in refused.stderr) == (78, True), refused.stderr
    assert spooled.exists()
    home.box.run("scand", "purge")
    assert not spooled.exists()
