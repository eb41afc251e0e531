"""One example: acts, one after another, written down so that they can be played again."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.model.clerk import Clerk
from tests.support.proxy import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.model.scene import Scene


class Play:
    """Acts at a scene: a clerk's, and what happens to the real parts.

    Attributes:
        story: a line an act, and what it came to.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene, self._clerk = scene, Clerk(scene)
        self._acts: dict[str, Callable[..., object]] = {
            "start": scene.start_daemon,
            "kill": scene.kill_daemon,
            "stop": scene.stop_daemon,
            "kill_child": scene.kill_child,
            "database": self._database,
            "mend": scene.mend,
            "network": self._network,
            "nas": scene.nas,
            "pause": self._pause,
        }
        self.story: list[str] = []
        self._failed = False

    def act(self, name: str, **how: Any) -> None:
        """Do it, and look whether all is as it must be; `name` is an act of the clerk's, or one of those above."""
        self.story.append(json.dumps([name, how]))
        try:
            came = (self._acts.get(name) or getattr(self._clerk, name))(**how)
            self.story[-1] = json.dumps([name, how, came])
            assert self._scene.daemon is None or self._scene.alive, "the daemon has ended by itself"
            self._clerk.look()
        except Exception as error:
            self._failed = True
            story = ["Played so far (python -m tests.model):", *self.story, self._scene.site.last_log()]
            error.add_note("\n".join(story))
            raise

    def end(self) -> None:
        """Everything is there again, and all jobs come to their end; not after an act that failed."""
        if not self._failed:
            self.act("mend")
            self.act("close_up")
            self.act("stop")

    def _database(self, *, there: bool) -> None:
        (self._scene.start_database if there else self._scene.stop_database)()

    def _pause(self, *, seconds: float) -> None:
        time.sleep(seconds)

    def _network(self, *, mode: str) -> None:
        self._scene.network(Mode[mode])
