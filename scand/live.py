"""The config while the daemon runs: read again when asked or changed, and taken or refused as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand.errors import ScandError
from scand.journal import configure
from scand.messages import Event
from scand.watch import ConfigWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from scand.config import Config
    from scand.teller import Teller


class LiveConfig:
    """The config as it is now.

    Args:
        config: as read at the start.
        reread: reads it again; raises ConfigError when it is bad.
        teller: says what became of it.

    Attributes:
        now: the config that is in force.
        refused: why the files, as they are, are not it; empty where they are.
    """

    def __init__(self, config: Config, reread: Callable[[], Config], teller: Teller) -> None:
        self.now, self.refused = config, ""
        self._reread, self._teller = reread, teller
        self._watch: ConfigWatch | None = None

    def watch(self, wake: Callable[[], None]) -> None:
        """Watch the files from now on, where there are any; what changed since they were read counts, too."""
        if self.now.path is None:
            return
        self._warn()
        try:
            self._watch = ConfigWatch(self.now.path, wake)
        except OSError as error:
            self._teller.say(Event.CONFIG_UNWATCHED, why=error.strerror or str(error), path=self.now.path)
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
            asked: somebody asked for it, and gets an answer, also if it is the same as before.
        """
        self._teller.reloading()
        try:
            config = self._reread()
        except ScandError as error:
            if asked or error.sentence != self.refused:
                self._teller.say(Event.CONFIG_REFUSED, why=error.sentence)
            self.refused = error.sentence
            return False
        finally:
            self._teller.reloaded()
        fixed = {"database": self.now.database, "staging": self.now.staging}
        changed = [name for name, section in fixed.items() if getattr(config, name) != section]
        if changed:
            self._teller.say(Event.CONFIG_NEEDS_RESTART, why=" and ".join(f"[{name}]" for name in changed))
        path = config.path
        self.now, self.refused = config.model_copy(update=fixed), ""
        configure(config.logging.level, config.logging.format)
        self._teller.configure(config.hooks.on_event)
        self._teller.say(Event.CONFIG_RELOADED, path=path)
        self._warn()
        return True

    def _warn(self) -> None:
        for why in self.now.warnings:
            self._teller.say(Event.CONFIG_WARNING, why=why)

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.close()
