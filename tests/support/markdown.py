"""What a document in Markdown refers to, and what can be referred to in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(`{3,}).*?^\1`*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^][]|\[[^]]*\])*\]\(([^()\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Document:
    """One file.

    Attributes:
        path: absolute.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(CHECKOUT))

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text("utf-8")

    @cached_property
    def prose(self) -> str:
        """Without what stands in fences."""
        return _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[str]:
        """As they are written."""
        return _HEADING.findall(self.prose)

    @property
    def anchors(self) -> list[str]:
        """The headings as the fragment of a link names them."""
        return [anchor(heading) for heading in self.headings]

    @property
    def links(self) -> list[str]:
        """The targets of its links and pictures."""
        return _LINK.findall(_CODE.sub("", self.prose))

    @property
    def code(self) -> list[str]:
        """What stands between backticks."""
        return _CODE.findall(self.prose)

    def section(self, heading: str) -> str:
        """What stands below a heading, down to the next of any level."""
        _, found, below = self.text.partition(f" {heading}\n")
        assert found, f"{self} has no heading {heading}"
        return below.partition("\n#")[0]


def anchor(heading: str) -> str:
    """A heading as GitHub names it: lower case, without punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-")


def documents() -> list[Document]:
    """README, CHANGELOG, and all of docs/."""
    return [
        Document(path)
        for path in (
            CHECKOUT / "README.md",
            CHECKOUT / "CHANGELOG.md",
            *sorted(CHECKOUT.glob("docs/**/*.md")),
        )
    ]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text."""
    lines = (line.strip() for line in text.splitlines())
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
