"""Device options and settings become ordered assignments, or a refusal. Pure: the feeder does the setting.

Drivers reload their options whenever one is set, so nothing is planned beyond the next assignment:

    while (assignment := next_assignment(options, settings, applied)) is not None:
        ...  # set it, read all options again, append Applied(name, asked, read_back)
    negotiation = negotiated(options, settings, applied)

`device` is what a driver says of itself, `plan` what should be set next, `negotiation` what came of it; how
drivers spell things is in `scand.sane_words`.
"""

from scand.feeder.options.descriptors import Applied, Assignment, DeviceOption, OptionType, Range, Unit
from scand.feeder.options.negotiation import Negotiated, negotiated
from scand.feeder.options.plan import next_assignment

__all__ = [
    "Applied",
    "Assignment",
    "DeviceOption",
    "Negotiated",
    "OptionType",
    "Range",
    "Unit",
    "negotiated",
    "next_assignment",
]
