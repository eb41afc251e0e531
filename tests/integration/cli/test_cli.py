"""The command line as a process, against a real PostgreSQL and a real libsane."""

from __future__ import annotations

import grp
import json
import os
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from psycopg.rows import dict_row
from rich.text import Text

from scand.cli import scand as command
from scand.cli.checks.database import check_roles
from scand.queue.intents import ClientQueue
from scand.queue.statements import read_sql
from tests.shell import NOBODY_LISTENS, Shell, beat, status_of, step
from tests.support.isolated import UNSHARE, needs_mounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    Connection = psycopg.Connection[Any]
    Connect = Callable[..., Connection]

# The commands themselves.


def test_every_command_has_help_and_is_in_it() -> None:
    """The help of the whole names all of them, and each has its own."""
    runner = CliRunner()
    whole = runner.invoke(command, ["--help"])
    assert whole.exit_code == 0
    with command.make_context("scand", [], resilient_parsing=True) as context:
        names = command.list_commands(context)
    assert len(names) == 26
    for name in names:
        assert f"\n  {name} " in whole.output
        own = runner.invoke(command, [name, "--help"])
        assert own.exit_code == 0, own.output
        assert "Usage: scand" in own.output


def test_nothing_heavy_is_loaded_before_a_command_is_known() -> None:
    """`scand --version` is as quick as click."""
    code = "import sys, scand.cli; print(*sorted({'psycopg', 'pydantic', 'rich', 'PIL'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["list", "--nonsense"], ["show"], ["show", "0"], ["show", "seven"], ["show", str(2**63)],
     ["discard", "1", "0"], ["submit"], ["submit", "a", "--set", "resolution"], ["submit", "a", "--scan", "later"],
     ["submit", "a", "--draft", "--wait"], ["list", "--status", "lost"], ["list", "--limit", "0"]],
)  # fmt: skip
def test_a_wrong_call_is_64(tmp_path: Path, arguments: list[str]) -> None:
    """It says what would be right, before anything is asked of the database."""
    out, err = Shell(tmp_path, NOBODY_LISTENS).run(*arguments, status=os.EX_USAGE)
    assert "Error: " in err
    assert out == ""


def test_a_wrong_call_that_wants_json_gets_it(tmp_path: Path) -> None:
    """One document on stdout; but what stands behind "--" is no option."""
    shell = Shell(tmp_path, NOBODY_LISTENS)
    refusal = shell.json("list", "--status", "lost", status=os.EX_USAGE)
    assert "lost" in refusal["error"]
    assert refusal["error_code"] is None
    out, _ = shell.run("submit", "--", "--json", "more", status=os.EX_USAGE)
    assert out == ""


def test_interrupted_is_130(shell: Shell, agent: Connection) -> None:
    """As of any program that Ctrl-C ends; no traceback."""
    job = shell.json("submit", "a")["id"]
    process = shell.start("watch", str(job))
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == ""
    assert status_of(agent, job) == "queued"


# Where the database is.


def test_without_a_config_or_a_url_it_is_78(tmp_path: Path) -> None:
    """The sentence says where a config is looked for, and what else would do."""
    sentence = Shell(tmp_path, "").refused("list", status=os.EX_CONFIG)
    assert "scand.toml" in sentence
    assert "SCAND_DATABASE_URL" in sentence


def test_a_database_that_is_away_is_69(tmp_path: Path) -> None:
    """Also as JSON."""
    shell = Shell(tmp_path, NOBODY_LISTENS)
    assert "away" in shell.refused("list", status=os.EX_UNAVAILABLE)
    assert "away" in shell.json("list", status=os.EX_UNAVAILABLE)["error"]


def test_a_database_that_refuses_is_78(shell: Shell) -> None:
    """A database that does not exist, a URL that is none, an embedded one that does not run (69)."""
    shell.url = shell.url.replace("scand_test_", "scand_gone_")
    assert "does not exist" in shell.refused("list", status=os.EX_CONFIG)
    shell.url = "http://example.org"
    assert "database.url" in shell.refused("list", status=os.EX_CONFIG)
    config = shell.home / "scand.toml"
    config.write_text(f'[database]\nurl = "embedded"\n[staging]\ndir = "{shell.home}"\n')
    shell.url = ""
    sentence = shell.refused("--config", str(config), "list", status=os.EX_UNAVAILABLE)
    assert f"scand --config {config} run" in sentence


def test_an_empty_database_is_78_and_migrate_mends_it(tmp_path: Path, database_url: str) -> None:
    """The sentence names the command, the command does it, and a second time there is nothing to do."""
    shell = Shell(tmp_path, database_url)
    assert 'run "scand migrate"' in shell.refused("list", status=os.EX_CONFIG)
    out, _ = shell.run("migrate")
    assert "applied 0001_tables" in out.splitlines()
    assert shell.run("migrate")[0] == "the schema is up to date\n"
    assert shell.json("list") == []


def test_a_login_without_rights_is_78(shell: Shell, login: Connect) -> None:
    """The sentence says what to grant."""
    session = login(shell.url)
    user = session.execute("SELECT session_user").fetchone()
    assert user is not None
    shell.url += ("&" if "?" in shell.url else "?") + f"user={user[0]}&password=x"
    sentence = shell.refused("list", status=os.EX_CONFIG)
    assert "grant" in sentence or "refuses the login" in sentence


# Asking for a scan.


def test_submit_writes_the_row_that_was_asked_for(shell: Shell, agent: Connection) -> None:
    """Values are JSON where they are JSON; the options that have names of their own come on top."""
    found = shell.json(
        "submit", "Été / 2026", "--profile", "letters", "--scan", "auto", "--finish", "preview",
        "--set", "resolution=300", "--set", "sides=simplex", "--set", 'options={"page-height": 297.5}',
        "--set", "x_ref=0042", "--set", "x_note=a=b", "--set", "x_odd=NaN", "--set", "profile=other",
    )  # fmt: skip
    row = agent.execute("SELECT id, title, status, settings FROM scan_jobs").fetchone()
    assert row == (
        found["id"],
        "Été / 2026",
        "queued",
        {
            "profile": "letters", "scan": "auto", "finish": "preview", "resolution": 300, "sides": "simplex",
            "options": {"page-height": 297.5}, "x_ref": "0042", "x_note": "a=b", "x_odd": "NaN",
        },
    )  # fmt: skip
    assert found == {"id": found["id"]}


def test_submit_says_when_nobody_will_act(shell: Shell, agent: Connection) -> None:
    """On stderr, so that stdout stays what it is; not for a draft, and not while an agent lives."""
    out, err = shell.run("submit", "a")
    assert out == "job 1 queued a\nput the paper in, then: scand scan 1\n"
    assert "No agent is alive" in err
    assert shell.run("submit", "b", "--draft") == ("job 2 draft b\nscand scan 2 puts it into the queue\n", "")
    beat(agent)
    assert shell.run("submit", "c", "--scan", "auto") == (
        "job 3 queued c\nput the paper in: it starts by itself as soon as the scanner is free\n",
        "",
    )


@pytest.mark.parametrize("title", ["", "   ", "\t\n", b"caf\xe9"])
def test_a_title_that_says_nothing_is_65(shell: Shell, title: str | bytes) -> None:
    """Nothing but space, or bytes that are no text."""
    shell.refused("submit", title, status=os.EX_DATAERR)
    assert shell.json("list") == []


def test_what_no_jsonb_can_hold_is_65(shell: Shell) -> None:
    """PostgreSQL says so itself."""
    assert "does not take that" in shell.refused(
        "submit", "a", "--set", r'x_a="\u0000"', status=os.EX_DATAERR
    )


def test_settings_are_refused_early_where_profiles_are_known(shell: Shell) -> None:
    """With the profiles at hand nothing bad is queued; a client without them just sends."""
    config = shell.home / "scand.toml"
    config.write_text('[profiles.letters]\nsides = "simplex"\n')
    with_config = ("--config", str(config), "submit", "a")
    refusal = shell.json(*with_config, "--set", "sides=dupelx", status=os.EX_DATAERR)
    assert refusal["error_code"] == "bad_settings"
    assert 'did you mean "duplex"' in refusal["error"]
    assert "letter" in shell.refused(*with_config, "--profile", "leters", status=os.EX_DATAERR)
    assert shell.json("list") == []
    shell.json(*with_config, "--profile", "letters")
    shell.json("submit", "a", "--set", "sides=dupelx")
    assert [job["settings"] for job in shell.json("list")] == [{"sides": "dupelx"}, {"profile": "letters"}]


# Looking.


def test_list_and_show_are_one_document_each(shell: Shell, agent: Connection) -> None:
    """Field names are the columns'; a job brings its batches and its events."""
    for title in ("a", "b"):
        shell.json("submit", title)
    step(agent, 1, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (1, 1, 12)")
    assert [job["title"] for job in shell.json("list")] == ["b", "a"]
    assert [job["title"] for job in shell.json("list", "--status", "ready")] == ["a"]
    assert [job["title"] for job in shell.json("list", "-n", "1")] == ["b"]
    shown = shell.json("show", "1")
    columns = {row[0] for row in agent.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'scan_jobs'"
    )}  # fmt: skip
    assert set(shown) == columns | {"seen_at", "batches", "events"}
    assert (shown["status"], shown["batch_count"]) == ("ready", 1)
    assert [batch["page_count"] for batch in shown["batches"]] == [12]
    assert [event["to_status"] for event in shown["events"]] == ["queued", "ready"]


def test_listings_for_people_cut_nothing_in_a_pipe(shell: Shell, agent: Connection) -> None:
    """A line a job, however long its title; and nothing of a title reaches the terminal as a command."""
    title = "long " * 60 + "\x1b[31m\x9b2J\u202e end"
    shell.json("submit", title)
    step(agent, 1, "ready")
    step(agent, 1, "failed", error="A sentence.\x1b[0m", error_code="device_error")
    listed = shell.run("list")[0]
    shown = shell.run("show", "1")[0]
    for text in (listed, shown):
        assert "long " * 60 in text
        assert " end" in text
        assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert "device_error" in listed
    assert "A sentence." in shown
    assert shell.run("list", "--status", "draft") == ("", "no jobs\n")


def test_a_job_that_is_not_there_is_65(shell: Shell) -> None:
    """For each command that takes one."""
    for name in ("show", "watch", "scan", "finish", "commit", "cancel", "retry", "reopen"):
        assert "no job 42" in shell.refused(name, "42", status=os.EX_DATAERR)
    assert "no job 42" in shell.json("show", "42", status=os.EX_DATAERR)["error"]
    assert "no job 42" in shell.refused("discard", "42", "1", status=os.EX_DATAERR)


# The buttons.


def test_the_buttons_take_a_job_through_its_life(shell: Shell, agent: Connection) -> None:
    """Each writes its intent, says what it was and what it is, and finds the active job by itself."""
    beat(agent)
    shell.run("submit", "a", "--draft")
    assert shell.run("scan", "1")[0] == "job 1: draft → queued\n"
    step(agent, 1, "ready")
    assert shell.run("scan")[0] == "job 1: ready → scanning\n"
    assert shell.run("scan")[0] == "job 1 is scanning already\n"
    step(agent, 1, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq) VALUES (1, 1), (1, 2)")
    assert shell.run("discard", "1", "2")[0] == "job 1: batch 2 is discarded; batches in the document: 1\n"
    assert shell.run("restore", "1", "2")[0] == "job 1: batch 2 is kept; batches in the document: 2\n"
    assert "it has: 1, 2" in shell.refused("discard", "1", "3", status=os.EX_DATAERR)
    assert shell.run("finish")[0] == "job 1: ready → assembling\n"
    assert "scand reopen 1" in shell.refused("discard", "1", "1", status=os.EX_DATAERR)
    assert shell.run("reopen")[0] == "job 1: assembling → ready\n"
    step(agent, 1, "assembling")
    step(agent, 1, "preview")
    assert shell.run("reopen")[0] == "job 1: preview → ready\n"
    step(agent, 1, "assembling")
    step(agent, 1, "preview")
    assert shell.run("commit")[0] == "job 1: preview → committing\n"
    assert shell.run("reopen")[0] == "job 1: committing → preview\n"
    assert shell.run("cancel")[0] == "job 1: preview → canceled\n"
    assert shell.run("retry", "1")[0] == "job 1: canceled → queued\n"
    step(agent, 1, "ready")
    step(agent, 1, "failed")
    assert shell.run("retry")[0] == "job 1: failed → queued\n"
    actors = agent.execute(
        "SELECT DISTINCT actor FROM scan_job_events WHERE to_status = 'canceled'"
    ).fetchall()
    assert actors == [("client",)]


def test_without_a_job_it_must_be_clear_which(shell: Shell, agent: Connection) -> None:
    """None, or several: nothing is done, and the sentence says so."""
    for title in ("a", "b"):
        shell.run("submit", title)
    assert "Job 1 still waits in the queue" in shell.refused("scan", status=os.EX_DATAERR)
    for name in ("finish", "commit", "cancel", "reopen"):
        assert "No job holds the scanner" in shell.refused(name, status=os.EX_DATAERR)
    assert "No job has failed" in shell.refused("retry", status=os.EX_DATAERR)
    for job in (1, 2):
        step(agent, job, "ready")
        step(agent, job, "failed")
    assert "(1, 2)" in shell.refused("retry", status=os.EX_DATAERR)


# Waiting.


def test_watch_follows_a_job_until_it_rests(shell: Shell, agent: Connection) -> None:
    """A line for each change, and the end that the job came to."""
    beat(agent)
    shell.run("submit", "a", "--scan", "auto", "--set", "sides=duplex")
    process = shell.start("watch")
    assert process.stdout is not None

    def line_with(text: str) -> str:
        """The next line must come, and say this."""
        assert process.stdout is not None
        line = process.stdout.readline()
        assert text in line
        return line

    line_with("queued")
    step(agent, 1, "ready")
    line_with("starts by itself now")
    step(agent, 1, "scanning")
    line_with("batch 1 · 0 pages")
    time.sleep(1.1)
    agent.execute("UPDATE scan_jobs SET pages_scanned = 5, last_progress_at = now()")
    assert "images/min" in line_with("batch 1 · 5 pages · 3 sheets")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (1, 1, 6)")
    step(agent, 1, "ready", pages_scanned=6)
    line_with("6 pages in 1 batch")
    step(agent, 1, "assembling")
    line_with("assembling")
    step(agent, 1, "preview", page_count=6)
    line_with("preview")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (os.EX_OK, "", "")


def test_a_terminal_gets_a_picture(shell: Shell, agent: Connection) -> None:
    """The road of the job, with colours; in a listing long titles are cut, and the line is not."""
    beat(agent)
    shell.run("submit", "long " * 60)
    step(agent, 1, "ready")
    step(agent, 1, "failed", error="The reason.")

    assert "\x1b[" in shell.seen("watch", "1")
    assert "The reason." in shell.seen("watch", "1")
    listed = shell.seen("list")
    assert "…" in listed
    assert "agent: " in listed
    assert all(len(Text.from_ansi(line).plain) <= 100 for line in listed.splitlines())


@pytest.mark.parametrize(
    ("steps", "status", "told"),
    [
        (["canceled"], os.EX_TEMPFAIL, "canceled"),
        (["ready", "failed"], os.EX_DATAERR, "The reason."),
        (["ready", "scanning", "ready"], os.EX_TEMPFAIL, "The reason."),
        (["ready", "assembling", "preview", "committing", "committed"], os.EX_OK, "Inbox/a.pdf"),
    ],
)
def test_the_end_of_a_job_is_the_exit_status_of_watch(
    shell: Shell, agent: Connection, steps: list[str], status: int, told: str
) -> None:
    """0 well, 75 a person first, 65 failed; and why."""
    shell.run("submit", "a")
    error = None if status == os.EX_OK else "The reason."
    for number, to_status in enumerate(steps, 1):
        last = number == len(steps)
        fault = {"error": error, "error_code": error and "device_error"} if last and len(steps) > 1 else {}
        step(agent, 1, to_status, **fault, inbox_path="Inbox/a.pdf")
    out, _ = shell.run("watch", "1", status=status)
    assert told in out


def test_submit_waits_until_the_job_rests(shell: Shell, agent: Connection) -> None:
    """With --json it says the id first, and nothing more."""
    process = shell.start("submit", "a", "--wait", "--json")
    assert process.stdout is not None
    job = json.loads(process.stdout.readline())["id"]
    step(agent, job, "ready")
    step(agent, job, "failed")
    out, _err = process.communicate(timeout=20)
    assert (process.returncode, out) == (os.EX_DATAERR, "")


def test_watching_ends_when_the_database_goes(shell: Shell, agent: Connection) -> None:
    """With a sentence, and 69 or 75: the same call may succeed later."""
    shell.run("submit", "a")
    process = shell.start("watch", "1")
    assert process.stdout is not None
    process.stdout.readline()
    agent.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scand-cli'"
    )
    _out, err = process.communicate(timeout=20)
    assert process.returncode in {os.EX_UNAVAILABLE, os.EX_TEMPFAIL}
    assert err.startswith("scand: The database is ")


# The scan host.


@pytest.fixture
def host(shell: Shell) -> Shell:
    """A scan host: a config with a NAS, and SANE's test backend for a scanner."""
    (shell.home / "dll.conf").write_text("test\n")
    (shell.home / "nas").mkdir()
    config = shell.home / ".config" / "scand" / "scand.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"""
[database]
url = "{shell.url}"
[scanner]
device = "test:0"
page_timeout = "10s"
[staging]
dir = "{shell.home}/staging"
min_free = "1MiB"
[nas]
root = "{shell.home}/nas"
require_mount = false
[profiles.default]
source = "adf"
sides = "simplex"
mode = "gray"
page_size = "max"
"""
    )
    return shell


def test_devices_are_listed(host: Shell) -> None:
    """As libsane names them; none is an empty list and a hint, not a failure."""
    assert {
        "name": "test:0",
        "vendor": "Noname",
        "model": "frontend-tester",
        "type": "virtual device",
    } in host.json("devices")
    assert "test:0" in host.run("devices")[0]
    (host.home / "dll.conf").write_text("")
    assert host.json("devices") == []
    assert "dll.conf" in host.run("devices")[0]


def test_probe_says_what_a_profile_becomes(host: Shell) -> None:
    """Without a database; the options in order, as asked and as read back."""
    host.url = NOBODY_LISTENS
    probed = host.json("probe")
    assert list(probed) == [
        "device", "assignments", "sides", "source", "mode", "resolution", "page_size_mm", "warnings",
    ]  # fmt: skip
    assert (probed["device"], probed["sides"], probed["mode"]) == ("test:0", "simplex", "Gray")
    assert probed["source"] == "Automatic Document Feeder"
    assert ["source", "Automatic Document Feeder", "Automatic Document Feeder"] in probed["assignments"]
    assert "Automatic Document Feeder" in host.run("probe", "--set", "resolution=200")[0]


def test_probe_needs_no_config(shell: Shell) -> None:
    """A device and the defaults will do."""
    (shell.home / "dll.conf").write_text("test\n")
    shell.url = ""
    asked = ("probe", "--device", "test:0", "--set", "sides=simplex", "--set", "page_size=max")
    assert shell.json(*asked)["device"] == "test:0"


def test_probe_refuses_as_a_job_would_be(host: Shell) -> None:
    """What nobody can do, what this device cannot do, and a device that is not there."""
    assert host.json("probe", "--set", "sides=both", status=os.EX_DATAERR)["error_code"] == "bad_settings"
    refusal = host.json("probe", "--set", "sides=duplex", status=os.EX_DATAERR)
    assert refusal["error_code"] == "unsupported_settings"
    assert "source" in refusal["offers"]
    refusal = host.json("probe", "--device", "nothing:1", status=os.EX_UNAVAILABLE)
    assert refusal["error_code"] == "device_not_found"


def test_nas_init_marks_the_nas_and_remembers_it(host: Shell) -> None:
    """Once: the second time the mark is found and kept. A NAS that is not there is refused."""
    said = host.run("nas", "init")[0]
    marker = (host.home / "nas" / ".scand-volume").read_text().strip()
    assert marker in said
    assert (host.home / "staging" / "nas-volume").read_text().strip() == marker
    assert host.run("nas", "init")[0] == said
    (host.home / "nas").rename(host.home / "gone")
    assert str(host.home / "nas") in host.refused("nas", "init", status=os.EX_UNAVAILABLE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory another user's")
def test_nas_init_is_for_the_daemons_user(host: Shell) -> None:
    """What root would write there the daemon could not read."""
    (host.home / "staging").mkdir()
    os.chown(host.home / "staging", 4711, 4711)
    config = host.home / ".config/scand/scand.toml"
    for words in (("nas", "init"), ("run",)):
        sentence = host.refused(*words, status=os.EX_CONFIG)
        assert f"sudo -u '#4711' scand --config {config} {' '.join(words)}" in sentence
    found = {check["name"]: check for check in host.json("doctor", status=os.EX_CONFIG)}
    assert found["staging"]["mend"] == "sudo -u '#4711' scand doctor"
    assert list((host.home / "nas").iterdir()) == []
    assert list((host.home / "staging").iterdir()) == []


def test_a_reader_that_leaves_is_no_traceback(shell: Shell) -> None:
    """`scand list | head -1`."""
    for number in range(5):
        shell.run("submit", f"{number} " + "long " * 700)
    with shell.start("list") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_doctor_finds_everything_on_a_sound_host(host: Shell, agent: Connection) -> None:
    """All but the agent, and then that, too."""
    host.run("nas", "init")
    found = {check["name"]: check for check in host.json("doctor", status=os.EX_UNAVAILABLE)}
    assert list(found) == [
        "config",
        "staging",
        "disk",
        "nas",
        "readers",
        "database",
        "schema",
        "roles",
        "kept",
        "agent",
        "scanner",
    ]
    assert [name for name, check in found.items() if not check["ok"]] == ["agent"]
    assert found["agent"]["mend"] == "scand run"
    beat(agent)
    out, _ = host.run("doctor")
    assert "✗" not in out
    assert out.count("✓") == 11


def test_doctor_tells_alive_from_ready(host: Shell, agent: Connection) -> None:
    """An agent that misses its scanner is there, and cannot scan."""
    host.run("nas", "init")
    beat(agent)
    agent.execute("UPDATE scan_agent_status SET ready = false, state = 'idle; no scanner: unplugged'")
    found = {check["name"]: check for check in host.json("doctor", status=os.EX_UNAVAILABLE)}
    assert "not ready" in found["agent"]["detail"]
    assert "no scanner" in found["agent"]["detail"]
    assert "scand logs" in found["agent"]["mend"]


def test_doctor_sees_a_full_disk_and_a_database_that_is_away(host: Shell) -> None:
    """Both red, each with what to do; what hangs on the database is not asked."""
    config = host.home / ".config" / "scand" / "scand.toml"
    text = config.read_text().replace('min_free = "1MiB"', 'min_free = "900000GiB"')
    config.write_text(text.replace(host.url, "postgresql://nobody@127.0.0.1:1/none"))
    host.url = ""
    found = {check["name"]: check for check in host.json("doctor", status=os.EX_CONFIG)}
    assert not found["disk"]["ok"]
    assert found["disk"]["mend"] == "make room there"
    assert not found["database"]["ok"]
    assert "The database is away" in found["database"]["detail"]


def test_doctor_knows_who_may_take_which_steps(shell: Shell, connect: Connect, login: Connect) -> None:
    """The owner needs no role; others need both, and each sentence comes with its mend."""
    owner = connect(shell.url)
    owner.execute("REVOKE ALL ON scan_jobs, scan_job_batches, scan_agent_status FROM PUBLIC")

    def roles(*granted: str) -> tuple[bool, str]:
        """The verdict on a login that is in these roles."""
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
    config = host.home / ".config" / "scand" / "scand.toml"
    (host.home / "dll.conf").write_text("")
    config.write_text(config.read_text().replace(host.url, database_url).replace("test:0", ""))
    host.url = ""
    before = sorted(host.home.rglob("*"))
    found = {check["name"]: check for check in host.json("doctor", status=os.EX_CONFIG)}
    assert sorted(host.home.rglob("*")) == before
    assert {name for name, check in found.items() if check["ok"]} == {"config", "disk", "database"}
    assert "install -d" in found["staging"]["mend"]
    assert "scand nas init" in found["nas"]["detail"]
    assert "scand migrate" in found["schema"]["detail"]
    assert "switched on" in found["scanner"]["detail"]
    config.write_text(config.read_text().replace("root =", "rot ="))
    [check] = host.json("doctor", status=os.EX_CONFIG)
    assert check["name"] == "config"
    assert "nas.root" in check["detail"]


def test_run_refuses_a_config_that_it_cannot_serve(host: Shell, database_url: str) -> None:
    """78, so that systemd does not start it again and again: a missing key, a schema that is not there."""
    config = host.home / ".config" / "scand" / "scand.toml"
    whole = config.read_text()
    config.write_text(whole.replace(host.url, database_url))
    host.url = ""
    _out, err = host.run("run", status=os.EX_CONFIG)
    assert "scand migrate" in err
    config.write_text(whole.replace("root =", "rot ="))
    _out, err = host.run("run", status=os.EX_CONFIG)
    missing, unknown = err.splitlines()
    assert "nas.root is missing" in missing
    assert 'nas.rot is not a key (did you mean "root"?)' in unknown


def test_setup_wants_an_installed_service(shell: Shell) -> None:
    """78 and how to install it, or who may run it; no traceback where systemd does not run."""
    sentence = shell.refused("setup", "--yes", status=os.EX_CONFIG)
    wanted = "make install" if os.geteuid() == 0 else "sudo scand setup"
    assert wanted in sentence


def test_doctor_says_whom_the_documents_are_for(host: Shell) -> None:
    """A folder that is closed to the group, and a mode that says everybody."""
    config = host.home / ".config" / "scand" / "scand.toml"
    whole = config.read_text()
    host.run("nas", "init")
    group = grp.getgrgid(os.getegid()).gr_name

    def readers(line: str) -> dict[str, Any]:
        """The verdict with a line more in [nas]."""
        config.write_text(whole.replace("require_mount", f"{line}\nrequire_mount"))
        checks = host.json("doctor", status=os.EX_UNAVAILABLE if "0644" in line else os.EX_CONFIG)
        found: dict[str, Any] = {check["name"]: check for check in checks}["readers"]
        return found

    (host.home / "nas" / "PKM").mkdir(mode=0o700)
    closed = readers(f'group = "{group}"')
    assert str(host.home / "nas" / "PKM") in closed["mend"]
    assert readers('file_mode = "0644"')["ok"]


def test_doctor_checks_the_hook(host: Shell) -> None:
    """There, not there, not to be run."""
    config = host.home / ".config" / "scand" / "scand.toml"
    whole = config.read_text()

    def hook(program: str) -> dict[str, Any]:
        config.write_text(f'{whole}\n[hooks]\non_event = "{program}"\n')
        checks = host.json("doctor", status=os.EX_CONFIG)
        found: dict[str, Any] = {check["name"]: check for check in checks}["hook"]
        return found

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


def test_nas_init_gives_the_group_what_scand_made(host: Shell) -> None:
    """Folders of staging and Inbox and the previews, and nothing that was closed by somebody else's modes."""
    config = host.home / ".config" / "scand" / "scand.toml"
    job = host.home / "nas" / ".scan-staging" / "job-7"
    job.mkdir(parents=True)
    (job / "merged.pdf").write_bytes(b"%PDF")
    (job / "merged.pdf").chmod(0o600)
    for path in (job, job.parent):
        path.chmod(0o700)
    inbox = host.home / "nas" / "PKM" / "Inbox"
    inbox.mkdir(parents=True)
    (inbox / "Old.pdf").write_bytes(b"%PDF")
    (inbox / "Old.pdf").chmod(0o600)
    inbox.parent.chmod(0o700)
    group = grp.getgrgid(os.getegid()).gr_name
    config.write_text(config.read_text().replace("require_mount", f'group = "{group}"\nrequire_mount'))
    host.run("nas", "init")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (job.parent, job, job / "merged.pdf")}
    assert list(modes.values()) == [0o750, 0o750, 0o640]
    assert stat.S_IMODE(inbox.parent.stat().st_mode) == 0o770
    assert stat.S_IMODE((inbox / "Old.pdf").stat().st_mode) == 0o600
