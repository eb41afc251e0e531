"""What systemd hears of the daemon: sd_notify(3). Nothing happens where no service manager listens."""

from __future__ import annotations

from systemd import daemon  # type: ignore[attr-defined]  # systemd-python has no types


def notify(*lines: str) -> None:
    """Send assignments such as "READY=1" or "STATUS=…", all in one datagram."""
    daemon.notify("\n".join(lines))
