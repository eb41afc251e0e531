"""Pages get places between others, as long as there is room."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from scand.cli.moving import Where, moved
from scand.errors import BadData
from scand.jobs.rows import PageRow

PAGES = [PageRow(1, number, number, "front", False, False, "0" * 64) for number in range(1, 5)]


def places(pages: list[PageRow]) -> dict[tuple[int, int], Decimal]:
    """By what they are ordered."""
    return {(page.batch_seq, page.page): page.key for page in pages}


def test_several_fit_between_two_and_the_moved_ones_are_not_in_the_way() -> None:
    """In the order in which they are named."""
    found = moved(places(PAGES), [PAGES[3], PAGES[1]], PAGES[0], Where.AFTER)
    assert [page.name for page in found] == ["1.4", "1.2"]
    first, second = (page.key for page in found)
    assert PAGES[0].key < first < second < PAGES[2].key


def test_the_ends_have_room() -> None:
    """Before the first and after the last; a place shared is a place taken over."""
    assert moved(places(PAGES), [PAGES[2]], PAGES[0], Where.BEFORE)[0].key == Decimal("10000.5")
    assert moved(places(PAGES), [PAGES[0]], PAGES[3], Where.AFTER)[0].key == Decimal("10004.5")
    assert moved(places(PAGES), PAGES[2:], PAGES[0], Where.INSTEAD) == [
        replace(page, place=Decimal(10001)) for page in PAGES[2:]
    ]


def test_where_no_room_is_left_it_is_said() -> None:
    """The database takes ten digits: halving them ends after 33 times, and no two pages get one place."""
    pages = list(PAGES)
    for times in range(40):
        try:
            (pages[3],) = moved(places(pages), [pages[3]], pages[0], Where.AFTER)
        except BadData as error:
            assert times == 33
            assert "no room left beside page 1.1" in error.sentence  # noqa: PT017 - at which time, is asked, too
            return
        assert pages[0].key < pages[3].key < pages[1].key
        pages[1], pages[3] = pages[3], pages[1]
    pytest.fail("it never ended")


def test_a_page_is_not_moved_to_itself() -> None:
    """Nor are several, one of which is the place."""
    with pytest.raises(BadData, match="to itself"):
        moved(places(PAGES), PAGES[:2], PAGES[1], Where.BEFORE)
