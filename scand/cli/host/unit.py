"""The systemd unit of the daemon, as this machine has it."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scand.cli.host import sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "scand.service"
KEY = "scand-scan.path"
"""The unit that lets people of a group scan by touching a file."""

_PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "Result", "StatusText",
    "MainPID", "User", "Group", "ExecStart", *sandbox.PROPERTIES,
)  # fmt: skip
_PATIENCE = 10.0  # seconds
_CONFIG = re.compile(r"argv\[\]=[^;]* --config[ =](\S+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd knows of a unit.

    Attributes:
        properties: of `systemctl show`; empty where systemd does not run.
    """

    properties: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str = NAME) -> Unit:
        """Ask systemd. Where it does not run, no unit is installed."""
        try:
            said = subprocess.run(
                ["systemctl", "show", name, f"--property={','.join(_PROPERTIES)}"],  # noqa: S607
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=True,
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return cls()
        return cls(dict(line.split("=", 1) for line in said.splitlines() if "=" in line))

    @property
    def installed(self) -> bool:
        """Whether systemd can start it."""
        return self._is("LoadState", "loaded")

    @property
    def enabled(self) -> bool:
        """Whether it starts at each boot."""
        return self.properties.get("UnitFileState", "").startswith("enabled")

    @property
    def active(self) -> bool:
        """Whether it has started and runs."""
        return self._is("ActiveState", "active")

    @property
    def stale(self) -> bool:
        """Whether its files have changed since systemd read them."""
        return self._is("NeedDaemonReload", "yes")

    @property
    def state(self) -> str:
        """For people: "active (running)", "failed (exit-code)"."""
        state, detail = self.properties.get("ActiveState", "unknown"), self.properties.get("SubState", "")
        return f"{state} ({self.properties.get('Result', '') if state == 'failed' else detail})"

    @property
    def status(self) -> str:
        """What the daemon says that it does now."""
        return self.properties.get("StatusText", "")

    @property
    def pid(self) -> int:
        """The daemon's process; 0 where it does not run."""
        return int(self.properties.get("MainPID") or 0)

    @property
    def user(self) -> str:
        """The login name that the daemon runs as."""
        return self.properties.get("User") or "root"

    @property
    def config(self) -> Path | None:
        """The config that the daemon is started with; None where its command line names none."""
        found = _CONFIG.search(self.properties.get("ExecStart", ""))
        return Path(found[1]) if found else None

    @property
    def rules(self) -> list[sandbox.Rule]:
        """The rules of its sandbox."""
        return sandbox.rules(self.properties)

    def hides_config(self, path: Path | None, environ: Mapping[str, str]) -> bool:
        """Whether the service's config applies here, and this user may not read it.

        Args:
            path: `--config`, or None for the usual places.
            environ: SCAND_CONFIG, HOME.
        """
        if not self.installed or self.config is None:
            return False
        chosen = path or (Path(environ["SCAND_CONFIG"]) if environ.get("SCAND_CONFIG") else None)
        own = Path(environ.get("HOME", "/"), ".config", "scand", "scand.toml")
        counts = chosen == self.config if chosen else not os.access(own, os.F_OK)
        return counts and os.access(self.config, os.F_OK) and not os.access(self.config, os.R_OK)

    def _is(self, name: str, value: str) -> bool:
        return self.properties.get(name) == value
