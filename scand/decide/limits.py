"""What deciding takes from the config."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, and who commits.

    Attributes:
        page_timeout: seconds of silence after which a driver is taken for hung.
        ready_timeout: seconds after which an idle job in ready is moved on; None: never.
        preview_hold: seconds after which an idle job in preview gives way to others.
        preview_timeout: seconds after which an idle job in preview is failed; None: never.
        keep: seconds for which local files of finished jobs are kept; None: for ever.
        commits: whether the agent commits; if not, the site's web application does.
        client_timeout: seconds after which a client that commits by itself is taken for gone; None: never.
        scanner: `scanner.device`.
    """

    page_timeout: float = 60.0
    ready_timeout: float | None = 900.0
    preview_hold: float = 120.0
    preview_timeout: float | None = None
    keep: float | None = None
    commits: bool = True
    client_timeout: float | None = 900.0
    scanner: str = ""
