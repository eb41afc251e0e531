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
    slow@K        the page is whole, but takes 5 s, little by little
    hang@K        nothing comes any more, mid-page, until the client cancels or leaves
    hang-first@K  likewise, before the first byte of the page
    hang-start@K  start is not answered, nor anything after it
    gone@K        the control connection is reset in place of an answer to start: net.c takes the reply that
                  was never written for one
    cut@K         data and control connection are reset, mid-page: net.c's sane_read says IO_ERROR, and every
                  call after that works on replies that were never written (nonsense, or a crash)
    close@K       both are closed in good order, mid-page, as by a saned that died: net.c's sane_read then
                  returns GOOD without any data, for ever
    busy[@N]      DEVICE_BUSY from open, at the next N opens; without N at each
    denied[@N]    ACCESS_DENIED from open, likewise
    endless[@N]   where the feeder would be empty there is one more sheet, N times; without N always

After each of them but empty-read, truncate and slow the sheet under way has left the feeder, and not every
side of it was delivered: the next reload puts it back first, as a person does who is told to feed again from
that sheet. A truncated sheet goes on to its other side; it is put back too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from scand.simulator.side import Side
from scand.simulator.standard import Status


class Moment(Enum):
    """When a fault shows."""

    OPEN = auto()
    FEED = auto()  # the feeder is empty
    START = auto()
    FIRST_READ = auto()  # before a sheet is pulled
    PAGE = auto()


COUNTED: Final = frozenset({Moment.OPEN, Moment.FEED})
"""Moments that have no sheet: a fault comes there a number of times."""


class Ending(Enum):
    """How the data connection ends, or what is said in place of a reply, where it is not a status."""

    HANG = auto()
    RESET = auto()
    CLOSE = auto()


class NoReplyError(Exception):
    """The device does not answer at all; `ending` says what becomes of the connection."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending


@dataclass(frozen=True)
class Kind:
    """A kind of fault: when it shows, with what, and whether the feeder is `stuck` with it until reloaded.

    Of a page, `share` is the part of its lines that comes, in `period` seconds at least.
    """

    moment: Moment
    ending: Status | Ending
    stuck: bool = False
    share: float = 0.5
    period: float = 0.0


KINDS: Final[dict[str, Kind]] = {
    "jam": Kind(Moment.START, Status.JAMMED, stuck=True),
    "cover": Kind(Moment.START, Status.COVER_OPEN, stuck=True),
    "double": Kind(Moment.PAGE, Status.JAMMED, stuck=True),
    "io": Kind(Moment.PAGE, Status.IO_ERROR),
    "empty-read": Kind(Moment.FIRST_READ, Status.NO_DOCS),
    "truncate": Kind(Moment.PAGE, Status.EOF),
    "slow": Kind(Moment.PAGE, Status.EOF, share=1, period=5),
    "hang": Kind(Moment.PAGE, Ending.HANG),
    "hang-first": Kind(Moment.PAGE, Ending.HANG, share=0),
    "hang-start": Kind(Moment.START, Ending.HANG),
    "gone": Kind(Moment.START, Ending.RESET),
    "cut": Kind(Moment.PAGE, Ending.RESET),
    "close": Kind(Moment.PAGE, Ending.CLOSE),
    "busy": Kind(Moment.OPEN, Status.DEVICE_BUSY),
    "denied": Kind(Moment.OPEN, Status.ACCESS_DENIED),
    "endless": Kind(Moment.FEED, Status.GOOD),
}


@dataclass(frozen=True)
class Fault:
    """A fault to come: at sheet `count`, or at one `side` of it; where COUNTED `count` times (None: always)."""

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
    if kind.moment in COUNTED and not at:
        return Fault(kind, None)
    if not (number.isascii() and number.isdigit() and int(number) >= 1):
        raise ValueError(f"{spec!r} needs a number from 1 on after the @, as in {name}@3")
    if colon and (side not in {"front", "back"} or kind.moment in COUNTED):
        raise ValueError(f"{spec!r}: only a sheet has sides, and they are called front and back")
    return Fault(kind, int(number), side or None)


class Faults:
    """The faults that have not come yet."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._to_come = list(faults)

    def add(self, fault: Fault) -> None:
        """Let one more come."""
        self._to_come.append(fault)

    def take_counted(self, moment: Moment) -> Kind | None:
        """Take one of the times that a fault comes at that `moment`, one of COUNTED, if there is one."""
        for index, fault in enumerate(self._to_come):
            if fault.kind.moment is moment:
                if fault.count is not None:
                    left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                    self._to_come[index : index + 1] = left
                return fault.kind
        return None

    def take(self, side: Side, moment: Moment) -> Kind | None:
        """Take the fault that comes at `side` at that `moment`, if there is one."""
        for fault in self._to_come:
            if (fault.kind.moment, fault.count) == (moment, side.sheet) and fault.side in {None, side.name}:
                self._to_come.remove(fault)
                return fault.kind
        return None
