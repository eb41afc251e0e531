"""What `scand setup` asks: the present values, and what the answers become in the config. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand.config.sections import Nas
from scand.config.values import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_ROOT = Path("/mnt/nas")
"""What is offered as nas.root where the config says none: the sandbox is open below /mnt."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person, or a script, wants.

    Attributes:
        scanner: a SANE name or a pattern; "": the only one that there is.
        root: where the NAS is mounted.
        require_mount: it has to be mounted there.
        inbox: the folder for documents, relative to the root.
        group: whose members may read the documents; "": nobody else.
        users: login names of those who may use the command line.
        create_root: a root that is a plain directory may be made.
    """

    scanner: str
    root: Path
    require_mount: bool
    inbox: str
    group: str
    users: tuple[str, ...] = ()
    create_root: bool = False

    @classmethod
    def present(cls, table: Mapping[str, Any], offered_group: str, users: tuple[str, ...] = ()) -> Answers:
        """The values of a config, and what is offered where it has none.

        Args:
            table: the config's content, as TOML gives it; values of a wrong type count as none.
            offered_group: for a config in which nas.group was never set.
            users: offered as those who may use the command line.
        """

        def found(section: str, key: str, otherwise: str) -> str:
            inner = table.get(section)
            value = inner.get(key) if isinstance(inner, dict) else None
            return value if isinstance(value, str) else otherwise

        nas = table.get("nas")
        required = nas.get("require_mount") if isinstance(nas, dict) else None
        return cls(
            scanner=found("scanner", "device", ""),
            root=Path(found("nas", "root", str(FIRST_ROOT))),
            require_mount=required if isinstance(required, bool) else True,
            inbox=found("nas", "inbox", Nas.model_fields["inbox"].default),
            group=found("nas", "group", offered_group),
            users=users,
        )

    def values(self, table: Mapping[str, Any], *, credential: bool) -> dict[tuple[str, str], str | bool]:
        """The keys to set: those whose value differs from the config's, or from the default where it says none.

        Args:
            table: the config's content.
            credential: the database's URL is a systemd credential, not in the config.
        """
        wanted: dict[tuple[str, str], str | bool] = {
            ("scanner", "device"): self.scanner,
            ("nas", "root"): str(self.root),
            ("nas", "require_mount"): self.require_mount,
            ("nas", "inbox"): self.inbox,
            ("nas", "group"): self.group,
        }
        meant = {
            ("scanner", "device"): "",
            ("nas", "require_mount"): True,
            ("nas", "inbox"): Nas.model_fields["inbox"].default,
            ("nas", "group"): "",
        }
        if not credential and not _said(table, "database", "url"):
            wanted["database", "url"] = EMBEDDED
        return {
            place: value
            for place, value in wanted.items()
            if _said(table, *place) != value
            and (_said(table, *place) is not None or meant.get(place) != value)
        }


def _said(table: Mapping[str, Any], section: str, key: str) -> Any:
    inner = table.get(section)
    return inner.get(key) if isinstance(inner, dict) else None
