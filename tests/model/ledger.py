"""The model: which sides a job's document must hold. Knows paper and people's words, and nothing of scand."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Feed:
    """Sheets that were put in to be scanned for a job, from the first to the last."""

    first: int
    last: int

    @property
    def sides(self) -> tuple[int, ...]:
        """Their numbers, front and back."""
        return tuple(range(2 * self.first - 1, 2 * self.last + 1))


@dataclass
class Batch:
    """What came of a feed.

    Attributes:
        feed: None where not one side came of it.
        sides: the first ones of the feed.
        kept: whether they belong into the document.
    """

    feed: Feed | None
    sides: tuple[int, ...]
    kept: bool


@dataclass
class Job:
    """A job, as whoever works on it knows it; `keeps` is its `on_jam`, and `waiting` are feeds without a batch."""

    keeps: bool
    feeds: list[Feed] = field(default_factory=list)
    waiting: list[Feed] = field(default_factory=list)
    batches: dict[int, Batch] = field(default_factory=dict)

    def feed(self, feed: Feed) -> None:
        """It is put in, and the job told to scan."""
        self.feeds.append(feed)
        self.waiting.append(feed)

    def record(self, seq: int, sides: tuple[int, ...], *, complete: bool) -> None:
        """A batch has come of it: the beginning of one feed, and all of it if it is said to be complete."""
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
        self.batches[seq] = Batch(feed, sides, bool(sides) and (complete or self.keeps))

    @property
    def document(self) -> list[int]:
        """The sides that its document must hold, in order."""
        return [side for _, batch in sorted(self.batches.items()) if batch.kept for side in batch.sides]


class Ledger:
    """All jobs, by their id."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}

    def wanted(self) -> set[int]:
        """The sides that belong into some document, as things stand."""
        return {side for job in self.jobs.values() for side in job.document}
