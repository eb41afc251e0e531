"""Which device is opened: by name, by pattern, or the last one; with the real libsane and a misbehaving driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scand.spool.records import End
from tests.support.rude import OTHER, Rude

if TYPE_CHECKING:
    from tests.support.feeder import Feeder

PATTERNS = (
    "",
    "rude:usb:001",
    "rude:*",
    "RUDE:USB:*",
    "fi-7160",
    "FI-71*",
    "Rude",
    "rude fi-7160",
    "Rude fi-*",
    "7160",
)


def test_the_device_is_found_by_name_vendor_and_model(rude: Rude, feeder: Feeder) -> None:
    """Patterns work with and without wildcards, in any case; the device stays open for the next batch."""
    for count, pattern in enumerate(PATTERNS, 1):
        for batch in (feeder.scan(pattern), feeder.scan(pattern)):
            assert batch.opened is not None, (pattern, batch.end)
            assert batch.opened.device == "rude:usb:001"
        assert len(rude.calls("open")) == count


def test_the_last_good_name_is_tried_first_and_found_again_after_a_replug(rude: Rude, feeder: Feeder) -> None:
    """Since a search is slow, it is made once, and again when the last name no longer works."""
    batch = feeder.scan("fi-7160")
    assert batch.opened is not None
    assert len(rude.calls("get_devices")) == 1
    feeder.close()
    assert feeder.scan("fi-7160", last=batch.opened.device).end == End()
    assert len(rude.calls("get_devices")) == 1
    feeder.close()
    rude.behave(scanners=(OTHER, "device usb:002 fi-7160"))
    batch = feeder.scan("fi-7160", last=batch.opened.device)
    assert batch.opened is not None
    assert batch.opened.device == "rude:usb:002"
    assert len(rude.calls("get_devices")) == 2


def test_another_device_than_the_named_one_is_never_opened(rude: Rude, feeder: Feeder) -> None:
    """When a device is named, neither the last one nor the one that is open is used instead."""
    rude.behave(scanners=("device usb:001 fi-7160", OTHER))
    for device in ("rude:usb:009", "rude:usb:001", "iX500"):
        batch = feeder.scan(device, last="rude:usb:001" if ":" in device else "")
        assert batch.end == End()
    assert rude.calls("open") == ["usb:009", "usb:001", "usb:009"]


def test_a_name_with_a_question_mark_is_a_name(rude: Rude, feeder: Feeder) -> None:
    """Like hpaio's names, also of devices that are not listed: it is opened without a search, and no other is."""
    rude.behave(scanners=("device usb?serial=7 fi-7160", "device usb-serial=7 fi-7160"))
    batch = feeder.scan("rude:usb?serial=7", last="rude:usb-serial=7")
    assert batch.opened is not None
    assert batch.opened.device == "rude:usb?serial=7"
    assert rude.calls("get_devices") == []


REFUSED = [
    (
        "fi-*",
        ("device usb:001 fi-7160", "device usb:002 fi-7300NX"),
        (
            "Several scanners fit fi-*",
            "rude:usb:001 (Rude fi-7160), rude:usb:002 (Rude fi-7300NX)",
            "Name one",
        ),
    ),
    ("", ("device usb:001 fi-7160", OTHER), ("which is empty", "rude:usb:009 (Rude ScanSnap iX500)")),
    (
        "rude:usb:001",
        (OTHER, "device usb:002 fi-7160"),
        (
            "No scanner fits rude:usb:001",
            "rude:usb:002 (Rude fi-7160)",
            "to its model",
            "rather than to its name",
        ),
    ),
    ("canon*", ("device usb:001 fi-7160",), ("No scanner fits canon*", "switched on", "rude:usb:001")),
    ("fi-7160", (), ("libsane sees: none", "switched on")),
]


@pytest.mark.parametrize(
    ("pattern", "scanners", "words"), REFUSED, ids=[pattern for pattern, _, _ in REFUSED]
)
def test_a_pattern_that_fits_no_device_or_several_is_refused_with_what_is_there(
    rude: Rude, feeder: Feeder, pattern: str, scanners: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """The code is device_not_found; the sentence lists the devices and says what to do."""
    rude.behave(scanners=scanners)
    end = feeder.scan(pattern).end
    assert end.code == "device_not_found"
    for word in words:
        assert word in end.detail


def test_a_busy_device_is_not_looked_for_elsewhere(rude: Rude, feeder: Feeder) -> None:
    """A device that is busy or denies access is not searched for: that would only hide the reason."""
    for status, code in ((3, "device_busy"), (11, "access_denied")):
        rude.behave(f"open {status}")
        assert feeder.scan("fi-7160", last="rude:usb:001").end.code == code
        assert feeder.scan("rude:usb:001").end.code == code
    assert rude.calls("get_devices") == []
