"""How SANE drivers spell sources, modes and options: the tables, and how a spelling is understood.

Drivers agree on no words: "ADF Duplex" is "Automatic Document Feeder(left aligned,Duplex)" at Brother's and
"Duplex" at HP's. A spelling is taken apart into words, and the words tell. Sources: the backends' man pages
and option lists, simple-scan's and gscan2pdf's issue trackers; the oddest are named where they stand.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from itertools import pairwise

_WORD = re.compile(r"[a-z]+|[0-9]+")


def words(text: str) -> tuple[str, ...]:
    """The words and numbers of a spelling, in lower case: "24bit Color[Fast]" → 24, bit, color, fast."""
    return tuple(_WORD.findall(text.casefold()))


# Sources.


class SourceKind(Enum):
    """What a source takes the paper from, and which sides."""

    FLATBED = auto()
    FEEDER = auto()  # an ADF that leaves the sides to another option, or has one side only
    FRONT = auto()
    BACK = auto()
    DUPLEX = auto()
    OTHER = auto()  # film, cards, "Auto": never a stack of paper for sure


_OTHER = frozenset({"card", "transparency", "negative", "positive", "slide", "film", "tpu", "tma", "xpa"})
_DUPLEX = frozenset({"duplex", "both"})
_BACK = frozenset({"back", "rear"})
_FRONT = frozenset({"front", "simplex"})
_FEEDER = frozenset({"adf", "feeder", "sheetfed"})
_FLATBED = frozenset({"flatbed", "platen", "glass", "table", "normal", "fb"})  # avision: Normal; kvs1025: fb
_AROUND = frozenset(
    words(
        "a automatic aligned binding bottom center centered central centrally centre document edge left long "
        "right scanner sheet short side sided sides single the top double one two"
    )
)
SOURCE_WORDS = _DUPLEX | _BACK | _FRONT | _FEEDER | _FLATBED | _AROUND
"""Every word of a source that a client may write; an unknown one may be a misspelt "duplex"."""

SOURCE_SPELLINGS = ("adf", "flatbed", "ADF Duplex", "ADF Front", "Automatic Document Feeder")
"""What a misspelt source is compared with."""


def source_kind(name: str) -> SourceKind:
    """What a driver's source is. Duplex is looked for before ADF, since its names hold both words."""
    spelt = words(name)
    have = frozenset(spelt)
    sided = "sided" in have  # Konica, Kyocera: "2-sided (Binding Left/Right)"
    if have & _OTHER:
        return SourceKind.OTHER
    if have & _DUPLEX or (sided and have & {"2", "two", "double"}):
        return SourceKind.DUPLEX
    if have & _BACK:
        return SourceKind.BACK
    if have & _FRONT or (sided and have & {"1", "one", "single"}):
        return SourceKind.FRONT
    if have & _FEEDER:
        return SourceKind.FEEDER
    return SourceKind.FLATBED if have & _FLATBED else SourceKind.OTHER


def turns_over(name: str) -> bool:
    """Whether a duplex source gives back sides upside-down: bound at the top, at the short edge."""
    return not {"top", "short"}.isdisjoint(words(name))


def side_kind(name: str) -> SourceKind | None:
    """What a value of a duplex switch says: DUPLEX, FRONT (one side), or None for neither."""
    kind = source_kind(name)
    if kind in {SourceKind.DUPLEX, SourceKind.FRONT}:
        return kind
    have = frozenset(words(name))
    if have & {"on", "yes", "true"}:
        return SourceKind.DUPLEX
    return SourceKind.FRONT if have & {"off", "no", "none", "false", "single"} else None


# Modes.

_MODES = {
    "color": frozenset({"color", "colour", "colors", "colours", "rgb"}),
    "gray": frozenset({"gray", "grey", "grayscale", "greyscale"}),
    "lineart": frozenset(
        {"lineart", "art", "binary", "monochrome", "mono", "bw", "b", "black", "thresholded"}
    ),
}
_SPOILT = frozenset(
    {"error", "diffusion", "halftone", "dither", "dithered", "infrared", "auto", "automatic", "negative"}
)
_NUMBERS = frozenset(
    {"1", "8", "24", "32", "256"}
)  # bits, levels; "16 Million Colors" is known by its million
MODE_WORDS = frozenset(
    {
        *frozenset().union(*_MODES.values()),
        *words("and bit bits fast level levels line million true w white"),
    }
)
"""Every word of a mode that a client may write."""

MODE_SPELLINGS = ("color", "gray", "lineart", "Grayscale", "Black & White", "Monochrome", "Binary")
"""What a misspelt mode is compared with."""


def mode_kind(name: str) -> str | None:
    """The value of `mode` that a driver's mode is: "color", "gray" or "lineart"; None for any other.

    Not ours are halftones and dithers, and every depth that python-sane cannot carry ("48 bits color").
    """
    spelt = words(name)
    if not _SPOILT.isdisjoint(spelt):
        return None
    for word, following in pairwise((*spelt, "")):
        if word.isdecimal() and word not in _NUMBERS and following != "million":
            return None
    kinds = [kind for kind, vocabulary in _MODES.items() if not vocabulary.isdisjoint(spelt)]
    return kinds[0] if len(kinds) == 1 else None  # "Color Lineart" is neither


def understood(text: str, vocabulary: frozenset[str]) -> bool:
    """Whether every word of a spelling is known; numbers are."""
    return all(word in vocabulary or word.isdecimal() for word in words(text))


# Options. Names are compared by `plain`, since epkowa writes adf_mode and Canon's own driver ScanMode.

SOURCE = ("source", "doc-source")
MODE = ("mode", "image-type")
BATCH = ("batch-scan",)  # hpaio: without it the feeder's end is not told
FEEDER_MODE = ("feeder-mode",)
SWITCHES = ("adf-mode", "scanmode", "duplex", "scan-both-sides", "adf-duplex", "duplex-mode", "double-sided")
RESOLUTION = ("resolution", "scan-resolution", "x-resolution", "y-resolution")  # old fujitsu: y apart
PAPER = ("paper-size", "page-format", "scan-area")  # must say "custom" before br-x means anything
JUSTIFICATION = ("adf-justification-x",)  # airscan
PAGE_WIDTH = ("page-width", "pagewidth")
PAGE_HEIGHT = ("page-height", "pageheight")
DEPTH = ("depth",)

ORDER = (
    *SOURCE, *MODE, *BATCH, *FEEDER_MODE, *SWITCHES, *RESOLUTION, *PAPER, *PAGE_WIDTH, *PAGE_HEIGHT,
    "tl-x", "tl-y", "br-x", "br-y", *DEPTH,
)  # fmt: skip
"""The order in which options are set: each may reset or bound those after it. fujitsu and canon_dr cut A4 to
Letter unless page-height comes before br-y."""

SHEETFED_SIGNS = frozenset(
    {*BATCH, *FEEDER_MODE, *PAGE_WIDTH, *PAGE_HEIGHT, *SWITCHES, "adf-auto-scan", "adf-wait", "page-loaded",
     "manual-feed", "manualfeed", "double-feed", "df-action", "dfdetect"}
)  # fmt: skip
"""Options that only a device with a feeder has: they vouch for one that has no source option."""


def plain(option_name: str) -> str:
    """An option's name for comparing: lower case, hyphens."""
    return option_name.casefold().replace("_", "-")


def is_continuous(value: str) -> bool:
    """Whether a `feeder-mode` pulls the whole stack: kvs20xx "continuous", matsushita "All pages"."""
    have = set(words(value))
    return "continuous" in have or {"all", "pages"} <= have


def is_free_size(value: str) -> bool:
    """Whether a paper size leaves the area to br-x and br-y: "user_def", "Custom", "Manual"."""
    return not {"user", "custom", "manual"}.isdisjoint(words(value))
