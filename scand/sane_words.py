"""How SANE drivers spell sources, modes and options: the tables, and how to classify a spelling.

Drivers share no vocabulary: what one calls "ADF Duplex" is "Automatic Document Feeder(left aligned,Duplex)" in
Brother's driver and "Duplex" in HP's. A spelling is split into words, and the words are looked up. Sources: the
backends' man pages and option lists, the issue trackers of simple-scan and gscan2pdf; the oddest spellings are
named beside their entries.
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
    """Where a source takes the paper from, and which sides it scans."""

    FLATBED = auto()
    FEEDER = auto()  # an ADF whose sides are set by another option, or that scans one side only
    FRONT = auto()
    BACK = auto()
    DUPLEX = auto()
    OTHER = auto()  # film, cards, "Auto": not reliably a stack of paper


_OTHER = frozenset({"card", "transparency", "negative", "positive", "slide", "film", "tpu", "tma", "xpa"})
_DUPLEX = frozenset({"duplex", "both"})
_BACK = frozenset({"back", "rear"})
_FRONT = frozenset({"front", "simplex"})
_FEEDER = frozenset({"adf", "feeder", "sheetfed"})
_FLATBED = frozenset({"flatbed", "platen", "glass", "table", "normal", "fb"})  # avision: Normal; kvs1025: fb
_NEUTRAL = frozenset(
    words(
        "a automatic aligned binding bottom center centered central centrally centre document edge left long "
        "right scanner sheet short side sided sides single the top double one two"
    )
)
SOURCE_WORDS = _DUPLEX | _BACK | _FRONT | _FEEDER | _FLATBED | _NEUTRAL
"""Every word that a client may use in a source; an unknown word may be a misspelt "duplex"."""

SOURCE_SPELLINGS = ("adf", "flatbed", "ADF Duplex", "ADF Front", "Automatic Document Feeder")
"""What a misspelt source is compared with."""


def source_kind(name: str) -> SourceKind:
    """Classify a driver's source. Duplex is tested before ADF, since names of duplex sources contain both."""
    have = frozenset(words(name))
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
    """Whether a duplex source delivers back sides upside-down: its binding is at the top, or the short edge."""
    return not {"top", "short"}.isdisjoint(words(name))


def side_kind(name: str) -> SourceKind | None:
    """Classify the value of a duplex switch: DUPLEX, FRONT (one side), or None for neither."""
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
_UNWANTED = frozenset(
    {"error", "diffusion", "halftone", "dither", "dithered", "infrared", "auto", "automatic", "negative"}
)
_DEPTHS = frozenset({"1", "8", "24", "32", "256"})  # bits, levels; "16 Million Colors" has its million
MODE_WORDS = frozenset(
    {
        *frozenset().union(*_MODES.values()),
        *words("and bit bits fast level levels line million true w white"),
    }
)
"""Every word that a client may use in a mode."""

MODE_SPELLINGS = ("color", "gray", "lineart", "Grayscale", "Black & White", "Monochrome", "Binary")
"""What a misspelt mode is compared with."""


def mode_kind(name: str) -> str | None:
    """Classify a driver's mode: "color", "gray" or "lineart", as the setting `mode` has it; None for any other.

    None also for halftones and dithers, and for every depth that python-sane cannot carry ("48 bits color").
    """
    have = words(name)
    if not _UNWANTED.isdisjoint(have):
        return None
    for word, following in pairwise((*have, "")):
        if word.isdecimal() and word not in _DEPTHS and following != "million":
            return None
    kinds = [kind for kind, vocabulary in _MODES.items() if not vocabulary.isdisjoint(have)]
    return kinds[0] if len(kinds) == 1 else None  # "Color Lineart" is neither


def understood(text: str, vocabulary: frozenset[str]) -> bool:
    """Whether every word of a spelling is in the vocabulary; numbers always are."""
    return all(word in vocabulary or word.isdecimal() for word in words(text))


# Options. Names are compared after `plain`, since epkowa writes adf_mode, and Canon's own driver ScanMode.

SOURCE = ("source", "doc-source")
MODE = ("mode", "image-type")
BATCH = ("batch-scan",)  # hpaio: without it the driver does not report that the feeder is empty
FEEDER_MODE = ("feeder-mode",)
SWITCHES = ("adf-mode", "scanmode", "duplex", "scan-both-sides", "adf-duplex", "duplex-mode", "double-sided")
RESOLUTION = ("resolution", "scan-resolution", "x-resolution", "y-resolution")  # old fujitsu: y separately
PAPER = ("paper-size", "page-format", "scan-area")  # must be "custom" for br-x to have an effect
JUSTIFICATION = ("adf-justification-x",)  # airscan
PAGE_WIDTH = ("page-width", "pagewidth")
PAGE_HEIGHT = ("page-height", "pageheight")
DEPTH = ("depth",)

ORDER = (
    *SOURCE, *MODE, *BATCH, *FEEDER_MODE, *SWITCHES, *RESOLUTION, *PAPER, *PAGE_WIDTH, *PAGE_HEIGHT,
    "tl-x", "tl-y", "br-x", "br-y", *DEPTH,
)  # fmt: skip
"""The order in which options are set: each may reset or limit those after it. fujitsu and canon_dr cut A4 to
Letter unless page-height is set before br-y."""

SHEETFED_SIGNS = frozenset(
    {*BATCH, *FEEDER_MODE, *PAGE_WIDTH, *PAGE_HEIGHT, *SWITCHES, "adf-auto-scan", "adf-wait", "page-loaded",
     "manual-feed", "manualfeed", "double-feed", "df-action", "dfdetect"}
)  # fmt: skip
"""Options that only devices with a feeder have: the sign of a feeder where there is no source option."""


def plain(option_name: str) -> str:
    """An option's name as it is compared: in lower case, with hyphens."""
    return option_name.casefold().replace("_", "-")


def is_continuous(value: str) -> bool:
    """Whether a value of `feeder-mode` feeds the whole stack: kvs20xx "continuous", matsushita "All pages"."""
    have = set(words(value))
    return "continuous" in have or {"all", "pages"} <= have


def is_free_size(value: str) -> bool:
    """Whether a paper size lets br-x and br-y set the area: "user_def", "Custom", "Manual"."""
    return not {"user", "custom", "manual"}.isdisjoint(words(value))
