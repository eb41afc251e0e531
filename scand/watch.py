"""Tells when the config file or one of `profiles.d/*.toml` has changed, also by an editor's rename."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    EVENT_TYPE_CLOSED_NO_WRITE,
    EVENT_TYPE_OPENED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.observers.api import BaseObserver

CALM = 0.3
"""Seconds without a further change after which a file is taken as written: editors write in several steps."""


class ConfigWatch(FileSystemEventHandler):
    """Watches the directories, since editors replace files.

    watchdog calls in a thread of its own; all that happens there is a note and a wake.

    Args:
        file: the config file.
        wake: wakes the daemon's loop.

    Raises:
        OSError: the kernel has no inotify instance or watch left (`fs.inotify.max_user_instances`).
    """

    def __init__(self, file: Path, wake: Callable[[], None]) -> None:
        self._file, self._wake = file.absolute(), wake
        self._profiles = self._file.parent / "profiles.d"
        self._changes, self._taken = 0, 0
        self._changed = 0.0
        self._observer: BaseObserver = Observer()
        self._observer.schedule(self, str(self._file.parent))
        self._observer.daemon = True
        self._observer.start()
        self._watching_profiles = False
        self._watch_profiles()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note a change; that somebody reads the file is none."""
        if event.event_type in {EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE}:
            return
        paths = {Path(str(path)) for path in (event.src_path, event.dest_path) if path}
        if any(self._concerns(path) for path in paths):
            self.note()

    def note(self) -> None:
        """There is a change. The time first: `settled` may look in between."""
        self._changed = time.monotonic()
        self._changes += 1
        self._wake()

    def _concerns(self, path: Path) -> bool:
        ours = path.parent == self._profiles and path.suffix == ".toml"
        return path in {self._file, self._profiles} or ours

    def settled(self) -> bool:
        """Whether something has changed, and then nothing more for a moment. True once a change.

        A change that comes while this is asked is not the one that it answers for: it is still to be told.
        """
        changes = self._changes
        if changes == self._taken or time.monotonic() - self._changed < CALM:
            return False
        self._taken = changes
        self._watch_profiles()
        return True

    def _watch_profiles(self) -> None:
        """`profiles.d` may be made, or made anew, later; what it holds by then has yet to be read."""
        there = self._profiles.is_dir()
        if there and not self._watching_profiles:
            try:
                self._observer.schedule(self, str(self._profiles))
            except OSError:  # gone again, or no watch is left: `systemctl reload` reads it all the same
                there = False
        self._watching_profiles = there

    def close(self) -> None:
        """Stop watching."""
        self._observer.stop()
