"""What can go wrong, and when: the one place for the simulator's faults; pure.

A fault is written KIND@SHEET, or for one side of it KIND@SHEET:front or :back ("jam@3", "io@12:back"). Sheets
are counted from 1 over all stacks that were ever fed. It comes once, at the first side that fits.

    jam@K         JAMMED from start; the feeder stays jammed until it is reloaded
    cover@K       COVER_OPEN from start, until reloaded
    double@K      JAMMED from read, mid-page: two sheets went in at once; until reloaded
    io@K          IO_ERROR from read, mid-page
    empty-read@K  start is good, then NO_DOCS from read before any data; sheet K stays in the feeder (or there
                  is none: K may be one more than were fed)
    truncate@K    the image ends well, but has half of its lines
    hang@K        nothing comes any more, mid-page, until the client cancels or leaves
    cut@K         data and control connection are reset, mid-page: net.c's sane_read says IO_ERROR, and every
                  call after that works on replies that were never written (nonsense, or a crash)
    close@K       both are closed in good order, mid-page, as by a saned that died: net.c's sane_read then
                  returns GOOD without any data, for ever
    busy[@N]      DEVICE_BUSY from open, at the first N opens; without N at each
    denied[@N]    ACCESS_DENIED from open, likewise

After each of them but empty-read and truncate the sheet under way has left the feeder, and not every side of
it was delivered: the next reload puts it back first, as a person does who is told to feed again from that
sheet. A truncated sheet goes on to its other side; it is put back too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from scand.simulator.side import Side
from scand.simulator.standard import Status


class Moment(Enum):
    """When a fault shows."""

    OPEN = auto()
    START = auto()
    FIRST_READ = auto()
    MID_PAGE = auto()


class Ending(Enum):
    """How the data connection ends, where it does not end with a status."""

    HANG = auto()
    RESET = auto()
    CLOSE = auto()


@dataclass(frozen=True)
class Kind:
    """A kind of fault: when it shows, with what, and whether the feeder is `stuck` with it until reloaded."""

    moment: Moment
    ending: Status | Ending
    stuck: bool = False


KINDS: Final[dict[str, Kind]] = {
    "jam": Kind(Moment.START, Status.JAMMED, stuck=True),
    "cover": Kind(Moment.START, Status.COVER_OPEN, stuck=True),
    "double": Kind(Moment.MID_PAGE, Status.JAMMED, stuck=True),
    "io": Kind(Moment.MID_PAGE, Status.IO_ERROR),
    "empty-read": Kind(Moment.FIRST_READ, Status.NO_DOCS),
    "truncate": Kind(Moment.MID_PAGE, Status.EOF),
    "hang": Kind(Moment.MID_PAGE, Ending.HANG),
    "cut": Kind(Moment.MID_PAGE, Ending.RESET),
    "close": Kind(Moment.MID_PAGE, Ending.CLOSE),
    "busy": Kind(Moment.OPEN, Status.DEVICE_BUSY),
    "denied": Kind(Moment.OPEN, Status.ACCESS_DENIED),
}


@dataclass(frozen=True)
class Fault:
    """A fault to come: at sheet `count`, or at one `side` of it; at OPEN `count` times (None: always)."""

    kind: Kind
    count: int | None
    side: str | None = None


def parse_fault(spec: str) -> Fault:
    """Read a fault as it is written above; raises ValueError with a sentence."""
    name, at, place = spec.partition("@")
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(KINDS)}")
    number, colon, side = place.partition(":")
    if kind.moment is Moment.OPEN and not at:
        return Fault(kind, None)
    if not (number.isascii() and number.isdigit() and int(number) >= 1):
        raise ValueError(f"{spec!r} needs a number from 1 on after the @, as in {name}@3")
    if colon and (side not in {"front", "back"} or kind.moment is Moment.OPEN):
        raise ValueError(f"{spec!r}: only a sheet has sides, and they are called front and back")
    return Fault(kind, int(number), side or None)


class Faults:
    """The faults that have not fired yet."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._to_come = list(faults)
        self._opens = 0

    def at_open(self) -> Status | None:
        """Count an open, and say with what it is refused, if it is."""
        self._opens += 1
        for fault in self._to_come:
            if fault.kind.moment is Moment.OPEN and (fault.count is None or self._opens <= fault.count):
                return fault.kind.ending if isinstance(fault.kind.ending, Status) else None
        return None

    def take(self, side: Side, moment: Moment) -> Kind | None:
        """Take the fault that fires at `side` at that `moment`, if there is one."""
        for fault in self._to_come:
            if (fault.kind.moment, fault.count) == (moment, side.sheet) and fault.side in {None, side.name}:
                self._to_come.remove(fault)
                return fault.kind
        return None
