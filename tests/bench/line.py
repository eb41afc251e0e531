"""One line of the table: a quantity of scand's, measured some times, beside a peer's and a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured, run by run."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """Half of the runs are below."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most."""
        return min(self.values), max(self.values)

    def percentile(self, percent: int) -> float:
        """The value that so many of a hundred do not exceed."""
        return (
            quantiles(self.values, n=100, method="inclusive")[percent - 1]
            if len(self.values) > 1
            else self.median
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What DESIGN §7 asks for: a value of scand's, or with `ratio` a multiple of the peer's."""

    at_most: float | None = None
    at_least: float | None = None
    ratio: bool = False
    percentile: int = 50

    def met(self, line: Line) -> bool:
        """Whether a line has it."""
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
        what: "300 dpi colour, simulator".
        unit: of all values; "images/s".
        ours: scand's.
        peer: what it is compared with: name and values; None: nothing does the same.
        target: what it must be; None: it is only told.
        note: what else there is to say.
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
        """scand's by the peer's: the median of the runs' own ratios, since they took turns."""
        if self.peer is None:
            return None
        theirs = self.peer[1]
        if len(theirs.values) != len(self.ours.values):
            return self.ours.median / theirs.median
        return median(ours / other for ours, other in zip(self.ours.values, theirs.values, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return self.target.met(self) if self.target else None

    def json(self) -> dict[str, Any]:
        """All of it."""
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
