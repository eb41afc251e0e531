"""A scan host for tests of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.shell import Shell


@pytest.fixture
def host(shell: Shell) -> Shell:
    """A scan host: a config with a NAS, and SANE's test backend for a scanner."""
    (shell.home / "dll.conf").write_text("test\n")
    (shell.home / "nas").mkdir()
    shell.config.parent.mkdir(parents=True)
    shell.config.write_text(
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
