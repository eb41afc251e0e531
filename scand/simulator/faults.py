"""All faults of the simulator: what can go wrong, and when. Pure.

A fault is written KIND@SHEET, or KIND@SHEET:front or :back for one side of the sheet ("jam@3", "io@12:back").
Sheets are counted from 1 over all stacks that were ever fed. A fault occurs once, at the first side that matches.

    jam@K         JAMMED from start; the feeder stays jammed until it is reloaded
    cover@K       COVER_OPEN from start, until reloaded
    double@K      JAMMED from read, mid-page: two sheets went in at once; until reloaded
    io@K          IO_ERROR from read, mid-page
    empty-read@K  start succeeds, then read returns NO_DOCS before any data; sheet K stays in the feeder (or does
                  not exist: K may be one more than were fed)
    truncate@K    the image ends normally, but has half of its lines
    slow@K        the page is complete, but takes 5 s, with data coming all the time
    hang@K        no more data comes, mid-page, until the client cancels or disconnects
    hang-first@K  likewise, before the first byte of the page
    hang-start@K  neither start nor anything after it is answered
    gone@K        the control connection is reset instead of an answer to start: net.c then uses a reply that
                  was never written
    cut@K         data and control connection are reset, mid-page: net.c's sane_read returns IO_ERROR, and every
                  call after that uses replies that were never written (nonsense, or a crash)
    close@K       both are closed normally, mid-page, as by a saned that died: net.c's sane_read then returns
                  GOOD without any data, for ever
    busy[@N]      DEVICE_BUSY from the next N opens; without N from every open
    denied[@N]    ACCESS_DENIED from open, likewise
    endless[@N]   instead of running empty, the feeder has one more sheet, N times; without N always

After every fault but empty-read, truncate and slow, the current sheet has left the feeder although not all of its
sides were delivered. The next reload puts it back first, as an operator does who is told to feed again from that
sheet. A truncated sheet is put back as well, although its other side is still scanned.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from scand.simulator.side import Side
from scand.simulator.standard import Status


class Moment(Enum):
    """When a fault occurs."""

    OPEN = auto()
    FEED = auto()  # the feeder is empty
    START = auto()
    FIRST_READ = auto()  # before a sheet is pulled
    PAGE = auto()


COUNTED: Final = frozenset({Moment.OPEN, Moment.FEED})
"""Moments that belong to no sheet: there, a fault occurs a number of times."""


class Ending(Enum):
    """How a connection ends, or a call is left without a reply, where no status is sent."""

    HANG = auto()
    RESET = auto()
    CLOSE = auto()


class NoReplyError(Exception):
    """The device does not answer a call.

    Attributes:
        ending: what happens to the connection instead.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        moment: when it occurs.
        ending: the status that is returned, or what happens instead.
        stuck: whether the feeder repeats the status until it is reloaded.
        share: at a page: the fraction of its lines that is sent.
        period: at a page: the least time that sending takes, in seconds.
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
    """A fault that has not occurred yet.

    Attributes:
        kind: what goes wrong.
        count: the sheet's number; at a `COUNTED` moment how often it still occurs, None for always.
        side: "front" or "back"; None for either.
    """

    kind: Kind
    count: int | None
    side: str | None = None


def parse_fault(spec: str) -> Fault:
    """Parse a fault as it is written above.

    Raises:
        ValueError: it is not one, with a sentence that says why.
    """
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
    """The faults that have not occurred yet."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._pending = list(faults)

    def add(self, fault: Fault) -> None:
        """Schedule one more."""
        self._pending.append(fault)

    def take_counted(self, moment: Moment) -> Kind | None:
        """Use up one occurrence of a fault at `moment` (one of `COUNTED`); None if there is no such fault."""
        for index, fault in enumerate(self._pending):
            if fault.kind.moment is moment:
                if fault.count is not None:
                    left = [replace(fault, count=fault.count - 1)] if fault.count > 1 else []
                    self._pending[index : index + 1] = left
                return fault.kind
        return None

    def take(self, side: Side, moment: Moment) -> Kind | None:
        """Use up the fault that occurs at `side` at `moment`; None if there is no such fault."""
        for fault in self._pending:
            if (fault.kind.moment, fault.count) == (moment, side.sheet) and fault.side in {None, side.name}:
                self._pending.remove(fault)
                return fault.kind
        return None
