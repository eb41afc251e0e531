"""A document that a client has put into its place: only the very file that was previewed counts."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from scand.courier import read_back as module
from scand.courier import staging
from scand.courier.read_back import read_back
from scand.courier.volume import Volume, init_volume
from scand.errors import BadData
from scand.faults import ErrorCode
from scand.jobs.staged import StagedPlace
from tests.support.instants import every_instant, fail, kill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * 5000  # more than a block
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a NAS with a folder for documents."""
    nas = tmp_path / "nas"
    (nas / "documents").mkdir(parents=True)
    return nas


@pytest.fixture
def volume(root: Path) -> Iterator[Volume]:
    """That NAS, opened."""
    with Volume.open(root, volume_id=init_volume(root, require_mount=False), require_mount=False) as opened:
        yield opened


def test_the_document_is_found_and_progress_is_told(root: Path, volume: Volume) -> None:
    """Its bytes are read to the end, and it stays as it is."""
    (root / "documents" / "a.pdf").write_bytes(CONTENT)
    told: list[tuple[int, int]] = []
    read_back(volume, "documents/a.pdf", SHA, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert (root / "documents" / "a.pdf").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "kind", ["missing", "no folder", "other", "cut", "directory", "fifo", "link", "linked folder"]
)
def test_whatever_else_is_there_is_not_the_document(root: Path, volume: Volume, kind: str) -> None:
    """Not even a symbolic link to it: what it leads to is not on this NAS for sure."""
    place, real = root / "documents" / "a.pdf", root.parent / "real"
    real.mkdir()
    (real / "a.pdf").write_bytes(CONTENT)
    match kind:
        case "no folder":
            place.parent.rmdir()
        case "other":
            place.write_bytes(b"x" + CONTENT[1:])
        case "cut":
            place.write_bytes(CONTENT[:-1])
        case "directory":
            place.mkdir()
        case "fifo":
            os.mkfifo(place)
        case "link":
            place.symlink_to(real / "a.pdf")
        case "linked folder":
            place.parent.rmdir()
            place.parent.symlink_to(real)
    with pytest.raises(BadData, match=r"documents/a\.pdf") as caught:
        read_back(volume, "documents/a.pdf", SHA, progress=lambda _done, _total: None)
    assert caught.value.code is ErrorCode.NOT_READ_BACK


PLACE, FINAL = StagedPlace(".scan-staging/1a2b3c4d", 42, 7), "documents/a.pdf"


def read_back_and_unstage(root: Path) -> None:
    """What a courier does once a client has committed; the NAS is made first, if it is not there."""
    for path in (root / PLACE.path, root / FINAL):
        if not (root / "begun").exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENT)
    (root / "begun").touch()
    volume_id = init_volume(root, require_mount=False)
    with Volume.open(root, volume_id=volume_id, require_mount=False) as volume:
        read_back(volume, FINAL, SHA, progress=lambda _done, _total: None)
        staging.unstage(volume, PLACE)


def the_document_is_there_and_the_courier_can_be_sent_again(root: Path) -> None:
    """However far it got, the document is whole, and the next courier ends the work."""
    assert (root / FINAL).read_bytes() == CONTENT
    read_back_and_unstage(root)
    assert (root / FINAL).read_bytes() == CONTENT
    assert not (root / PLACE.path).parent.exists()


@pytest.mark.parametrize("interrupt", [kill, fail])
def test_a_courier_that_dies_at_any_instant_is_sent_again(interrupt: Callable[[], None]) -> None:
    """The staged file goes only after the document was read back, and nothing of the document ever does."""
    act, check = read_back_and_unstage, the_document_is_there_and_the_courier_can_be_sent_again
    assert every_instant(interrupt, act, check, module, staging) > 20
