"""A side of a sheet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Side:
    """A side, "front" or "back", of a sheet; sheets are counted from 1 over all stacks ever fed.

    `number` is its own among all sides: front "1", back "2", the next front "3" and so on.
    """

    sheet: int
    name: str

    @property
    def number(self) -> int:
        """The number that is drawn on it."""
        return 2 * self.sheet - (self.name == "front")
