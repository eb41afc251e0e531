"""Turns what a client wrote into settings, on top of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.settings.model import Settings, Sides, Source
from scand.jobs.settings.values import folded
from scand.sane_words import MODE_WORDS, SOURCE_WORDS, SourceKind, mode_kind, source_kind, understood
from scand.wording import MOST, Complaint, complaints, either, meant, shown, together

if TYPE_CHECKING:
    from collections.abc import Sequence


class BadSettings(BadData):
    """Settings that nobody can scan with.

    Attributes:
        complaints: what is wrong, a key each; `sentence` has the first few.

    Args:
        count: how many there are in all, where that is more.
        hint: what the sentence ends with, where: what it begins with.
    """

    def __init__(
        self, complaints: Sequence[Complaint], count: int = 0, hint: str = "", where: str = ""
    ) -> None:
        super().__init__(f"{where}{together(complaints, count)}{hint}.", ErrorCode.BAD_SETTINGS)
        self.complaints = tuple(complaints)


def resolve(
    raw: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]], most: int | None = MOST
) -> Settings:
    """What a job asks for, on top of its profile.

    Args:
        raw: `scan_jobs.settings`. null is absent; keys that begin with `x_` are the client's own.
        profiles: the config's, by name; "default" is there without being written.
        most: complaints to make at most: a client may have written a million keys. None: all.

    Raises:
        BadSettings: `bad_settings`, with every key that is wrong, what it says and what it must be.
    """
    asked = _plain(raw, "settings")
    profile = _profile(asked.get("profile", "default"), profiles)
    return _complete({**_inherited(asked, profile), **asked}, most)


def _profile(name: object, profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not isinstance(name, str) or (name not in profiles and name != "default"):
        known = sorted({"default", *profiles})
        raise _bad("profile", f"is {shown(name)}, but must be {either(known[:9])}{meant(name, known)}")
    profile = _plain(profiles.get(name, {}), f"profile {shown(name)}")
    if "profile" in profile:
        reason = "cannot be named by a profile: write out the settings of the other one"
        raise _bad("profile", reason, f"profile {shown(name)}: ")
    return profile


def _plain(layer: object, where: str) -> dict[str, Any]:
    """The settings or a profile, with scand's spellings for SANE's, without nulls and without `x_` keys."""
    if not isinstance(layer, Mapping):
        raise BadSettings([], where=f"{where} must be an object, not {shown(layer)}")
    plain = {
        key: value for key, value in layer.items() if value is not None and not str(key).startswith("x_")
    }
    source, sides = plain.get("source"), folded(plain.get("sides"))
    if isinstance(source, str) and understood(source, SOURCE_WORDS):
        found = _SOURCES.get(source_kind(source))
        if found is not None:
            plain["source"], said = found
            if said and sides is None:
                plain["sides"] = said
            elif said and sides != said and (sides, said) != (Sides.MANUAL_DUPLEX, Sides.SIMPLEX):
                reason = f"{shown(source)} and sides {shown(sides)} contradict each other"
                raise _bad("source", reason, f"{where}: ")
    mode = plain.get("mode")
    if isinstance(mode, str) and understood(mode, MODE_WORDS):
        plain["mode"] = mode_kind(mode) or mode
    return plain


_SOURCES: dict[SourceKind, tuple[Source, Sides | None]] = {
    SourceKind.FLATBED: (Source.FLATBED, None),
    SourceKind.FEEDER: (Source.ADF, None),
    SourceKind.FRONT: (Source.ADF, Sides.SIMPLEX),
    SourceKind.DUPLEX: (Source.ADF, Sides.DUPLEX),
}
"""What a source in SANE's spelling means for `source` and for `sides`."""


def _inherited(asked: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile; without its sides if the job names another source, since they were meant for the profile's."""
    source = profile.get("source", Source.ADF)
    other = asked.get("source", source) != source
    return {key: value for key, value in profile.items() if not (other and key == "sides")}


def _complete(merged: dict[str, Any], most: int | None) -> Settings:
    if folded(merged.get("source")) == Source.FLATBED:
        merged.setdefault("sides", Sides.SIMPLEX)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        hint = "" if merged.keys() <= Settings.model_fields.keys() else '; SANE options go into "options"'
        found = complaints(error, Settings, "a setting", most)
        raise BadSettings(found, error.error_count(), hint) from None
    if (settings.source, settings.sides) == (Source.FLATBED, Sides.DUPLEX):
        raise _bad("sides", 'is "duplex", but a flatbed has one side: it must be "simplex", or source "adf"')
    return settings


def _bad(key: str, reason: str, where: str = "") -> BadSettings:
    return BadSettings([Complaint((key,), reason)], where=where)
