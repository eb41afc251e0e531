"""What a picture of each side costs: the same stack with pictures and without, in turn."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.bench.installation import installation
from tests.bench.line import Line, Series, Target
from tests.bench.processes import cpu
from tests.bench.scanners import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.bench import Bench

_SIDES = 40
_KINDS = {"with": "", "without": "[pictures]\nsize = 0"}


def measure(bench: Bench) -> Iterator[Line]:
    """300 dpi, colour and gray; a daemon with pictures and one without, each with its own scanner."""
    with ExitStack() as running:
        sites = {}
        for name, extra in _KINDS.items():
            scanner = running.enter_context(simulator(bench.directory / f"scanner-{name}"))
            home = bench.directory / name
            opened = installation(bench.server, home, scanner.config, device=scanner.device, extra=extra)
            here = running.enter_context(opened)
            sites[name] = scanner, here, here.serve().process.pid
        for mode in ("color", "gray"):
            speed: dict[str, list[float]] = {name: [] for name in sites}
            work: dict[str, list[float]] = {name: [] for name in sites}
            jobs = {}
            for name, (scanner, here, _pid) in sites.items():
                jobs[name] = here.claimed(mode=mode, resolution=300, **scanner.settings)
            for number in range(bench.runs + 1):
                for name, (scanner, here, pid) in sites.items():
                    scanner.load(_SIDES)
                    before = cpu(pid)
                    seconds = here.step(jobs[name], "scanning")
                    if number:  # the first opens the device
                        speed[name].append(_SIDES / seconds)
                        work[name].append((cpu(pid) - before) / _SIDES)
                    assert bool(list(here.directory(jobs[name]).path.glob("*/picture-*"))) == (name == "with")
            for name, (_scanner, here, _pid) in sites.items():
                here.cancel(jobs[name])
                bench.remove(here.directory(jobs[name]).path)
            yield _line(
                f"300 dpi {mode}, with pictures", "images/s", speed, Target(at_least=0.97, ratio=True)
            )
            yield _line(f"300 dpi {mode}, with pictures", "CPU s/image", work)


def _line(what: str, unit: str, found: dict[str, list[float]], target: Target | None = None) -> Line:
    return Line(what, unit, Series(found["with"]), ("without", Series(found["without"])), target)
