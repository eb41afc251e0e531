"""docs/performance.md as `make bench` writes it."""

from __future__ import annotations

from tests.bench.line import Line, Series, Target
from tests.bench.table import markdown
from tests.support.markdown import rows


def test_a_line_has_its_figures_its_peer_and_its_target() -> None:
    """Median with least and most, the ratio of the runs, and whether the target is met."""
    fast = Line("pages", "images/s", Series([20.0, 30.0, 25.0]), ("cp", Series([10.0, 10.0, 10.0])))
    slow = Line("click", "ms", Series([600.0]), None, Target(at_most=50), "note")
    page = markdown([("Pages", [fast]), ("Pickup", [slow])], runs=3)
    assert "\n## Pages\n" in page
    assert "\n## Pickup\n" in page
    assert [cells for cells in rows(page) if cells[0] not in {"what", "---"}] == [
        ["pages", "images/s", "2.50 x", "25 (20 - 30)", "cp", "10 (10 - 10)", ""],
        ["click (note)", "ms", "", "600 (600 - 600)", "", "", "≤ 50, **missed**"],
    ]
