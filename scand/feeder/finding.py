"""Finds and opens the device, by its SANE name or by a pattern: USB names change whenever a cable is replugged."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass

import _sane

from scand.errors import BadData, Unavailable
from scand.faults import ErrorCode
from scand.feeder.device import Device, SaneError, SaneStatus


@dataclass(frozen=True, slots=True)
class Found:
    """One device of `sane_get_devices`."""

    name: str
    vendor: str
    model: str
    type: str


def devices() -> list[Found]:
    """Every device that libsane finds. This may take seconds; where a driver hangs, it never returns.

    Raises:
        SaneError: libsane cannot look for devices.
    """
    try:
        return [Found(*entry) for entry in _sane.get_devices()]
    except _sane.error as error:
        raise SaneError("Looking for scanners", str(error)) from error


def find(pattern: str) -> str:
    """The SANE name of the one device that fits a pattern.

    Args:
        pattern: a SANE name; or a shell pattern for, or a part of, the SANE name, the vendor, the model or
            "vendor model", in any case. Empty: the only device there is.

    Raises:
        Unavailable: none fits (`device_not_found`).
        BadData: several fit (`device_not_found`); the sentence lists them.
        SaneError: see `devices`.
    """
    all_found = devices()
    fitting = _fitting(all_found, pattern)
    if len(fitting) == 1:
        return fitting[0].name
    if fitting:
        raise BadData(
            f"Several scanners fit {pattern or 'scanner.device (which is empty)'}: {_listed(fitting)}. "
            "Name one of them in scanner.device.",
            ErrorCode.DEVICE_NOT_FOUND,
        )
    hint = "Is it switched on and plugged in? `scand devices` lists what is found."
    if _is_name(pattern) and all_found:
        hint = (
            "USB names change when a scanner is plugged in again: set scanner.device to its model, such as "
            f'"{_similar(all_found, pattern).model}", rather than to its name.'
        )
    raise Unavailable(
        f"No scanner {f'fits {pattern}' if pattern else 'is found'}; libsane sees: {_listed(all_found)}. {hint}",
        ErrorCode.DEVICE_NOT_FOUND,
    )


def _fitting(all_found: list[Found], pattern: str) -> list[Found]:
    """The devices with exactly that name; else those that match the pattern; else those that contain it."""
    wanted = pattern.casefold()
    if not wanted:
        return all_found
    named = [(found, [name.casefold() for name in _names(found)]) for found in all_found]
    return (
        [found for found, _ in named if found.name == pattern]
        or [found for found, names in named if any(fnmatch.fnmatchcase(name, wanted) for name in names)]
        or [found for found, names in named if any(wanted in name for name in names)]
    )


def _names(found: Found) -> tuple[str, ...]:
    return found.name, found.vendor, found.model, f"{found.vendor} {found.model}"


def _listed(devices: list[Found]) -> str:
    return ", ".join(f"{found.name} ({found.vendor} {found.model})" for found in devices) or "none"


def _similar(all_found: list[Found], name: str) -> Found:
    """The first device of the same driver; else the first of all."""
    driver = name.partition(":")[0]
    return next((found for found in all_found if found.name.partition(":")[0] == driver), all_found[0])


def _is_name(pattern: str) -> bool:
    """Whether this can be a SANE name ("backend:device") rather than a pattern.

    hpaio's names contain a question mark: "hpaio:/net/OfficeJet?ip=192.0.2.7".
    """
    return ":" in pattern and not re.search(r"[*[]|\?(?!\w+=)", pattern)


def is_there(pattern: str) -> str:
    """The SANE name of the device that fits a pattern: it is listed or, if not, can be opened.

    libsane opens names that it does not list, such as "net:host:name" of a host that net.conf does not name.

    Args:
        pattern: see `find`.

    Raises:
        SaneError: it is there, but busy, or access is denied.
        Unavailable, BadData: see `find`.
    """
    try:
        return find(pattern)
    except Unavailable:
        if (device := _open_name(pattern) if _is_name(pattern) else None) is None:
            raise
        with device:
            return device.name


def open_device(pattern: str, last: str = "") -> Device:
    """Open the device that fits a pattern.

    Args:
        pattern: see `find`.
        last: the SANE name that was opened for this pattern last. It is tried first, since a search may be slow.

    Raises:
        SaneError: the device is there, but cannot be opened (busy, access denied).
        Unavailable, BadData: see `find`.
    """
    name = pattern if _is_name(pattern) else last  # when a name is asked for, no other will do
    return (_open_name(name) if name else None) or Device(find(pattern))


def _open_name(name: str) -> Device | None:
    """Open the device of that name; None when it cannot be opened, and may be there under another name.

    Raises:
        SaneError: the device is there, but busy or denied; looking for another would only hide that.
    """
    try:
        return Device(name)
    except SaneError as error:
        if error.status in {SaneStatus.DEVICE_BUSY, SaneStatus.ACCESS_DENIED}:
            raise
        return None
