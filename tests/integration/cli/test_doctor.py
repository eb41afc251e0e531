"""`scand doctor` on a sound host, on a fresh one, and with each thing broken."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from scand.cli.checks.database import check_roles
from scand.queue.intents import ClientQueue
from scand.queue.statements import read_sql
from tests.shell import beat
from tests.support.isolated import UNSHARE, needs_mounts

if TYPE_CHECKING:
    from tests.shell import Connect, Connection, Shell


def checks(host: Shell, status: int) -> dict[str, dict[str, Any]]:
    """The checks of `scand doctor --json` by name; it must exit with `status`."""
    return {check["name"]: check for check in host.json("doctor", status=status)}


def test_doctor_finds_everything_on_a_sound_host(host: Shell, agent: Connection) -> None:
    """Everything is sound but the agent; once that is alive, all of it is."""
    host.run("nas", "init")
    found = checks(host, os.EX_UNAVAILABLE)
    assert list(found) == [
        "config",
        "staging",
        "disk",
        "nas",
        "readers",
        "database",
        "schema",
        "rows",
        "commit",
        "roles",
        "kept",
        "agent",
        "parked",
        "scanner",
    ]
    assert [name for name, check in found.items() if not check["ok"]] == ["agent"]
    assert found["agent"]["mend"] == "scand run"
    beat(agent)
    out, _ = host.run("doctor")
    assert "✗" not in out
    assert out.count("✓") == 14


def test_doctor_tells_alive_from_ready(host: Shell, agent: Connection) -> None:
    """An agent that misses its scanner is there, and cannot scan."""
    host.run("nas", "init")
    beat(agent)
    agent.execute("UPDATE scan_agent_status SET ready = false, state = 'idle; no scanner: unplugged'")
    found = checks(host, os.EX_UNAVAILABLE)
    assert "not ready" in found["agent"]["detail"]
    assert "no scanner" in found["agent"]["detail"]
    assert "scand logs" in found["agent"]["mend"]


def test_doctor_sees_a_full_disk_and_a_database_that_is_away(host: Shell) -> None:
    """Both fail, each with what to do; checks that need the database are left out."""
    text = host.config.read_text().replace('min_free = "1MiB"', 'min_free = "900000GiB"')
    host.config.write_text(text.replace(host.url, "postgresql://nobody@127.0.0.1:1/none"))
    host.url = ""
    found = checks(host, os.EX_CONFIG)
    assert not found["disk"]["ok"]
    assert found["disk"]["mend"] == "make room there"
    assert not found["database"]["ok"]
    assert "The database is away" in found["database"]["detail"]


def test_doctor_knows_who_may_take_which_steps(shell: Shell, connect: Connect, login: Connect) -> None:
    """The owner needs no role; others need both, and the check names the command that grants them."""
    owner = connect(shell.url)
    owner.execute("REVOKE ALL ON scan_jobs, scan_job_batches, scan_agent_status FROM PUBLIC")

    def roles(*granted: str) -> tuple[bool, str]:
        """What doctor says of a login that is in these roles."""
        session: Any = login(shell.url, *granted)
        session.row_factory = dict_row
        check = check_roles(ClientQueue(session))
        return check.ok, check.mend

    with ClientQueue.open(shell.url) as queue:
        assert check_roles(queue).ok
    assert roles() == (False, "scand migrate --roles")
    owner.execute(read_sql("roles.sql").encode())
    with ClientQueue.open(shell.url) as queue:
        assert check_roles(queue).ok
    assert roles("scand_client", "scand_agent") == (True, "")
    ok, mend = roles("scand_client")
    assert not ok
    assert mend.startswith("GRANT scand_agent TO ")
    ok, mend = roles()
    assert not ok
    assert "scand_client" in mend
    assert "scand_agent" in mend


def test_doctor_says_what_mends_a_fresh_host(host: Shell, database_url: str) -> None:
    """Each thing that is missing with its command; nothing is changed meanwhile."""
    (host.home / "dll.conf").write_text("")
    host.config.write_text(host.config.read_text().replace(host.url, database_url).replace("test:0", ""))
    host.url = ""
    before = sorted(host.home.rglob("*"))
    found = checks(host, os.EX_CONFIG)
    assert sorted(host.home.rglob("*")) == before
    assert {name for name, check in found.items() if check["ok"]} == {"config", "disk", "database"}
    assert "install -d" in found["staging"]["mend"]
    assert "scand nas init" in found["nas"]["detail"]
    assert "scand migrate" in found["schema"]["detail"]
    assert "switched on" in found["scanner"]["detail"]
    host.config.write_text(host.config.read_text().replace("root =", "rot ="))
    [check] = host.json("doctor", status=os.EX_CONFIG)
    assert check["name"] == "config"
    assert "nas.root" in check["detail"]


def test_doctor_says_whom_the_documents_are_for(host: Shell) -> None:
    """A folder that is closed to the group, and a mode that says everybody."""
    whole = host.config.read_text()
    host.run("nas", "init")
    group = grp.getgrgid(os.getegid()).gr_name

    def readers(line: str) -> dict[str, Any]:
        """What doctor says with one more line in [nas]."""
        host.config.write_text(whole.replace("require_mount", f"{line}\nrequire_mount"))
        return checks(host, os.EX_UNAVAILABLE if "0644" in line else os.EX_CONFIG)["readers"]

    (host.home / "nas" / "PKM").mkdir(mode=0o700)
    closed = readers(f'group = "{group}"')
    assert str(host.home / "nas" / "PKM") in closed["mend"]
    assert readers('file_mode = "0644"')["ok"]


def test_doctor_checks_the_hook(host: Shell) -> None:
    """A program that exists, one that does not, and one that may not be run."""
    whole = host.config.read_text()

    def hook(program: str) -> dict[str, Any]:
        """What doctor says with this program as the hook."""
        host.config.write_text(f'{whole}\n[hooks]\non_event = "{program}"\n')
        return checks(host, os.EX_CONFIG)["hook"]

    assert hook("/bin/true --quiet")["ok"]
    assert "no such program" in hook("/usr/local/bin/scand-massage")["detail"]
    (host.home / "told").write_text("#!/bin/sh\n")
    assert f"chmod a+rx {host.home}/told" in hook(f"{host.home}/told")["mend"]


@needs_mounts
def test_doctor_sees_a_nas_that_it_may_not_write_to(host: Shell) -> None:
    """Read-only is found by writing, and nothing is left there."""
    host.run("nas", "init")
    before = sorted((host.home / "nas").iterdir())
    host.json("doctor", status=os.EX_UNAVAILABLE)
    assert sorted((host.home / "nas").iterdir()) == before
    remount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    doctor = [sys.executable, "-P", "-m", "scand.cli", "doctor", "--json"]
    said = subprocess.run(
        [*UNSHARE, "sh", "-c", remount, "sh", str(host.home / "nas"), *doctor],
        env=host.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    found = {check["name"]: check for check in json.loads(said.stdout)}
    assert not found["nas"]["ok"]
    assert "mount it read-write" in found["nas"]["detail"]
