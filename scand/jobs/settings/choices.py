"""Which values a setting is likely to get, for whoever types one."""

from __future__ import annotations

from enum import Enum

from scand.jobs.settings.model import Settings
from scand.jobs.settings.paper import PAGE_SIZES

_USUAL = {
    "resolution": ["150", "200", "300", "400", "600"],
    "page_size": [*PAGE_SIZES],
    "rotate_back": ["0", "180"],
}


def choices(key: str) -> list[str]:
    """All values of a setting that has only some; the usual ones of others; none of an unknown key."""
    field = Settings.model_fields.get(key)
    if field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, Enum):
        return [str(member.value) for member in field.annotation]
    return _USUAL.get(key, [])
