"""What an agent does beside jobs: tidy up NAS and local disk, and ask whether scanner and NAS are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scand import wire
from scand.decide.actions import Expire, FindScanner, ForgetStaged, Send, StartFeeder
from scand.decide.state import CourierChild, Errand, FeederChild
from scand.decide.timeouts import SWEEP_EVERY, UNSTAGE_EVERY, every

if TYPE_CHECKING:
    from scand.decide.actions import Decided, Intent
    from scand.decide.state import View


def send(view: View, errand: Send, now: float) -> tuple[View, Send]:
    """The view once a courier is under way. What a former one came back with is past."""
    courier = CourierChild(errand.errand, errand.job_id, now, errand.entered, errand.seq)
    return replace(view, courier=courier, done=None), errand


def unstage(view: View, now: float) -> Decided:
    """A file on the NAS that its job does not want any more (reopened, canceled)."""
    stale, done = view.look.stale, view.done
    if stale is None:
        return view, []
    if done and (done[0], done[2]) == (stale.job_id, Errand.UNSTAGE):
        gone = isinstance(done[3], wire.Unstaged)
        view = replace(view, done=None, unstage_after=0.0 if gone else now + UNSTAGE_EVERY)
        return (replace(view, fresh=False), [ForgetStaged(stale.job_id)]) if gone else (view, [])
    if view.courier is not None or now < view.unstage_after:
        return view, []
    view, errand = send(view, Send(Errand.UNSTAGE, stale.job_id, staged=stale.path), now)
    return view, [errand]


def sweep(view: View, now: float) -> Decided:
    """Local files of finished jobs, once `staging.keep` is over: the rows first, then the disk."""
    keep = view.limits.keep
    if keep is None or view.courier is not None or now - view.swept_at < min(SWEEP_EVERY, keep):
        return view, []
    view, errand = send(replace(view, swept_at=now), Send(Errand.SWEEP, 0), now)
    return replace(view, fresh=False), [Expire(keep), errand]


def ask_around(view: View, now: float) -> Decided:
    """An idle agent asks now and then whether scanner and NAS are there; more often while one is not."""
    intents: list[Intent] = []
    if view.courier is None and now - view.checked_at >= every(view.nas_trouble):
        view, errand = send(replace(view, checked_at=now), Send(Errand.CHECK, 0), now)
        intents.append(errand)
    if view.feeder is None and now - view.found_at >= every(view.scanner_trouble):
        view = replace(view, found_at=now, feeder=FeederChild(heard=now, finding=True))
        intents += [StartFeeder(), FindScanner()]
    return view, intents
