"""A title becomes a file name on any file system, whatever the title."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scand.courier.file_names import safe_name

# Any code point at all, lone surrogates included, and often those that make trouble.
TITLES = st.text(
    st.characters() | st.sampled_from('/\\:*?"<>|. \t\n\0\u202e\u200b\ufeff\ud800e\u0301👩\u200d🏽')
)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rechnung 12/2024", "Rechnung 12-2024.pdf"),
        ('"Größe" <neu>: was?', "'Größe' (neu)- was.pdf"),
        ("../../etc/passwd", "-..-etc-passwd.pdf"),
        (".hidden", "hidden.pdf"),
        ("Ende ... ", "Ende.pdf"),
        ("zwei\r\nZeilen\tund  mehr", "zwei Zeilen und mehr.pdf"),
        ("", "Scan.pdf"),
        (" . \0\u202e", "Scan.pdf"),
        ("con", "_con.pdf"),
        ("Aux .2024", "_Aux .2024.pdf"),
        ("lpt¹", "_lpt¹.pdf"),
        ("console", "console.pdf"),
        ("letter.PDF", "letter.pdf"),
        ("fdp.\u202egnp", "fdp.gnp.pdf"),
        ("zero\u200bwidth\ufeff", "zerowidth.pdf"),
        ("lone \ud800 surrogate", "lone surrogate.pdf"),
        ("e\u0301te\u0301", "été.pdf"),
        ("क्\u200dष", "क्\u200dष.pdf"),
        ("日本語の請求書", "日本語の請求書.pdf"),
    ],
)
def test_what_titles_become(title: str, name: str) -> None:
    """Trouble is taken out or replaced by something similar, and every script stays as it is."""
    assert safe_name(title) == name


@given(TITLES, st.sampled_from(["", " (2)", " (job 42) (17)"]), st.sampled_from([255, 143]))
def test_every_name_is_safe(title: str, extra: str, limit: int) -> None:
    """For any title the name fits, is NFC, is not hidden, and holds nothing that a file system reserves."""
    name = safe_name(title, extra=extra, limit=limit)
    stem = name.removesuffix(f"{extra}.pdf")
    assert stem
    assert name == stem + extra + ".pdf"
    assert len(name.encode()) <= limit
    assert unicodedata.is_normalized("NFC", name)
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
    assert stem.strip() == stem == " ".join(stem.split())
    assert not stem.startswith(".")
    assert not stem.endswith(".")
    assert stem.split(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(TITLES)
def test_a_safe_name_stays(title: str) -> None:
    """A name that is safe already is not changed any more, so a title taken from a file name is stable."""
    once = safe_name(title)
    assert safe_name(once) == once


@given(st.text(st.sampled_from("aä日😀\u0301\u200d👩"), min_size=60), st.integers(40, 143))
def test_a_long_title_is_cut_between_characters(title: str, limit: int) -> None:
    """What is cut off begins with a character of its own, not with an accent or a joiner of the last kept."""
    whole = safe_name(title, limit=10_000).removesuffix(".pdf")
    kept = safe_name(title, limit=limit).removesuffix(".pdf")
    assert whole.startswith(kept)
    rest = whole[len(kept) :]
    if rest and any(character not in "\u0301\u200d" for character in kept[1:]):
        assert rest[0] not in "\u0301\u200d"
        assert not kept.endswith("\u200d")


def test_a_letter_with_endless_accents_is_cut_all_the_same() -> None:
    """One letter under three hundred accents has no good place to cut, and still becomes a name that fits."""
    name = safe_name("q" + "\u0301" * 300)
    assert name.startswith("q\u0301")
    assert 250 < len(name.encode()) <= 255
