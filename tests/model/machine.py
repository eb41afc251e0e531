"""The rules: what may be done, in any order. Hypothesis chooses, whatever came of what it chose before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from hypothesis.strategies import (
    SearchStrategy,
    booleans,
    fixed_dictionaries,
    integers,
    just,
    one_of,
    sampled_from,
    tuples,
)

from tests.model.play import Play

if TYPE_CHECKING:
    from tests.model.scene import Stage

Act: TypeAlias = tuple[str, dict[str, Any]]


def _act(name: str, **how: SearchStrategy[Any]) -> SearchStrategy[Act]:
    return tuples(just(name), fixed_dictionaries(how))


_FEEDER = ["jam@1", "jam@2", "jam@2:back", "double@2", "cover@1", "cover@2"]
_DEVICE = ["io@1:back", "io@2", "truncate@2", "cut@2", "busy@1", "hang@2"]
_FAULTS = sampled_from(["", "", "", *_FEEDER, *_DEVICE])
_SHEETS = integers(2, 4)
_MENDED = sampled_from([True, True, False])

SUBMIT = _act(
    "submit",
    sheets=_SHEETS,
    auto=booleans(),
    finish=sampled_from(["hold", "hold", "preview", "commit"]),
    on_jam=sampled_from(["discard", "keep"]),
)
GO_ON = _act("go_on", fault=_FAULTS)
PRESS = _act("press", which=integers(0, 7), sheets=_SHEETS, fault=_FAULTS, patient=booleans())
AGAIN = _act("again", which=integers(0, 3))
PAUSE = _act("pause", seconds=sampled_from([0.05, 0.1, 0.2, 0.4, 0.8]))

END = sampled_from(["kill", "kill", "stop"]).flatmap(_act)
CHILD = _act("kill_child", kind=sampled_from(["feeder", "courier"]))
DATABASE = _act("database", there=just(False))
NETWORK = _act("network", mode=sampled_from(["REFUSE", "CUT_BEFORE_COMMIT", "CUT_AFTER_COMMIT"]))
NAS = _act("nas", there=just(False))


class Machine(RuleBasedStateMachine):
    """One example at a scene of its own.

    Only a few rules, each with many acts: Hypothesis leaves whole rules out of an example.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._opened = stage.scene()
        self._play = Play(self._opened.__enter__())

    def teardown(self) -> None:
        """See that everything comes to its end."""
        try:
            self._play.end()
        finally:
            self._opened.__exit__(None, None, None)

    @initialize(job=SUBMIT)
    def begin(self, job: Act) -> None:
        """A daemon, and a job."""
        self._do(("start", {}))
        self._do(job)

    @rule(act=GO_ON)
    def go_on(self, act: Act) -> None:
        """What comes next for most people, once the job waits for them."""
        self._do(("mend", {}))
        self._do(act)

    @rule(mended=_MENDED, act=one_of(PRESS, PRESS, PRESS, SUBMIT, AGAIN, PAUSE))
    def people(self, mended: bool, act: Act) -> None:
        """Clients, and whoever stands at the scanner; mostly when what was away is there again."""
        if mended:
            self._do(("mend", {}))
        self._do(act)

    @rule(mended=_MENDED, before=one_of(GO_ON, PRESS, PAUSE), act=one_of(END, CHILD, DATABASE, NETWORK, NAS))
    def trouble(self, mended: bool, before: Act, act: Act) -> None:
        """Something goes away, or somebody is killed, in the midst of what is under way."""
        self.people(mended, before)
        self._do(act)

    def _do(self, act: Act) -> None:
        self._play.act(act[0], **act[1])


def run(stage: Stage, *, number: int, examples: int, steps: int) -> None:
    """Play examples of so many steps each; the same number chooses the same rules.

    A failure is told as it was: real processes do not fail twice in the same way, so nothing is shrunk.
    """

    @seed(number)
    def machine() -> Machine:
        return Machine(stage)

    run_state_machine_as_test(
        machine,  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        ),
    )
