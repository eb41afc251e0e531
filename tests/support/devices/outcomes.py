"""For each device: what is set for a duplex, colour, 300 dpi, A4 job, and for a simplex, gray, 200 dpi, A4 one.

A list has the options that are set, in order; a string is the beginning of the refusal. An option that is missing
from a list was right already, or cannot be set.
"""

from __future__ import annotations

from typing import Any

Outcome = list[tuple[str, Any]] | str

OUTCOMES: dict[str, tuple[Outcome, Outcome]] = {
    "plustek flatbed": (
        "Asked to feed a stack, but there is no document feeder",
        "Asked to feed a stack, but there is no document feeder",
    ),
    "epson2 flatbed, source inactive": (
        "Asked to feed a stack, but there is no document feeder",
        "Asked to feed a stack, but there is no document feeder",
    ),
    "xerox_mfp": (
        "Asked for both sides, but the feeder scans one",
        [("source", "ADF"), ("mode", "Gray"), ("resolution", 200), ("br-x", 210.0)],
    ),
    "Canon pixma MFP": (
        "Asked for both sides, but the feeder scans one",
        [
            ("source", "Automatic Document Feeder"),
            ("mode", "Gray"),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "Brother MFP, brother4": (
        [
            ("source", "Automatic Document Feeder(left aligned,Duplex)"),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("mode", "True Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Fujitsu epjitsu": (
        [("source", "ADF Duplex"), ("mode", "Color"), ("page-width", 210.0), ("page-height", 297.0)],
        [("mode", "Gray"), ("resolution", 200), ("page-width", 210.0), ("page-height", 297.0)],
    ),
    "Fujitsu fi-7260, source ADF Front": (
        [
            ("source", "ADF Duplex"),
            ("mode", "Color"),
            ("resolution", 300),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
        [
            ("mode", "Gray"),
            ("resolution", 200),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
    ),
    "Fujitsu fi-7260, source Flatbed": (
        [
            ("source", "ADF Duplex"),
            ("mode", "Color"),
            ("resolution", 300),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
        [
            ("source", "ADF Front"),
            ("mode", "Gray"),
            ("resolution", 200),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
    ),
    "HP PSC 1600": (
        "Asked to feed a stack, but there is no document feeder",
        "Asked to feed a stack, but there is no document feeder",
    ),
    "Brother MFC-8860DN": (
        [
            ("source", "Automatic Document Feeder(Duplex)"),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("mode", "True Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Epson GT-2500": (
        [
            ("source", "Automatic Document Feeder"),
            ("mode", "Color"),
            ("adf_mode", "Duplex"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [
            ("source", "Automatic Document Feeder"),
            ("mode", "Gray"),
            ("resolution", 200),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "HP Officejet 6200": (
        [
            ("source", "ADF"),
            ("batch-scan", True),
            ("duplex", True),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [
            ("source", "ADF"),
            ("mode", "Grayscale"),
            ("batch-scan", True),
            ("resolution", 200),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "HP ScanJet 5300c": (
        "Asked for both sides, but the feeder scans one",
        [("source", "ADF"), ("mode", "Gray"), ("resolution", 200), ("br-x", 210.0)],
    ),
    "Fujitsu ScanSnap S510": (
        [
            ("source", "ADF Duplex"),
            ("mode", "Color"),
            ("resolution", 300),
            ("y-resolution", 300),
            ("pagewidth", 210.0),
            ("pageheight", 297.0),
            ("br-y", 296.99),
        ],
        [
            ("mode", "Gray"),
            ("resolution", 200),
            ("y-resolution", 200),
            ("pagewidth", 210.0),
            ("pageheight", 297.0),
            ("br-y", 296.99),
        ],
    ),
    "HP LaserJet 3020": (
        "Asked for both sides, but the feeder scans one",
        [
            ("source", "ADF"),
            ("mode", "Gray"),
            ("batch-scan", True),
            ("resolution", 200),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "SANE test backend": (
        "Asked for both sides, but the feeder scans one",
        [
            ("source", "Automatic Document Feeder"),
            ("resolution", 200),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-x", 200.0),
            ("br-y", 200.0),
        ],
    ),
    "Canon P-215": (
        [
            ("source", "ADF Duplex"),
            ("mode", "Color"),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
        [
            ("mode", "Gray"),
            ("resolution", 200),
            ("page-width", 210.0),
            ("page-height", 297.0),
            ("br-y", 296.99),
        ],
    ),
    "Epson ES-580W, epsonds": (
        [("source", "ADF Duplex"), ("mode", "Color"), ("br-x", 210.0), ("br-y", 297.0)],
        [("mode", "Gray"), ("resolution", 200), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Brother DS-740D, brother5": (
        [
            ("source", "Automatic Document Feeder(left aligned,Duplex)"),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("mode", "True Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Panasonic kvs20xx": (
        [
            ("mode", "Color"),
            ("feeder-mode", "continuous"),
            ("duplex", True),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("mode", "Gray"), ("feeder-mode", "continuous"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Samsung smfp": (
        "Asked for both sides, but the feeder scans one",
        [("source", "ADF"), ("mode", "Grayscale - 256 Levels"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Epson GT-S50, epson2, adf-mode": (
        [
            ("source", "Automatic Document Feeder"),
            ("mode", "Color"),
            ("adf-mode", "Duplex"),
            ("resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [
            ("source", "Automatic Document Feeder"),
            ("mode", "Gray"),
            ("resolution", 200),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "Lexmark CX310dn": (
        [
            ("source", "ADF"),
            ("mode", "24-bit Color"),
            ("scan-both-sides", True),
            ("scan-resolution", 300),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("source", "ADF"), ("scan-resolution", 200), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Canon DR-C240, canondr": (
        [
            ("mode", "24-bit Color"),
            ("ScanMode", "Duplex"),
            ("resolution", "300dpi"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [("mode", "256-level Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "HP Officejet 8720, hpaio": (
        [("source", "Duplex"), ("batch-scan", True), ("resolution", 300), ("br-x", 210.0), ("br-y", 297.0)],
        [
            ("source", "ADF"),
            ("mode", "Gray"),
            ("batch-scan", True),
            ("resolution", 200),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "Konica Minolta MFP": (
        [("source", "2-sided (Binding Left/Right)"), ("br-x", 210.0), ("br-y", 297.0)],
        [("source", "1-sided"), ("mode", "Grayscale"), ("resolution", 200), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "Samsung SCX, smfp, binding": (
        [
            ("doc-source", "ADF Duplex - Long-Edge Binding"),
            ("mode", "Color - 16 Million Colors"),
            ("page-format", "Custom"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [
            ("doc-source", "ADF Simplex"),
            ("mode", "Grayscale - 256 Levels"),
            ("resolution", 200),
            ("page-format", "Custom"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "Panasonic kvs1025": (
        [
            ("mode", "color"),
            ("feeder-mode", "continuous"),
            ("duplex", True),
            ("resolution", 300),
            ("paper-size", "user_def"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
        [
            ("mode", "gray"),
            ("feeder-mode", "continuous"),
            ("paper-size", "user_def"),
            ("br-x", 210.0),
            ("br-y", 297.0),
        ],
    ),
    "Epson ET-3760, utsushi flatbed": (
        "Asked to feed a stack, but there is no document feeder",
        "Asked to feed a stack, but there is no document feeder",
    ),
    "Brother DS-720D": (
        [("source", "Duplex ADF"), ("resolution", 300), ("br-x", 210.0), ("br-y", 297.0)],
        [("mode", "Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "airscan MFP, ADF Duplex": (
        [("source", "ADF Duplex"), ("br-x", 210.0), ("br-y", 297.0)],
        [("source", "ADF"), ("mode", "Gray"), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "HP ScanJet 7650, hp5590": (
        [("source", "ADF Duplex"), ("mode", "Color"), ("resolution", 300), ("br-x", 210.0), ("br-y", 297.0)],
        [("source", "ADF"), ("mode", "Gray"), ("resolution", 200), ("br-x", 210.0), ("br-y", 297.0)],
    ),
    "A scanner that counts pixels": (
        [("source", "ADF Duplex"), ("resolution", 300), ("br-x", 2480), ("br-y", 3508)],
        [("mode", "Gray"), ("resolution", 300), ("br-x", 2480), ("br-y", 3508)],
    ),
    "A deep scanner": (
        "Asked for 8 bits a sample, but depth offers 12, 16.",
        'Asked for one side, but source offers "ADF Duplex"',
    ),
    "Dell MFP 1600n, no options at all": (
        "Asked to feed a stack, but this scanner has no source option",
        "Asked to feed a stack, but this scanner has no source option",
    ),
}
