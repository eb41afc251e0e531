"""What shells may complete; with a database that is away there is nothing, at once, and no noise."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.shell import NOBODY_LISTENS, Shell, step

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Connection

_MAIN = "import sys; sys.argv[0] = 'scand'; from scand.cli import main; main()"


def completed(shell: Shell, *words: str, kind: str = "fish") -> list[str]:
    """What is offered for the last word; with its help, where the shell shows it."""
    line = " ".join(["scand", *words])
    asked = {
        "_SCAND_COMPLETE": f"{kind}_complete", "COMP_WORDS": line, "COMP_CWORD": words[-1] if kind == "fish" else
        str(len(words)), "COMP_LINE": line,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-c", _MAIN],
        env=shell.environment() | asked,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@pytest.fixture
def filled(shell: Shell, agent: Connection) -> Shell:
    """A queued job, one in ready with four batches, a failed one."""
    for title in ("one", "two\x1b[2J", "three"):
        shell.run("submit", title)
    step(agent, 3, "ready")
    step(agent, 3, "failed")
    step(agent, 2, "ready")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (2, 1, 4), (2, 2, 6)")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, status) VALUES (2, 3, 'discarded')")
    agent.execute("INSERT INTO scan_job_batches (job_id, batch_seq, answered) VALUES (2, 4, false)")
    return shell


def test_jobs_are_those_with_which_it_is_legal(filled: Shell) -> None:
    """With status and title as help; nothing of a title reaches the terminal as a command."""
    found = "\n".join(completed(filled, "show", ""))
    assert [number in found for number in ("1", "2", "3")] == [True, True, True]
    retried = completed(filled, "retry", "")
    assert len(retried) == 1
    assert "3" in retried[0]
    assert "failed" in retried[0]
    assert "three" in retried[0]
    scanned = "\n".join(completed(filled, "finish", ""))
    assert "ready" in scanned
    assert "failed" not in scanned
    assert "\x1b" not in scanned


def test_batches_are_those_of_the_job(filled: Shell) -> None:
    """Kept ones to discard, discarded ones to restore, and to both what waits for an answer."""
    assert completed(filled, "discard", "2", "", kind="bash") == ["plain,1", "plain,2", "plain,4"]
    assert completed(filled, "restore", "2", "", kind="bash") == ["plain,3", "plain,4"]
    assert completed(filled, "restore", "42", "", kind="bash") == []


def test_pages_are_those_of_the_job(filled: Shell, agent: Connection) -> None:
    """By batch and number, as they are typed."""
    agent.execute(
        "INSERT INTO scan_job_pages (job_id, batch_seq, page, sheet, side, width_mm, height_mm, sha256)"
        " SELECT 2, 1, n, n, 'front', 210, 297, repeat('0', 64) FROM generate_series(1, 4) n"
    )
    expected = [f"plain,1.{page}" for page in range(1, 5)]
    assert completed(filled, "drop", "2", "", kind="bash") == expected
    assert completed(filled, "turn", "2", "90", "1.3", kind="bash") == ["plain,1.3"]


def test_settings_are_keys_and_then_values(shell: Shell) -> None:
    """In bash only what stands behind the "=" is replaced."""
    assert completed(shell, "submit", "x", "--set", "re", kind="bash") == ["plain,resolution="]
    assert completed(shell, "submit", "x", "--set", "sides=", kind="bash") == [
        "plain,duplex", "plain,simplex", "plain,manual-duplex",
    ]  # fmt: skip
    assert completed(shell, "submit", "x", "--set", "mode=li", kind="bash") == ["plain,lineart"]
    assert completed(shell, "submit", "x", "--set", "nonsense=", kind="bash") == []


def test_profiles_are_those_of_the_config(shell: Shell) -> None:
    """The one that --config names; without a good one there is the default."""
    config = shell.home / "scand.toml"
    config.write_text("[profiles.letters]\nsides = 'simplex'\n")
    asked = ("--config", str(config), "submit", "x", "--profile", "")
    assert completed(shell, *asked, kind="bash") == ["plain,default", "plain,letters"]
    config.write_text("nonsense")
    assert completed(shell, *asked, kind="bash") == ["plain,default"]


def test_a_config_is_a_file(shell: Shell) -> None:
    """Which the shell itself completes."""
    assert completed(shell, "--config", "", kind="bash") == ["file,"]


@pytest.mark.parametrize("kind", ["fish", "zsh", "bash"])
def test_a_database_that_is_away_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    """Nobody listens; somebody listens and never answers; the URL is none; the server's name is unknown."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [
            NOBODY_LISTENS,
            f"postgresql://a@127.0.0.1:{silent.getsockname()[1]}/b",
            "http://example.org",
            "",
        ]
        for url in urls:
            shell = Shell(tmp_path, url)
            assert any(_waited(shell, kind) < 1 for _try in range(3)), url  # others use this machine, too


def _waited(shell: Shell, kind: str) -> float:
    """Seconds for the database, beyond those in which the same is loaded and nobody is asked."""
    began = time.monotonic()
    completed(shell, "submit", "x", "--profile", "", kind=kind)
    loaded = time.monotonic()
    assert completed(shell, "show", "", kind=kind) == []
    return (time.monotonic() - loaded) - (loaded - began)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_real_bash_completes(filled: Shell, tmp_path: Path) -> None:
    """TAB, as a person presses it: a command, a job, a setting and its value, without a space behind "="."""
    program = tmp_path / "bin" / "scand"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -P\nfrom scand.cli import main\nmain()\n")
    program.chmod(0o755)
    environment = filled.environment() | {"PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "dumb"}
    ours, theirs = pty.openpty()
    bash = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        os.write(ours, b'eval "$(_SCAND_COMPLETE=bash_source scand)"; PS1=; echo begun-$((40+2))\n')
        heard = _heard(ours, "begun-42")
        for typed, wanted in (
            ("scand submit x --set sides=man\t --draft\n", "draft x"),
            ("scand submit y --set res\t300 --draft\n", "draft y"),
            ("scand retr\t\t --json\n", '"to_status": "queued"'),
        ):
            os.write(ours, typed.encode())
            heard += _heard(ours, wanted)
    finally:
        bash.kill()
        bash.wait()
        os.close(ours)
    settings = [job["settings"] for job in filled.json("list", "--status", "draft")]
    assert settings == [{"resolution": 300}, {"sides": "manual-duplex"}], heard


def _heard(terminal: int, text: str) -> str:
    """What comes, up to some text."""
    heard = ""
    deadline = time.monotonic() + 30
    while text not in heard:
        assert time.monotonic() < deadline, heard
        heard += os.read(terminal, 65536).decode(errors="replace")
    return heard
