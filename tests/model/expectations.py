"""The model: which sides the document of each job must have. It knows paper and intents, and nothing of scand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Feed:
    """Sheets that were loaded to be scanned for a job.

    Attributes:
        first: number of the first sheet.
        last: number of the last sheet.
    """

    first: int
    last: int

    @property
    def sides(self) -> tuple[int, ...]:
        """The numbers of their sides, front and back."""
        return tuple(range(2 * self.first - 1, 2 * self.last + 1))


@dataclass
class Batch:
    """What was scanned of a feed.

    Attributes:
        feed: None if not one side was scanned.
        sides: the first ones of the feed.
        kept: whether they belong in the document.
        dropped: those that are left out all the same.
    """

    feed: Feed | None
    sides: tuple[int, ...]
    kept: bool
    dropped: set[int] = field(default_factory=set)


@dataclass
class Job:
    """A job, as the people who work on it know it.

    Attributes:
        keeps: whether its `on_jam` is "keep", which is the default.
        feeds: all so far, in order.
        waiting: the feeds that have no batch yet.
        batches: by their number.
    """

    keeps: bool
    feeds: list[Feed] = field(default_factory=list)
    waiting: list[Feed] = field(default_factory=list)
    batches: dict[int, Batch] = field(default_factory=dict)

    def feed(self, feed: Feed) -> None:
        """Note that sheets were loaded, and the job was told to scan."""
        self.feeds.append(feed)
        self.waiting.append(feed)

    def record(self, seq: int, sides: tuple[int, ...], *, complete: bool, canceled: bool = False) -> None:
        """Note a batch: the beginning of one feed, and all of that if the batch is complete.

        One that was canceled is discarded, whatever the job says of faults.
        """
        feed = None
        if sides:
            fits = [feed for feed in self.waiting if feed.sides[: len(sides)] == sides]
            assert fits, (
                f"batch {seq} has the sides {sides}, which are the beginning of none of {self.waiting}"
            )
            feed = fits[-1]
            self.waiting.remove(feed)
        assert not complete or (feed and feed.sides == sides), (
            f"batch {seq} is said to be complete with {sides}, of {feed or self.waiting}"
        )
        self.batches[seq] = Batch(feed, sides, bool(sides) and (complete or (self.keeps and not canceled)))

    @property
    def document(self) -> list[int]:
        """The sides that its document must have, in order."""
        return [
            side
            for _, batch in sorted(self.batches.items())
            if batch.kept
            for side in batch.sides
            if side not in batch.dropped
        ]


class Expectations:
    """All jobs, by their id."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}

    def wanted(self) -> set[int]:
        """The sides that currently belong in a document."""
        return {side for job in self.jobs.values() for side in job.document}
