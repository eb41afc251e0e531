"""Finding the device: by its SANE name, or by a pattern, since USB names change at each replug."""

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
    """A line of `sane_get_devices`."""

    name: str
    vendor: str
    model: str
    type: str


def devices() -> list[Found]:
    """Every device that libsane finds; may take seconds, and forever where a driver hangs.

    Raises:
        SaneError: it cannot look.
    """
    try:
        return [Found(*entry) for entry in _sane.get_devices()]
    except _sane.error as error:
        raise SaneError("Looking for scanners", str(error)) from error


def find(pattern: str) -> str:
    """The SANE name of the one device that fits.

    Args:
        pattern: a SANE name; or a shell pattern over, or a part of, the SANE name, the vendor, the model, or
            "vendor model", in any case; empty: the only one there is.

    Raises:
        Unavailable: none fits (`device_not_found`).
        BadData: several do; the sentence lists them (`device_not_found`).
        SaneError: see `devices`.
    """
    every = devices()
    fitting = _fitting(every, pattern)
    if len(fitting) == 1:
        return fitting[0].name
    if fitting:
        raise BadData(
            f"Several scanners fit {pattern or 'scanner.device (which is empty)'}: {_listed(fitting)}. "
            "Name one of them in scanner.device.",
            ErrorCode.DEVICE_NOT_FOUND,
        )
    mend = "Is it switched on and plugged in? `scand devices` lists what is found."
    if _is_name(pattern) and every:
        mend = (
            "USB names change when a scanner is plugged in again: set scanner.device to its model, such as "
            f'"{_namesake(every, pattern).model}", rather than to its name.'
        )
    raise Unavailable(
        f"No scanner {f'fits {pattern}' if pattern else 'is found'}; libsane sees: {_listed(every)}. {mend}",
        ErrorCode.DEVICE_NOT_FOUND,
    )


def _fitting(every: list[Found], pattern: str) -> list[Found]:
    """Those that are called so; else those that the pattern describes; else those it is a part of."""
    wanted = pattern.casefold()
    if not wanted:
        return every
    names = [(found, [name.casefold() for name in _names(found)]) for found in every]
    return (
        [found for found, _ in names if found.name == pattern]
        or [found for found, called in names if any(fnmatch.fnmatchcase(name, wanted) for name in called)]
        or [found for found, called in names if any(wanted in name for name in called)]
    )


def _names(found: Found) -> tuple[str, ...]:
    return found.name, found.vendor, found.model, f"{found.vendor} {found.model}"


def _listed(devices: list[Found]) -> str:
    return ", ".join(f"{found.name} ({found.vendor} {found.model})" for found in devices) or "none"


def _namesake(every: list[Found], name: str) -> Found:
    """The first device of the same driver, or the first of all."""
    driver = name.partition(":")[0]
    return next((found for found in every if found.name.partition(":")[0] == driver), every[0])


def _is_name(pattern: str) -> bool:
    """Whether it can be a SANE name ("backend:device") rather than a pattern.

    hpaio's names hold a question mark: "hpaio:/net/OfficeJet?ip=192.0.2.7".
    """
    return ":" in pattern and not re.search(r"[*[]|\?(?!\w+=)", pattern)


def is_there(pattern: str) -> str:
    """The SANE name of the device, if it is there: listed, or else opened for a moment.

    libsane opens names that it does not list, such as "net:host:name" of a host that net.conf does not name.

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
    """Open the device that fits.

    Args:
        pattern: see `find`.
        last: the SANE name that was good for this pattern last: tried first, since a search may be slow.

    Raises:
        SaneError: it is there, but cannot be opened (busy, access denied).
        Unavailable, BadData: see `find`.
    """
    name = pattern if _is_name(pattern) else last  # another name than the one that is asked for is never good
    return (_open_name(name) if name else None) or Device(find(pattern))


def _open_name(name: str) -> Device | None:
    """The device of that name; None when it cannot be opened, and may be there under another one.

    Raises:
        SaneError: it is there: looking for another would only hide that.
    """
    try:
        return Device(name)
    except SaneError as error:
        if error.status in {SaneStatus.DEVICE_BUSY, SaneStatus.ACCESS_DENIED}:
            raise
        return None
