"""What a job asks of the scanner: `scan_jobs.settings` (JSONB), on top of a profile of the config.

A key that is absent or null is taken from the profile, and then from the defaults. For `source` and `mode`, SANE's
own spellings are accepted, too. Nothing else is guessed: a misspelt "duplex" must never scan one side only, so an
unknown key or value is refused with `bad_settings`.

`resolve` turns what a client wrote into `model.Settings`; `values` and `paper` validate single values.
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
