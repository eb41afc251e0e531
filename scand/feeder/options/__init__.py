"""From settings and a device's options: which option to set next, or a refusal. Pure; `batch` does the setting.

Drivers change other options whenever one is set, so nothing is planned beyond the next assignment:

    while (assignment := next_assignment(options, settings, applied)) is not None:
        ...  # set it, read all options again, append Applied(name, asked, read_back)
    negotiation = negotiated(options, settings, applied)

`descriptors` is what a driver says of its options. `plan` says what to set next: first the options of `source`,
`picture` and `area`, then those of the `client`. `negotiation` is what the device is set to in the end, and
`refusal` the sentence when it cannot do what is asked for. How drivers spell things is in `scand.sane_words`.
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
