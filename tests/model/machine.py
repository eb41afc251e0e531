"""The rules: what may be done, in any order. Hypothesis chooses, regardless of what its earlier choices led to."""

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

from tests.model.scenario import Scenario

if TYPE_CHECKING:
    from tests.model.installation import SharedParts

Act: TypeAlias = tuple[str, dict[str, Any]]


def _act(name: str, **arguments: SearchStrategy[Any]) -> SearchStrategy[Act]:
    return tuples(just(name), fixed_dictionaries(arguments))


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
    on_jam=sampled_from(["discard", "keep", ""]),
)
NEXT_STEP = _act("next_step", fault=_FAULTS)
PRESS = _act("press", which=integers(0, 7), sheets=_SHEETS, fault=_FAULTS, wait=booleans())
PARKED = _act("press_parked", which=integers(0, 7))
REQUEUE = _act("requeue", which=integers(0, 3))
PAUSE = _act("pause", seconds=sampled_from([0.05, 0.1, 0.2, 0.4, 0.8]))

END = sampled_from(["kill", "kill", "stop"]).flatmap(_act)
CHILD = _act("kill_child", kind=sampled_from(["feeder", "courier"]))
DATABASE = _act("database", there=just(False))
NETWORK = _act("network", mode=sampled_from(["REFUSE", "CUT_BEFORE_COMMIT", "CUT_AFTER_COMMIT"]))
NAS = _act("nas", there=just(False))


class Machine(RuleBasedStateMachine):
    """One example, with an installation of its own.

    There are only a few rules, each with many acts, since Hypothesis leaves entire rules out of an example.
    """

    def __init__(self, shared_parts: SharedParts) -> None:
        super().__init__()
        self._opened = shared_parts.installation()
        self._scenario = Scenario(self._opened.__enter__())

    def teardown(self) -> None:
        """Take every job to its end."""
        try:
            self._scenario.end()
        finally:
            self._opened.__exit__(None, None, None)

    @initialize(job=SUBMIT)
    def begin(self, job: Act) -> None:
        """Start a daemon and submit a job."""
        self._do(("start", {}))
        self._do(job)

    @rule(act=NEXT_STEP)
    def next_step(self, act: Act) -> None:
        """Do what most people would do next, as soon as the job waits for them."""
        self._do(("mend", {}))
        self._do(act)

    @rule(mended=_MENDED, act=one_of(PRESS, PRESS, PRESS, SUBMIT, PARKED, REQUEUE, PAUSE))
    def people(self, mended: bool, act: Act) -> None:
        """Do something at the scanner or in a client, mostly after everything that was away is back."""
        if mended:
            self._do(("mend", {}))
        self._do(act)

    @rule(
        mended=_MENDED, before=one_of(NEXT_STEP, PRESS, PAUSE), act=one_of(END, CHILD, DATABASE, NETWORK, NAS)
    )
    def trouble(self, mended: bool, before: Act, act: Act) -> None:
        """Take something away or kill something, while something else is under way."""
        self.people(mended, before)
        self._do(act)

    def _do(self, act: Act) -> None:
        self._scenario.act(act[0], **act[1])


def run(shared_parts: SharedParts, *, number: int, examples: int, steps: int) -> None:
    """Play examples of so many steps each.

    Nothing is shrunk after a failure, since real processes do not fail in the same way twice.

    Args:
        shared_parts: of all examples.
        number: the same number chooses the same rules.
        examples: how many to play.
        steps: in each of them.
    """

    @seed(number)
    def machine() -> Machine:
        return Machine(shared_parts)

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
