"""How drivers' spellings of sources, sides and modes are understood."""

from __future__ import annotations

import pytest

from scand.sane_words import SourceKind, mode_kind, side_kind, source_kind, turns_over


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ADF Duplex", SourceKind.DUPLEX),
        ("Duplex", SourceKind.DUPLEX),
        ("Duplex ADF", SourceKind.DUPLEX),
        ("Automatic Document Feeder(left aligned,Duplex)", SourceKind.DUPLEX),
        ("2-sided (Binding Top)", SourceKind.DUPLEX),
        ("ADF Both Sides", SourceKind.DUPLEX),
        ("1-sided", SourceKind.FRONT),
        ("Front Side ADF", SourceKind.FRONT),
        ("ADF Simplex", SourceKind.FRONT),
        ("ADF Back", SourceKind.BACK),
        ("adf", SourceKind.FEEDER),
        ("Document Feeder", SourceKind.FEEDER),
        ("FlatBed", SourceKind.FLATBED),
        ("Normal", SourceKind.FLATBED),
        ("Document Table", SourceKind.FLATBED),
        ("fb", SourceKind.FLATBED),
        ("Card Duplex", SourceKind.OTHER),
        ("Transparency Unit", SourceKind.OTHER),
        ("Auto", SourceKind.OTHER),
        ("Manual Feed Tray", SourceKind.OTHER),
    ],
)
def test_source_names(name: str, kind: SourceKind) -> None:
    """Each driver's name for a source is classified."""
    assert source_kind(name) is kind


def test_side_names_and_bindings() -> None:
    """The values of a switch are classified, and the binding that turns backs over is known."""
    assert [side_kind(name) for name in ("Duplex", "Simplex", "On", "Off", "both", "Folio")] == [
        SourceKind.DUPLEX,
        SourceKind.FRONT,
        SourceKind.DUPLEX,
        SourceKind.FRONT,
        SourceKind.DUPLEX,
        None,
    ]
    assert turns_over("ADF Duplex - Short-Edge Binding")
    assert not turns_over("2-sided (Binding Left/Right)")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "color",
            "Color|color|24bit Color[Fast]|24-bit Color|24 bit Color|Color - 16 Million Colors|Color24|RGB",
        ),
        ("gray", "Gray|Grayscale|True Gray|256-level Gray|8-bit Grayscale|Grayscale - 256 Levels|Gray8|grey"),
        (
            "lineart",
            "Lineart|LineArt|Binary|Monochrome|Black & White|Black and White - Line Art|bw|B/W|1-bit B&W",
        ),
        (
            None,
            (
                "Gray[Error Diffusion]|Error Diffusion|Halftone|Black and White - Halftone|Dithered|12bit Gray|"
                "16bit Color|48 bits color|Color (48 bits)|Gray16|auto|Infrared|Color Lineart|Text Enhanced|"
            ),
        ),
    ],
)
def test_mode_names(kind: str | None, names: str) -> None:
    """Each driver's name for a mode is classified; halftones, depths that cannot be carried, and "" are None."""
    assert {name: mode_kind(name) for name in names.split("|")} == dict.fromkeys(names.split("|"), kind)
