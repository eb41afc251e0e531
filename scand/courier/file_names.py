"""A title → a file name that every file system takes. No title is refused for its script or its length."""

from __future__ import annotations

import unicodedata

_LIKE = str.maketrans(
    {"/": "-", "\\": "-", ":": "-", "|": "-", '"': "'", "<": "(", ">": ")", "?": "", "*": ""}
)
"""What Windows and SMB reserve, as something similar (Microsoft: "Naming Files, Paths, and Namespaces")."""

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)
"""Names of devices on Windows, whatever follows after a dot."""

_UNSEEN = frozenset(
    {0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF}
    | set(range(0x202A, 0x202F))  # embeddings and overrides: "fdp.exe" that reads "exe.pdf"
    | set(range(0x2060, 0x2070))
    | set(range(0xFFF9, 0xFFFC))
    | set(range(0xE0000, 0xE0080))
)
"""Direction marks and zero-width characters: two names must not look the same. The two joiners, U+200C and
U+200D, stay: Persian, the scripts of India and emoji are spelt with them."""

_JOINER = "\u200d"

_ENCRYPTED = 143
"""Bytes of a name on eCryptfs, whatever the server announces."""

_SHORT = 64
"""Bytes that every server takes."""


def safe_name(title: str, *, suffix: str = ".pdf", extra: str = "", limit: int = 255) -> str:
    """The file name for a title: the title as far as can be, then `extra`, then `suffix`.

    In NFC, without control characters, surrogates, direction marks, leading dots or trailing dots and spaces;
    reserved characters become similar ones, white space becomes single spaces, and the name of a Windows
    device gets a "_" in front. A `suffix` that the title has already is not doubled. What is too long is cut
    between characters, with the accents and joiners that belong to them. Nothing left: "Scan".

    Args:
        title: any text.
        suffix: with its dot.
        extra: what tells it from another of the same title, " (2)".
        limit: bytes of UTF-8, suffix and extra included: 255 on nearly every file system, 143 on eCryptfs
            (Synology's encrypted shares).
    """
    name = "".join(character for character in title.translate(_LIKE) if _is_seen(character))
    name = _trimmed(" ".join(unicodedata.normalize("NFC", name).split()))
    if suffix and name.lower().endswith(suffix.lower()):
        name = _trimmed(name[: -len(suffix)])
    if name.split(".")[0].rstrip().lower() in _RESERVED:
        name = f"_{name}"
    name = _trimmed(_cut(name, limit - len((extra + suffix).encode())))
    return f"{name or 'Scan'}{extra}{suffix}"


def acceptable_names(title: str, job_id: int, *, extra: str = "", limit: int = 255) -> tuple[str, ...]:
    """File names for a title, each of which is taken by more servers than the one before.

    The name as `safe_name` makes it; cut to what encrypted shares take; in ASCII; and one that has nothing of the
    title.

    Args:
        title: any text.
        job_id: `scan_jobs.id`.
        extra: what tells it from another of the same title, " (2)".
        limit: bytes that the file system announces.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", errors="ignore").decode()
    names = (
        safe_name(title, extra=extra, limit=limit),
        safe_name(title, extra=extra, limit=min(limit, _ENCRYPTED)),
        safe_name(plain, extra=extra, limit=min(limit, _SHORT)),
        safe_name(f"scan {job_id}", extra=extra, limit=limit),
    )
    return tuple(dict.fromkeys(names))


def _is_seen(character: str) -> bool:
    if character.isspace():  # some control characters are: they become spaces
        return True
    return unicodedata.category(character) not in {"Cc", "Cs"} and ord(character) not in _UNSEEN


def _trimmed(name: str) -> str:
    """Without what hides a file (a leading dot) and what Windows drops (trailing dots and spaces)."""
    return name.lstrip(". ").rstrip(". ")


def _cut(name: str, limit: int) -> str:
    """As much of it as fits into `limit` bytes of UTF-8, not ending within a character and its accents."""
    whole = name.encode()
    if len(whole) <= limit:
        return name
    fitting = whole[:limit].decode(errors="ignore")
    end = len(fitting)
    while end and _continues(name, end):
        end -= 1
    return name[: end or len(fitting)]  # one letter under 250 accents is cut among them


def _continues(name: str, index: int) -> bool:
    """Whether the character at `index` belongs to the one before it."""
    return (
        unicodedata.category(name[index]).startswith("M")
        or _JOINER in name[index - 1 : index + 1]
        or 0x1F3FB <= ord(name[index]) <= 0x1F3FF  # skin tones
    )
