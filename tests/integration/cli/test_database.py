"""The database that a command needs: not configured, away, refusing, empty, or closed to the login."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.shell import NOBODY_LISTENS, Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.shell import Connect


def test_without_a_config_or_a_url_it_is_78(tmp_path: Path) -> None:
    """The sentence says where a config is looked for, and what else would do."""
    sentence = Shell(tmp_path, "").refused("list", status=os.EX_CONFIG)
    assert "scand.toml" in sentence
    assert "SCAND_DATABASE_URL" in sentence


def test_a_database_that_is_away_is_69(tmp_path: Path) -> None:
    """The sentence says so, with --json, too."""
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
    assert "GRANT" in sentence or "refuses the login" in sentence
