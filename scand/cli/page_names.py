"""Pages as people name them: "2.17" is page 17 of batch 2, "2.3-8" are six of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import click

from scand.errors import BadData

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scand.jobs.rows import PageRow

_NAME = re.compile(r"([1-9]\d{0,8})\.([1-9]\d{0,8})(?:-([1-9]\d{0,8}))?", re.ASCII)


class PageRange(NamedTuple):
    """Pages of a batch that were fed one after the other, the last one included."""

    batch_seq: int
    first: int
    last: int


class PageName(click.ParamType[PageRange]):
    """A page, or several that were fed one after the other."""

    name = "page"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> PageRange:
        """Read one.

        Raises:
            click.BadParameter: it names no page.
        """
        if isinstance(value, PageRange):
            return value
        found = _NAME.fullmatch(str(value))
        if found is None:
            self.fail(
                f"{value!r} names no page: 2.17 is page 17 of batch 2, 2.3-8 are six of them.", param, ctx
            )
        first = int(found[2])
        last = int(found[3] or first)
        if last < first:
            self.fail(f"{value!r} ends before it begins.", param, ctx)
        return PageRange(int(found[1]), first, last)


def named(job_id: int, rows: Sequence[PageRow], names: Iterable[PageRange]) -> list[PageRow]:
    """The rows that are named, each once, in the order in which they are named.

    Raises:
        BadData: the job has no such page.
    """
    there = {(row.batch_seq, row.page): row for row in rows}
    found: dict[tuple[int, int], PageRow] = {}
    for seq, first, last in names:
        for page in range(first, last + 1):
            if (seq, page) not in there:
                pages = sum(row.batch_seq == seq for row in rows)
                what = (
                    f"batch {seq} has 1 to {pages}"
                    if pages
                    else f"scand pages {job_id} shows which there are"
                )
                raise BadData(f"Job {job_id} has no page {seq}.{page}: {what}.")
            found[seq, page] = there[seq, page]
    return list(found.values())
