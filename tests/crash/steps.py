"""Finds the steps in a record of strace: the system calls with which a process changes staging or the NAS.

strace counts the calls of each name in each thread (`when=N`). To hit a step whatever else its process does, it is
identified by its file or directory (`-P`), and counted among the calls on that. Only a step on a file with a
random name is counted among all calls; that happens only in the courier, which has one thread. A call that cannot
be told from another thread's is left out: in the second batch, the recorder's first of a kind.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CALLS = {
    "open": ("openat",),
    "write": ("write", "pwrite64"),
    "fsync": ("fsync", "fdatasync"),
    "close": ("close",),
    "rename": ("rename", "renameat", "renameat2"),
    "link": ("link", "linkat"),
    "unlink": ("unlink", "unlinkat", "rmdir"),
    "mkdir": ("mkdir", "mkdirat"),
    "truncate": ("ftruncate",),
    "mode": ("fchmod", "fchown"),
}
"""The calls that change a file system, by kind, with strace's names."""

_KINDS = {call: kind for kind, calls in CALLS.items() for call in calls}
_LINE = re.compile(r"^(?:(?P<thread>\d+) +)?(?P<name>\w+)\((?P<arguments>.*)$")
_PATH = re.compile(r'(?:\d+|AT_FDCWD)<(?P<open>/[^>]*)>|"(?P<name>[^"]*)"')
_UNFINISHED, _RESUMED = "<unfinished ...>", re.compile(r"^<\.\.\. \w+ resumed>")
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")
_RANDOM = re.compile(
    r"\.[0-9a-f]{16}\.part|/#\d+|\(deleted\)"
    r"|(?<=/\.scan-staging/)[0-9a-f]{8}(?:/job-\d+-\d+)?|\bjob-\d+-\d+\b"  # an installation's folder, a stay's
)


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a process. Its paths have {root} and {job} for what differs between sites and jobs.

    Attributes:
        role: "daemon", "feeder" or "courier".
        process: which process of that role since the job was queued, from 1.
        call: the system call's name.
        file: the argument of `-P`; None if the name is random.
        when: which of the calls of this name (on that file) in its thread, from 1.
        place: the full path, for people.
    """

    role: str
    process: int
    call: str
    file: str | None
    when: int
    place: str

    @property
    def kind(self) -> str:
        """The kind of call, a key of `CALLS`."""
        return _KINDS[self.call]

    @property
    def on_nas(self) -> bool:
        """Whether it changes the NAS; else it changes local staging."""
        return self.place.startswith("{root}/nas")

    @property
    def line(self) -> tuple[str, str, str]:
        """A key of all steps that differ only in a number: mostly they come from the same line of code."""
        return self.role, self.kind, re.sub(r"\d+", "N", nameless(self.place))

    def is_hit_by(self, call: Call, names: Names) -> bool:
        """Whether a call of its process has the step's name and file."""
        return call.name == self.call and nameless(names.general(call.place or "")) == nameless(self.place)

    def __str__(self) -> str:
        return f"{self.role} {self.process}: {self.call} {self.when} of {self.place}"


@dataclass(frozen=True, slots=True)
class Names:
    """What differs between two sites and two jobs.

    Attributes:
        root: the site's directory.
        job: the job's id; whoever wants the scanner meanwhile has the next one.
    """

    root: Path
    job: int

    def general(self, path: str) -> str:
        """The path with {root}, {job} and {other} instead of these."""
        path = path.replace(str(self.root), "{root}")
        for number, name in ((self.job, "{job}"), (self.job + 1, "{other}")):
            path = re.sub(rf"(^|jobs/|job-|Job |\.)({number})(?=/|\.new|\.pdf|$)", rf"\1{name}", path)
        return path

    def special(self, path: str) -> str:
        """The path with these instead of {root}, {job} and {other}."""
        path = path.replace("{root}", str(self.root)).replace("{job}", str(self.job))
        return path.replace("{other}", str(self.job + 1))


@dataclass(frozen=True, slots=True)
class Call:
    """A line of strace's record.

    Attributes:
        thread: its id.
        name: of the call.
        paths: of the open descriptors and the names among its arguments, in order.
        named: those that are names.
        writes: it is anything but an open(2) for reading.
        failed: by itself, or because an error was injected.
        injected: an error was injected.
        unanswered: its process was killed in it.
    """

    thread: str
    name: str
    paths: tuple[str, ...]
    named: tuple[str, ...]
    writes: bool
    failed: bool
    injected: bool
    unanswered: bool

    @property
    def file(self) -> str | None:
        """Its file: the first name among its arguments, or else the first open file."""
        return next(iter((*self.named, *self.paths)), None)

    @property
    def place(self) -> str | None:
        """The full path of that file, if it is known."""
        if not self.paths or self.file is None:
            return None
        opened = self.paths[0] if self.paths[0] not in self.named else ""
        return self.file if self.file.startswith("/") else f"{opened}/{self.file}"


def nameless(path: str) -> str:
    """A path without its random parts."""
    return _RANDOM.sub(".*", path)


def calls(log: Iterable[str]) -> Iterator[Call]:
    """The calls in a record of `strace -f -y -s 0`."""
    for line in _whole(log):
        found = _LINE.match(line)
        if not found or found["name"] not in _KINDS:
            continue
        paths = [path for path in _PATH.finditer(found["arguments"]) if path["open"] or path["name"]]
        if found["name"] in CALLS["open"] or found["name"] in CALLS["write"]:
            paths = [path for path in paths if path.start() < found["arguments"].find(" O_")] or paths[:1]
        yield Call(
            thread=found["thread"] or "",
            name=found["name"],
            paths=tuple(path["open"] or path["name"] for path in paths),
            named=tuple(path["name"] for path in paths if path["name"]),
            writes=found["name"] not in CALLS["open"] or bool(_WRITES.search(line)),
            failed=" = -1 " in line,
            injected="(INJECTED)" in line,
            unanswered=line.endswith("= ?"),
        )


def _whole(log: Iterable[str]) -> Iterator[str]:
    """The lines, with the two halves of each one that another thread interrupted joined where it ends."""
    begun: dict[str, str] = {}
    for line in log:
        thread, _, rest = line.partition(" ")
        if line.endswith(_UNFINISHED):
            begun[thread] = line.removesuffix(_UNFINISHED)
        elif thread in begun and _RESUMED.match(rest.strip()):
            yield begun.pop(thread) + _RESUMED.sub("", rest.strip())
        else:
            yield line
    yield from (f"{line}) = ?" for line in begun.values())


def steps(role: str, process: int, log: Iterable[str], names: Names) -> Iterator[Step]:
    """The steps of one process, in order."""
    counted: Counter[tuple[str, str, str | None]] = Counter()
    taken: set[tuple[str, str | None, int]] = set()  # these would hit another call
    written: set[str] = set()  # closing a file that was only read changes nothing
    inside = (f"{names.root}/staging/", f"{names.root}/nas/")
    for call in calls(log):
        ways = []
        for file in dict.fromkeys((call.file, *call.paths, None)):
            counted[call.thread, call.name, file] += 1
            way = (call.name, file, counted[call.thread, call.name, file])
            if way not in taken and not (file and _RANDOM.search(file)):
                ways.append(way)
            taken.add(way)
        place = call.place
        if place is None or call.failed or not call.writes or not f"{place}/".startswith(inside):
            continue
        if not ways or (call.name in CALLS["close"] and place not in written):
            continue
        written.add(place)
        _, file, when = ways[0]
        yield Step(
            role=role,
            process=process,
            call=call.name,
            file=names.general(file) if file else None,
            when=when,
            place=names.general(place),
        )


def without_repetition(found: Iterable[Step]) -> list[Step]:
    """Each step once; of many writes into one file, the first two and the last."""
    runs: dict[tuple[str, int, str, str], list[Step]] = {}
    for step in dict.fromkeys(found):
        runs.setdefault((step.role, step.process, step.call, step.place), []).append(step)
    return [step for run in runs.values() for step in dict.fromkeys((*run[:2], run[-1]))]
