"""A config of two keys, and the sentences with which one is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scand.config import Config
from scand.errors import ConfigError

URL = "postgresql://scand:geheim@db.example/documents"
MINIMAL = f'[database]\nurl = "{URL}"\n[nas]\nroot = "/mnt/nas"\n'

Write = Callable[[str], Path]
"""Writes a config, and returns its path: the fixture `write`."""


def refusal(path: Path | None, environ: dict[str, str] | None = None, need: Any = "daemon") -> str:
    """The sentences with which a config is refused."""
    with pytest.raises(ConfigError) as caught:
        Config.load(path, environ or {}, need=need)
    assert caught.value.exit_status == os.EX_CONFIG
    return caught.value.sentence
