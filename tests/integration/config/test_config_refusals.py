"""What is said of a config that is refused: file, line, key and reason, a line each; and never a hang."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scand import cli
from scand.config import Config
from scand.errors import BadConfig
from tests.integration.config.loading import MINIMAL, Write, refusal
from tests.support.isolated import isolated

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG = """\
# A first try.
[nas]
root = "mnt/nas"
group = "no-such-group-here"
file_mode = "0440"

[agnet]
poll = "1s"
[agent]
poll = 1
[profiles."my book"]
mode = "pink"
sides = "both"
resolution = 1
quality = 0
format = "gif"
"""


def test_everything_wrong_is_said_at_once_with_its_line(write: Write, tmp_path: Path) -> None:
    """One run of an editor is enough: each problem is a line of its own, in the order of the file's lines."""
    path = write(WRONG)
    (tmp_path / "profiles.d").mkdir()
    (tmp_path / "profiles.d" / "photos.toml").write_text('\n\nmode = "pink"\n')
    said = refusal(path)
    starts = [
        f"{tmp_path}/profiles.d/photos.toml:3: mode is",
        f"{path}: database.url is missing: it must be a PostgreSQL URL",
        f'{path}:3: nas.root is "mnt/nas", but must be absolute, such as "/mnt/nas".',
        f'{path}:4: nas.group is "no-such-group-here", and this machine has no such group',
        f'{path}:5: nas.file_mode is "0440", but must be a file mode in quotes',
        f'{path}:7: agnet is not a key (did you mean "agent"?).',
        f"{path}:10: agent.poll is 1, but must be a duration",
        f'{path}:12: profiles."my book".mode is "pink"',
        f'{path}:13: profiles."my book".sides is "both"',
        f'{path}:14: profiles."my book".resolution is 1',
        f'{path}:15: profiles."my book".quality is 0',
        f'{path}:16: profiles."my book".format is "gif"',
    ]
    assert len(said.splitlines()) == len(starts)
    for line, start in zip(said.splitlines(), starts, strict=True):
        assert line.startswith(start)
        assert line.endswith(".")


def test_problems_are_data_too(write: Write) -> None:
    """With --json: file, line, key and reason of each problem."""
    path = write(f"{MINIMAL}[nas]\n".replace("[nas]\nroot", "[nas]\nrot", 1).removesuffix("[nas]\n"))
    with pytest.raises(BadConfig) as caught:
        Config.load(path, {}, need="daemon")
    missing, unknown = caught.value.problems
    assert (missing.file, missing.line, missing.key) == (str(path), 3, "nas.root")
    assert unknown._asdict() == {
        "file": str(path),
        "line": 4,
        "key": "nas.rot",
        "reason": 'is not a key (did you mean "root"?)',
    }


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_are_counted_as_an_editor_does(tmp_path: Path, newline: str) -> None:
    """Also in a file from Windows: CRLF, and a byte order mark, which is no fault by itself."""
    path = tmp_path / "scand.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", newline).encode())
    assert Config.load(path, {}, need="daemon").nas.root == Path("/mnt/nas")
    path.write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", newline).encode())
    assert f"{path}:10: agent.poll is 1" in refusal(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[nas]\nroot = /mnt/nas",
            ':2: nas.root has no value that TOML knows after its "=": texts are',
        ),
        ('[nas]\nroot = "/mnt', ":2: nas.root lacks a quote at the end of its text (not TOML)."),
        ('[nas]\nroot "/mnt"', ':2: nas.root has no "=" after it'),
        ("[nas]\nfile_mode = 0640", ":2: nas.file_mode has something behind its value"),
        ("[nas\nroot = 1", ':1: nas lacks the "]" at its end'),
        ("[nas]\nroot = '/a'\n[agent]\n[nas]\n", ":4: nas is written twice: at line 1, too."),
        ("[nas]\nroot = '/a'\nroot = '/b'", ":3: nas.root is written twice: at line 2, too."),
        ("nas.root = '/a'\n[nas]", ":2: nas cannot stand beside what is written above it"),
        ("[nas]\nroot = 'a\\n", ":2: nas.root lacks a quote"),
        ("[scanner]\noffset = [1,\n 2\n[nas]", ':2: scanner.offset lacks the "]" at the end of its list'),
        ("= 3", ":1: what stands here is neither a key"),
        ("x = " + 5000 * "[", ": nests its values too deeply."),
    ],
)
def test_what_is_not_toml_is_said_in_plain_words(write: Write, text: str, said: str) -> None:
    """The line, the key where one is written there, and what is usually meant."""
    path = write(text)
    assert refusal(path).startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('database = "postgresql://u:geheim@h/d"', "database is not"),
        ('[[database]]\nurl = "postgresql://u:geheim@h/d"', "database is not"),
        ('[databse]\nurl = "postgresql://u:geheim@h/d"', "databse is not a key"),
        ('[database]\nurl = "postgresql://u:geheim%2zz@h/d"', "database.url is not a PostgreSQL URL"),
        ('[database]\nurl = "postgresql://u:geheim@h/d?no_such_word=1"', "database.url is not"),
        ('[database]\nurl = "postgresql://u:geheim', "database.url lacks a quote"),
    ],
)
def test_no_refusal_repeats_a_password(write: Write, text: str, secret: str) -> None:
    """Wherever the URL stands by mistake, and whatever libpq would say of it."""
    said = refusal(write(text))
    assert secret in said
    assert "geheim" not in said


def test_a_bad_url_is_told_with_where_it_comes_from(write: Write, tmp_path: Path) -> None:
    """The file is right, the environment or the credential is not."""
    path = write(MINIMAL)
    assert refusal(path, {"SCAND_DATABASE_URL": "mysql://h"}).startswith("$SCAND_DATABASE_URL: is not")
    (tmp_path / "database-url").write_text("mysql://h")
    assert refusal(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).startswith(
        "The credential database-url: is not"
    )


def _a_gigabyte(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**30)


KINDS: dict[str, Callable[[Path], object]] = {
    "a directory": Path.mkdir,
    "not a file": os.mkfifo,
    "larger than 1 MiB": _a_gigabyte,
    "there is no such config file": lambda _: None,
    "cannot be read (Too many levels of symbolic links)": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("said", KINDS)
def test_what_is_no_file_neither_hangs_nor_fills_memory(tmp_path: Path, said: str) -> None:
    """As the config itself and in profiles.d: refused in a moment, with what it is."""
    path = tmp_path / "scand.toml"
    KINDS[said](path)
    assert said in refusal(path)
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    path.write_text(MINIMAL)
    (tmp_path / "profiles.d").mkdir()
    if said != "there is no such config file":
        KINDS[said](tmp_path / "profiles.d" / "odd.toml")
        assert f"profiles.d/odd.toml: {'is ' if said[0] != 'c' else ''}{said}" in refusal(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/proc/self/mem"])
def test_a_device_is_no_config(device: str) -> None:
    """/dev/zero never ends."""
    assert device in refusal(Path(device))


def test_profiles_that_nobody_can_list_are_not_passed_over(write: Write, tmp_path: Path) -> None:
    """A daemon without its profiles would scan with the defaults; a client needs none."""
    path = write(MINIMAL)
    (tmp_path / "profiles.d").write_text("a file")
    assert "profiles.d: cannot be read (Not a directory)" in refusal(path)
    assert Config.load(path, {}, need="client").path == path


def scand(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    return subprocess.run(
        [sys.executable, "-m", "scand.cli", *map(str, arguments)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_line_says_it_a_line_each(write: Write) -> None:
    """On stderr each problem is a line that begins with "scand: "; with --json they are data on stdout."""
    path = write(WRONG)
    plain, data = (scand("--config", path, "config", "check", *how) for how in ([], ["--json"]))
    assert (plain.returncode, data.returncode) == (os.EX_CONFIG, os.EX_CONFIG)
    lines = plain.stderr.splitlines()
    assert len(lines) == 11
    assert all(line.startswith(f"scand: {path}:") for line in lines)
    refused = json.loads(data.stdout)
    assert [f"scand: {line}" for line in refused["error"].splitlines()] == lines
    assert [problem["line"] for problem in refused["problems"]] == [None, 3, 4, 5, 7, 10, 12, 13, 14, 15, 16]


def test_a_good_config_is_taken(write: Write) -> None:
    """In a word, or in none; what is probably not meant is a warning, and no refusal."""
    path = write(MINIMAL + 'group = "root"\nfile_mode = "0600"\n')
    checked = scand("--config", path, "config", "check")
    assert (checked.returncode, checked.stdout) == (0, f"{path}: the daemon takes it\n")
    assert checked.stderr.startswith('scand: nas.file_mode is "0600": group root cannot read')
    quiet = scand("--config", path, "config", "check", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def as_somebody(command: str) -> None:
    """As a user of the machine who may not read the config."""
    import_module(cli.COMMANDS[command].split(":")[0])  # this user may not be able to read the code, either
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        path = Path(directory) / "scand.toml"
        path.write_text(MINIMAL)
        path.chmod(0o600)
        os.seteuid(12_345)
        with redirect_stdout(out), redirect_stderr(out):
            status = cli._outcome(["--config", str(path), command])
        os.seteuid(0)
    assert status == os.EX_CONFIG
    assert f"{path}: cannot be read (Permission denied) by user 12345" in out.getvalue()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("command", ["run", "list", "doctor"])
def test_a_config_that_a_person_may_not_read(command: str) -> None:
    """78, and not 64 as for wrong usage: systemd would start that again and again."""
    isolated(as_somebody, command)
