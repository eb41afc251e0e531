"""The drop-in that opens the unit's sandbox where NAS or staging directory need it; none where they do not."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from scand import durable, mounts
from scand.cli.host.people import caller
from scand.cli.host.sandbox import MARK, SHARED, Reach, decide, drop_in, opened
from scand.cli.host.unit import NAME, Unit
from scand.cli.setup.system import must
from scand.errors import ConfigError

if TYPE_CHECKING:
    from scand.cli.host.sandbox import Rule
    from scand.config import Config
    from scand.mounts import Mount

PLACE = Path(f"/etc/systemd/system/{NAME}.d/nas.conf")


def check_seen(root: Path, unit: Unit) -> None:
    """Check that the service can see a path at all.

    Raises:
        ConfigError: it cannot; a drop-in would not change that.
    """
    rule = decide(root, unit.rules)
    if rule.reach is Reach.HIDDEN:
        raise ConfigError(
            f"The service does not see {root} ({rule.setting}): mount the NAS elsewhere, at /mnt/nas, say, and "
            f"run `{caller().sudo}scand setup --nas-root /mnt/nas`."
        )


def place(config: Config, unit: Unit, known: list[Mount]) -> bool:
    """Write the drop-in, or remove it where nothing needs it any more.

    Args:
        config: says what the daemon writes to.
        unit: as systemd knows it now.
        known: what is mounted.

    Returns:
        Whether it changed; the service has to be started again then.

    Raises:
        ConfigError: an administrator's own file is in that place, or another drop-in closes what this one opens.
    """
    present = PLACE.read_text() if PLACE.exists() else ""
    wanted = needed(config, unit.rules, present, known)
    text = drop_in(wanted) if wanted else ""
    if text == (present if _ours(present) else ""):
        return False
    if present and not _ours(present):
        lines = " ".join(map(str, wanted))
        raise ConfigError(
            f"{PLACE} was not written by scand setup, and does not open {lines}: add that to its "
            f"ReadWritePaths=, or remove the file, and run `{caller().sudo}scand setup` again."
        )
    if text:
        PLACE.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        durable.write_atomic(PLACE, text.encode())
        PLACE.chmod(0o644)
    else:
        PLACE.unlink()
        with suppress(OSError):
            PLACE.parent.rmdir()  # the administrator's own drop-ins stay
    must(["systemctl", "daemon-reload"])
    _check_open(config, known)
    return True


def needed(config: Config, rules: list[Rule], present: str, known: list[Mount]) -> list[PurePath]:
    """The paths that the drop-in has to open. Pure but for symbolic links.

    Args:
        rules: of the unit, with the drop-in that is there.
        present: the text of that; "" where there is none.
        known: what is mounted.
    """
    ours = _opened_by(present) if _ours(present) else set()
    rules = [rule for rule in rules if rule.reach is not Reach.WRITE or rule.path not in ours]
    found = []
    for places in _together(config, known):
        if any(decide(place, rules).reach is not Reach.WRITE for place in places):
            path = Path(os.path.commonpath(places))
            mount = mounts.holding(path, known)
            found.append(opened(path, mount.target, mount.kind) if mount else path)
            if found[-1] in SHARED:
                raise ConfigError(
                    f"For {' and '.join(map(str, places))} all of {found[-1]} would be open to the service: "
                    "choose others, in one directory of their own."
                )
    return found


def _together(config: Config, known: list[Mount]) -> list[list[Path]]:
    """What the daemon writes to; the paths of a list are opened together, so that they stay in one mount."""
    written = {key: mounts.resolved(path, known) for key, path in config.written.items()}
    nas = [path for key, path in written.items() if key.startswith("nas.")]
    return [nas, [path for path in written.values() if path not in nas]]


def _ours(text: str) -> bool:
    return text.startswith(MARK)


def _opened_by(text: str) -> set[PurePath]:
    """The paths that a drop-in of ours opens."""
    values = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ReadWritePaths=")]
    return {PurePath(word.lstrip("-").replace("%%", "%")) for value in values for word in shlex.split(value)}


def _check_open(config: Config, known: list[Mount]) -> None:
    for path in config.written.values():
        rule = decide(mounts.resolved(path, known), Unit.read().rules)
        if rule.reach is not Reach.WRITE:
            raise ConfigError(
                f"The service may not write below {path}, since another drop-in says {rule.setting}: "
                f"`systemctl cat {NAME}` shows them."
            )
