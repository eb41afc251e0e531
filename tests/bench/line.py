"""A line of the table: one quantity of scand, measured several times, with a peer and a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Series:
    """The values that were measured, one for each run."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return min(self.values), max(self.values)

    def percentile(self, percent: int) -> float:
        """The value that `percent` % of the runs do not exceed."""
        return (
            quantiles(self.values, n=100, method="inclusive")[percent - 1]
            if len(self.values) > 1
            else self.median
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What docs/design.md, "Speed and size", asks for.

    Attributes:
        at_most: upper limit.
        at_least: lower limit.
        ratio: the limit is for scand's value divided by the peer's.
        percentile: of scand's value.
    """

    at_most: float | None = None
    at_least: float | None = None
    ratio: bool = False
    percentile: int = 50

    def met(self, line: Line) -> bool:
        """Whether a line meets the target."""
        value = line.ratio if self.ratio else line.ours.percentile(self.percentile)
        assert value is not None
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    def __str__(self) -> str:
        bound = f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"
        return (
            f"p{self.percentile} {bound}" if self.percentile != 50 else f"{bound} x" if self.ratio else bound
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A quantity.

    Attributes:
        what: its name: "300 dpi colour, simulator".
        unit: of all values: "images/s".
        ours: scand's values.
        peer: the name and values of what it is compared with; None: nothing does the same.
        target: what scand has to reach; None: the value is for information only.
        note: anything else.
        section: the key of its section.
    """

    what: str
    unit: str
    ours: Series
    peer: tuple[str, Series] | None = None
    target: Target | None = None
    note: str = ""
    section: str = field(default="")

    @property
    def ratio(self) -> float | None:
        """scand's value divided by the peer's: the median of the ratios of the runs, since they took turns."""
        if self.peer is None:
            return None
        theirs = self.peer[1]
        if len(theirs.values) != len(self.ours.values):
            return self.ours.median / theirs.median
        return median(ours / other for ours, other in zip(self.ours.values, theirs.values, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        return self.target.met(self) if self.target else None

    def json(self) -> dict[str, Any]:
        """Everything, for a JSON file."""
        peer = self.peer and {"name": self.peer[0], **_json(self.peer[1])}
        return {
            "section": self.section,
            "what": self.what,
            "unit": self.unit,
            "scand": _json(self.ours),
            "peer": peer,
            "ratio": self.ratio,
            "target": self.target and str(self.target),
            "met": self.met,
            "note": self.note,
        }


def _json(series: Series) -> dict[str, Any]:
    return {
        "median": series.median,
        "p99": series.percentile(99),
        "spread": series.spread,
        "runs": list(series.values),
    }
