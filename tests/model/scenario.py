"""One example: acts, one after another, recorded so that they can be repeated."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.model.operator import Operator
from tests.support.proxy import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.model.installation import Installation


class Scenario:
    """A sequence of acts: the operator's, and what happens to the real parts.

    Attributes:
        record: a line for each act, with its result.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation, self._operator = installation, Operator(installation)
        self._acts: dict[str, Callable[..., object]] = {
            "start": installation.start_daemon,
            "kill": installation.kill_daemon,
            "stop": installation.stop_daemon,
            "kill_child": installation.kill_child,
            "database": self._database,
            "mend": installation.mend,
            "network": self._network,
            "nas": installation.nas,
            "pause": self._pause,
        }
        self.record: list[str] = []
        self._failed = False

    def act(self, name: str, **arguments: Any) -> None:
        """Do one act, and check that everything is as it must be.

        Args:
            name: a method of the operator, or one of the acts above.
            arguments: its arguments.
        """
        self.record.append(json.dumps([name, arguments]))
        try:
            came = (self._acts.get(name) or getattr(self._operator, name))(**arguments)
            self.record[-1] = json.dumps([name, arguments, came])
            assert self._installation.daemon is None or self._installation.alive, (
                "the daemon has ended by itself"
            )
            self._operator.look()
        except Exception as error:
            self._failed = True
            record = [
                "Played so far (python -m tests.model):",
                *self.record,
                self._installation.site.last_log(),
            ]
            error.add_note("\n".join(record))
            raise

    def end(self) -> None:
        """Bring back everything that is away, and take all jobs to their end; does nothing after a failed act."""
        if not self._failed:
            self.act("mend")
            self.act("finish_all")
            self.act("stop")

    def _database(self, *, there: bool) -> None:
        (self._installation.start_database if there else self._installation.stop_database)()

    def _pause(self, *, seconds: float) -> None:
        time.sleep(seconds)

    def _network(self, *, mode: str) -> None:
        self._installation.network(Mode[mode])
