"""Zero bytes under a bare mountpoint, and on another's volume, whenever mounts come and go on a courier's way."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scand import durable
from scand.courier import access, delivery, nas_file, staging, volume
from scand.courier.attempt import Attempt
from scand.courier.choosing import choose_name
from scand.courier.delivery import publish, published_already
from scand.courier.staging import is_staged, stage, unstage
from scand.courier.volume import MARKER, Volume, init_volume
from scand.errors import ScandError
from scand.spool.records import Document
from tests.support.delivery import ACCESS, PLACE, STAGED, ignore
from tests.support.isolated import isolated, mount_tmpfs, needs_mounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

TRIALS = 200
CONTENT = b"%PDF-1.7 whole"

_BIND, _DETACH = 4096, 2  # MS_BIND, MNT_DETACH: <linux/mount.h>
_WATCHED = {module.__file__ for module in (access, delivery, durable, nas_file, staging, volume)}


class Ground:
    """A mountpoint, what lies under it, and three volumes: ours, another's, and one without a marker."""

    def __init__(self, directory: Path) -> None:
        self.mountpoint = directory / "mnt" / "nas"
        self.mountpoint.mkdir(parents=True)
        self.bare = directory / "under" / "nas"
        self.bare.parent.mkdir()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._mount(self.mountpoint.parent, self.bare.parent)  # not with what is mounted below later
        self.volumes = {name: directory / name for name in ("ours", "another", "blank")}
        for place in self.volumes.values():
            place.mkdir()
            mount_tmpfs(place)
        self.volume_id = init_volume(self.volumes["ours"], require_mount=True)
        init_volume(self.volumes["another"], require_mount=True)
        self._mounted = 0
        merged = directory / "merged.pdf"
        merged.write_bytes(CONTENT)
        self.document = Document(
            path=str(merged), pages=1, sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT)
        )
        self.attempt = directory / "publishing.json"
        self._untouched = self._state()

    def change(self, to: str) -> None:
        """Unmount lazily all that is mounted, then mount a volume; "bare": none."""
        while self._mounted:
            assert self._libc.umount2(os.fsencode(self.mountpoint), _DETACH) == 0
            self._mounted -= 1
        if to != "bare":
            self._mount(self.volumes[to], self.mountpoint)
            self._mounted += 1

    def untouched(self) -> bool:
        """Whether not one name was ever made or removed where nothing may be written."""
        return self._state() == self._untouched

    def _state(self) -> list[tuple[int, list[str]]]:
        places = (self.bare, self.volumes["another"], self.volumes["blank"])
        return [(place.stat().st_mtime_ns, sorted(os.listdir(place))) for place in places]  # noqa: PTH208

    def _mount(self, what: Path, where: Path) -> None:
        if self._libc.mount(os.fsencode(what), os.fsencode(where), None, _BIND, None):
            raise OSError(ctypes.get_errno(), "mount")

    # What couriers do, one errand after the other, and the daemon with the row in between.

    @contextmanager
    def _nas(self) -> Iterator[Volume]:
        with Volume.open(self.mountpoint, volume_id=self.volume_id, require_mount=True) as opened:
            yield opened

    def errands(self) -> None:
        """Stage, choose, publish, tidy up; what was done already is not done again."""
        sha256, attempt = self.document.sha256, Attempt.read(self.attempt, STAGED)
        with self._nas() as nas:
            if attempt is None or not published_already(nas, attempt):
                if not is_staged(nas, STAGED):
                    stage(nas, self.document, PLACE, access=ACCESS, progress=ignore)
                name = choose_name(nas, STAGED, "Inbox", "Letter", job_id=42, sha256=sha256, access=ACCESS)
                publish(nas, STAGED, name, sha256, attempt=self.attempt, access=ACCESS, progress=ignore)
            unstage(nas, PLACE)

    def over(self) -> list[str]:
        """What is on our volume in the end; the job is forgotten, and its document taken away."""
        ours = self.volumes["ours"]
        found = [str(path.relative_to(ours)) for path in ours.rglob("*") if path.is_file()]
        (ours / "Inbox" / "Letter.pdf").unlink()
        self.attempt.unlink()
        return sorted(found)


@contextmanager
def at_instants(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with 1, 2, … each time that the interpreter reaches a line of what touches the NAS."""
    number = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal number
        if frame.f_code.co_filename not in _WATCHED:
            return None
        if event == "line":
            number += 1
            act(number)
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def trials(directory: str) -> None:
    """Change mounts at random instants, and look under them after each trial."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    ground = Ground(Path(directory))
    lines: list[int] = []
    ground.change("ours")
    with at_instants(lines.append):
        ground.errands()
    assert ground.over() == [MARKER, "Inbox/Letter.pdf"]
    assert len(lines) > 300
    for number in range(TRIALS):
        told = f"seed {seed}, trial {number}"
        wanted = ["bare", "another", "blank", "ours"]
        changes = {chance.choice(lines): chance.choice(wanted) for _ in range(chance.randrange(1, 4))}
        ground.change(chance.choice(["ours", *wanted]))

        def strike(line: int, changes: dict[int, str] = changes) -> None:
            if line in changes:
                ground.change(changes[line])

        with suppress(ScandError), at_instants(strike):
            ground.errands()
        assert ground.untouched(), told
        ground.change("ours")
        ground.errands()
        assert ground.over() == [MARKER, "Inbox/Letter.pdf"], told
        assert ground.untouched(), told


@needs_mounts
def test_nothing_is_written_under_a_bare_mountpoint(tmp_path: Path) -> None:
    """In 200 random trials neither there nor on another's volume; and the document arrives once, afterwards."""
    isolated(trials, tmp_path, mounts=True)
