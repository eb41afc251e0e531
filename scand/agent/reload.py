"""The config while the daemon runs: read again on SIGHUP and on a change, and taken or refused as a whole."""

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

from scand.agent.log.events import Event
from scand.agent.log.journal import configure
from scand.decide.limits import Limits
from scand.errors import ScandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchdog.observers.api import BaseObserver

    from scand.agent.log.reporter import Reporter
    from scand.config import Config


SETTLING_TIME = 0.3
"""Seconds without a further change after which a file is taken as written: editors write in several steps."""


class ConfigWatch(FileSystemEventHandler):
    """Watches the directories, since editors replace files.

    watchdog calls `on_any_event` in a thread of its own, in which a change is only noted.

    Args:
        file: the config file.
        wake: wakes the daemon's loop; called in watchdog's thread.

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
        """Note a change; reading a file is none."""
        if event.event_type in {EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE}:
            return
        paths = {Path(str(path)) for path in (event.src_path, event.dest_path) if path}
        if any(self._concerns(path) for path in paths):
            self.note()

    def note(self) -> None:
        """Note a change. The time is set first, since `settled` may be called in between."""
        self._changed = time.monotonic()
        self._changes += 1
        self._wake()

    def _concerns(self, path: Path) -> bool:
        ours = path.parent == self._profiles and path.suffix == ".toml"
        return path in {self._file, self._profiles} or ours

    def settled(self) -> bool:
        """Whether something has changed, and then nothing more for SETTLING_TIME. True once for each change.

        A change that comes during the call is left for the next one.
        """
        changes = self._changes
        if changes == self._taken or time.monotonic() - self._changed < SETTLING_TIME:
            return False
        self._taken = changes
        self._watch_profiles()
        return True

    def _watch_profiles(self) -> None:
        """Watch `profiles.d`, which may be made, or made anew, later."""
        there = self._profiles.is_dir()
        if there and not self._watching_profiles:
            try:
                self._observer.schedule(self, str(self._profiles))
            except OSError:  # it is gone again, or no watch is left; `systemctl reload` reads it anyway
                there = False
        self._watching_profiles = there

    def close(self) -> None:
        """Stop watching."""
        self._observer.stop()


def limits(config: Config) -> Limits:
    """What deciding needs of the config."""
    return Limits(
        page_timeout=config.scanner.page_timeout,
        ready_timeout=config.agent.ready_timeout,
        preview_hold=config.agent.preview_hold,
        preview_timeout=config.agent.preview_timeout,
        keep=config.staging.keep,
        commits=config.commit.by != "client",
        client_timeout=config.commit.client_timeout,
        scanner=config.scanner.device,
    )


class LiveConfig:
    """The config as it is now.

    Args:
        config: as read at the start.
        reread: reads it again; raises ConfigError when it is bad.
        reporter: logs whether it was taken.

    Attributes:
        now: the config that is in force.
        refused: why the files as they are now were not taken; "" if they were.
    """

    def __init__(self, config: Config, reread: Callable[[], Config], reporter: Reporter) -> None:
        self.now, self.refused = config, ""
        self._reread, self._reporter = reread, reporter
        self._watch: ConfigWatch | None = None

    def watch(self, wake: Callable[[], None]) -> None:
        """Watch the files, if there are any, from now on; changes since they were read count, too."""
        if self.now.path is None:
            return
        self._warn()
        try:
            self._watch = ConfigWatch(self.now.path, wake)
        except OSError as error:
            self._reporter.say(Event.CONFIG_UNWATCHED, why=error.strerror or str(error), path=self.now.path)
            return
        try:
            unchanged = self._reread() == self.now
        except ScandError:
            unchanged = False
        if not unchanged:
            self._watch.note()

    def changed(self) -> bool:
        """Whether a file has changed and is worth reading again."""
        return self._watch is not None and self._watch.settled()

    def reload(self, *, asked: bool = True) -> bool:
        """Read it again. A bad file is refused as a whole, and the old config stays; True when it was taken.

        Args:
            asked: by SIGHUP: a refusal is logged even if it is the same as before.
        """
        self._reporter.reloading()
        try:
            config = self._reread()
        except ScandError as error:
            if asked or error.sentence != self.refused:
                self._reporter.say(Event.CONFIG_REFUSED, why=error.sentence)
            self.refused = error.sentence
            return False
        finally:
            self._reporter.reloaded()
        commit = config.commit.model_copy(update={"by": self.now.commit.by})
        fixed = {"database": self.now.database, "staging": self.now.staging, "commit": commit}
        changed = [name for name, section in fixed.items() if getattr(config, name) != section]
        if changed:
            self._reporter.say(Event.CONFIG_NEEDS_RESTART, why=" and ".join(f"[{name}]" for name in changed))
        path = config.path
        self.now, self.refused = config.model_copy(update=fixed), ""
        configure(config.logging.level, config.logging.format)
        self._reporter.configure(config.hooks.on_event)
        self._reporter.say(Event.CONFIG_RELOADED, path=path)
        self._warn()
        return True

    def _warn(self) -> None:
        for why in self.now.warnings:
            self._reporter.say(Event.CONFIG_WARNING, why=why)

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.close()
