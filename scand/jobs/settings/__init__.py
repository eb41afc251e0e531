"""What is asked of a scanner: `scan_jobs.settings` (JSONB), on top of a profile of the config.

A key that is absent, or null, is taken from the profile, and then from the defaults below. SANE's own
spellings are understood for `source` and `mode`. Nothing is guessed beyond that: a misspelt "duplex" must
never scan one side, so an unknown key or value is refused with `bad_settings`.
"""

from scand.jobs.settings.model import (
    Blank,
    Finish,
    Format,
    Mode,
    OnJam,
    OptionValue,
    Settings,
    Sides,
    Source,
    Trigger,
)
from scand.jobs.settings.paper import PAGE_SIZES, PageSize
from scand.jobs.settings.resolve import BadSettings, resolve
from scand.jobs.settings.values import below_root

__all__ = [
    "PAGE_SIZES",
    "BadSettings",
    "Blank",
    "Finish",
    "Format",
    "Mode",
    "OnJam",
    "OptionValue",
    "PageSize",
    "Settings",
    "Sides",
    "Source",
    "Trigger",
    "below_root",
    "resolve",
]
