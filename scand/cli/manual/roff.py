"""As much of the language of man pages as ours need. Source: man(7), groff_char(7)."""

from __future__ import annotations

import re
import textwrap

_WIDTH = 72
"""Characters of a line of the source: mandoc's lint complains beyond 80 bytes."""

_CHARACTERS = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", "\u00a0": r"\~"}
)
"""Characters that roff would typeset as others; in commands and keys each must stay as it is."""

_CODE = re.compile(r"`([^`]+)`")
VERBATIM = "\b"
"""click's mark: the paragraph that it begins keeps its lines."""


def title(name: str, section: int, date: str, source: str, manual: str) -> list[str]:
    """The page's first line.

    Args:
        name: of the page, `scand.toml`.
        section: 1 for commands, 5 for files.
        date: of the page, `2026-11-30`.
        source: program and version.
        manual: what the page is part of.
    """
    return [f'.TH {escaped(name.upper())} {section} {date} "{escaped(source)}" "{escaped(manual)}"']


def heading(text: str) -> list[str]:
    """A section."""
    return [f".SH {escaped(text.upper())}"]


def subheading(text: str) -> list[str]:
    """A part of a section."""
    return [f'.SS "{_argument(text)}"']


def paragraphs(text: str) -> list[str]:
    """Text as docstrings and click's help have it: blank lines between paragraphs, `code` between backticks."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines += [*([".PP"] if lines else []), *_paragraph(paragraph)]
    return lines


def entry(term: str, text: str, *others: str) -> list[str]:
    """A term in bold, others with the same meaning, and indented below them what they mean."""
    first, *more = re.split(r"\n\s*\n", text.strip("\n"))
    lines = [".TP", _bold(term)]
    for other in others:
        lines += [".TQ", _bold(other)]
    lines += _paragraph(first)
    for paragraph in more:
        lines += [".IP", *_paragraph(paragraph)]
    return lines


def verbatim(text: str) -> list[str]:
    """Lines as they are."""
    return [".nf", *(_guarded(escaped(line)) for line in text.splitlines()), ".fi"]


def escaped(text: str) -> str:
    """Text that is set as it stands."""
    return text.translate(_CHARACTERS)


def _bold(text: str) -> str:
    return f"\\fB{_guarded(escaped(text))}\\fR"


def _paragraph(text: str) -> list[str]:
    mark, _, rest = text.strip().partition("\n")
    if mark == VERBATIM:
        return verbatim(textwrap.dedent(rest))
    set_ = "".join(
        f"\\fB{escaped(part)}\\fR" if code else escaped(part) for part, code in _parts(" ".join(text.split()))
    )
    wrapped = textwrap.wrap(set_, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [_guarded(line) for line in wrapped]


def _parts(text: str) -> list[tuple[str, bool]]:
    """The text in its parts, each with whether it stood between backticks."""
    return [(part, index % 2 == 1) for index, part in enumerate(_CODE.split(text)) if part]


def _guarded(line: str) -> str:
    """A line that begins with a dot would be a command to roff."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _argument(text: str) -> str:
    """Between the quotes of a macro's argument."""
    return escaped(text).replace('"', r"\(dq")
