"""A side of a sheet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Side:
    """A side of a sheet.

    Attributes:
        sheet: its number, counted from 1 over all stacks that were ever fed.
        name: "front" or "back".
    """

    sheet: int
    name: str

    @property
    def number(self) -> int:
        """Its number among all sides: the first front is 1, its back 2, the next front 3, and so on."""
        return 2 * self.sheet - (self.name == "front")
