"""From a config to the questions' defaults, and from the answers back to its keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from scand.cli.setup.answers import Answers


def test_a_fresh_config_offers_the_defaults() -> None:
    """And keeping them writes what has to be written, and nothing that means the same anyway."""
    answers = Answers.present({}, "scand-users")
    assert answers == Answers("", Path("/mnt/nas"), True, "PKM/Inbox", "scand-users")
    assert answers.values({}, credential=False) == {
        ("database", "url"): "embedded",
        ("nas", "root"): "/mnt/nas",
        ("nas", "group"): "scand-users",
    }


def test_what_is_there_is_kept() -> None:
    """A server's URL, a group that was set to none, a plain directory: nothing is to be written."""
    table: dict[str, Any] = {
        "database": {"url": "postgresql://db/documents"},
        "nas": {"root": "/srv/nas", "group": "", "require_mount": False, "inbox": "In"},
        "scanner": {"device": "fujitsu:*"},
    }
    answers = Answers.present(table, "scand-users")
    assert answers == Answers("fujitsu:*", Path("/srv/nas"), False, "In", "")
    assert answers.values(table, credential=False) == {}


def test_a_url_that_is_a_credential_is_not_asked_for() -> None:
    """It outranks the config, which then need not say any."""
    assert ("database", "url") not in Answers.present({}, "").values({}, credential=True)


def test_answers_change_what_differs() -> None:
    """Also back to a default that is written otherwise."""
    table = {
        "nas": {"root": "/srv/nas", "inbox": "In", "require_mount": False},
        "database": {"url": "embedded"},
    }
    answers = replace(Answers.present(table, ""), inbox="PKM/Inbox", require_mount=True)
    assert answers.values(table, credential=False) == {
        ("nas", "inbox"): "PKM/Inbox",
        ("nas", "require_mount"): True,
    }
