"""Every command as every kind of user in every state of a host: a sentence and a status, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from scand.cli import scand
from tests.systemd.box import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

USERS = ("root", "scand", "mia", "otto")
"""mia is a member of scand-users; otto is nobody's member."""

STATUSES = {
    os.EX_OK, os.EX_USAGE, os.EX_DATAERR, os.EX_UNAVAILABLE, os.EX_TEMPFAIL, os.EX_CONFIG,
    128 + 2,  # Ctrl-C
}  # fmt: skip

ARGUMENTS: dict[str, list[list[str]]] = {
    "submit": [["A title"], ["A title", "--set", "sides=duplx"], [""]],
    "discard": [["1", "1"]],
    "restore": [["1", "1"]],
    "rename": [["1", "Another title"]],
    "show": [["1"], ["999"]],
    "list": [[], ["--json"], ["--since", "yesterday"]],
    "simulate": [["--listen", "127.0.0.99"]],
    "setup": [["--yes", "--nas-root", "not/absolute"]],
    "purge": [["--dry-run"], ["--orphans", "--dry-run"]],
    "demo": [["--dir", "/proc/nowhere"]],
    "logs": [["1"]],
}
"""What a command is called with, where it needs something or would change the host."""

ANYWHERE = {"devices", "probe", "simulate", "demo"}
"""Neither the queue nor the service is asked: once is enough, and they take their time."""


def commands() -> dict[str, list[list[str]]]:
    """Every command that there is, by its first word, with all arguments that are tried."""
    found: dict[str, list[list[str]]] = {}

    def walk(command: click.Command, context: click.Context, words: list[str]) -> None:
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                walk(inner, context, [*words, name])
        else:
            found.setdefault(words[0], []).extend(
                [*words, *arguments] for arguments in ARGUMENTS.get(words[0], [[]])
            )

    with scand.make_context("scand", [], resilient_parsing=True) as context:
        walk(scand, context, [])
    return found


@pytest.fixture(scope="module")
def home(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host that has served, with a document and a job in it, and two people."""
    with new_host() as host:
        for user in USERS[2:]:
            host.box.run("useradd", "--create-home", user)
        host.box.run("usermod", "-aG", "scand-users", "mia")
        host.box.write("/run/walk.py", Path(__file__).with_name("walk.py").read_text())
        host.mount_nas()
        host.plug_in("--count=1")
        host.start()
        host.serves()
        host.wait(host.submit("A document"), "committed")
        yield host


def _no_config(host: ScanHost) -> None:
    host.box.run("systemctl", "stop", "scand")
    host.box.run("mv", "/etc/scand/scand.toml", "/etc/scand/kept.toml")


def _bad_config(host: ScanHost) -> None:
    host.box.write("/etc/scand/scand.toml", '[nas]\nroot = "here"\n[database]\nurl = 5\n[scaner]\n', 0o644)


def _no_daemon(host: ScanHost) -> None:
    host.box.run("mv", "/etc/scand/kept.toml", "/etc/scand/scand.toml")
    host.box.run("systemctl", "reset-failed", "scand", check=False)


def _no_nas(host: ScanHost) -> None:
    host.box.run("umount", "/mnt/nas")
    host.start()
    until(lambda: host.said("elected"), "it leads")


def _no_database(host: ScanHost) -> None:
    host.box.run("cp", "-p", "/etc/scand/scand.toml", "/etc/scand/kept.toml")
    config = host.box.root / "etc/scand/scand.toml"
    lines = config.read_text().replace('url = "embedded"', 'url = "postgresql://scand@127.0.0.1:9/documents"')
    config.write_text(lines)
    host.box.run("systemctl", "restart", "scand")


STATES: dict[str, Callable[[ScanHost], None]] = {
    "it serves": lambda _host: None,
    "no config": _no_config,
    "a bad config": _bad_config,
    "no daemon": _no_daemon,
    "no NAS": _no_nas,
    "no database": _no_database,
}
"""In the order in which one leads to the next."""


@pytest.mark.timeout(600)
def test_nobody_sees_a_traceback(home: ScanHost) -> None:
    """Each command ends by itself, with a status of sysexits(3) and a reason."""
    wrong = []
    for number, (state, prepare) in enumerate(STATES.items()):
        prepare(home)
        wanted = [
            [user, arguments]
            for name, calls in commands().items()
            for arguments in calls
            for user in USERS
            if number == 0 or name not in ANYWHERE
        ]
        for told in _walk(home, wanted):
            call = f"{state}: {told['user']}: scand {' '.join(told['arguments'])}"
            # `scand logs` becomes journalctl, which ends with 1 where somebody may not read the journal.
            allowed = STATUSES | ({1} if told["arguments"][0] == "logs" else set())
            if "Traceback" in told["said"] or told["status"] not in allowed:
                wrong.append(
                    f"{call} → {told['status']} after {told['seconds']:.1f} s\n{told['said'][-1500:]}"
                )
            elif told["status"] and not told["said"].strip() and told["arguments"][0] not in {"watch", "run"}:
                wrong.append(f"{call} → {told['status']}, without a word")
    assert not wrong, f"{len(wrong)} of them\n" + "\n".join(wrong)


def _walk(host: ScanHost, wanted: list[list[Any]]) -> list[dict[str, Any]]:
    """Run all commands as all users, and return their results."""
    enter = ["nsenter", f"--target={host.box.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "--root"]
    python = next((host.box.root / "opt/scand/bin").glob("python3"))
    done = subprocess.run(
        [*enter, f"/{python.relative_to(host.box.root)}", "-P", "/run/walk.py"],
        input=json.dumps(wanted),
        env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
