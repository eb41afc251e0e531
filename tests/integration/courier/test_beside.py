"""nas.root itself is the Inbox: a consumer takes what appears there; the staging directory lies beside it."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scand.courier import delivery, nas_file, staging
from scand.courier.attempt import Attempt
from scand.courier.choosing import choose_name
from scand.courier.delivery import publish, published_already
from scand.courier.staging import stage, unstage
from scand.courier.volume import MARKER, Volume, init_volume
from scand.errors import BadData, ConfigError, ScandError, Unavailable
from scand.faults import ErrorCode
from scand.jobs.staged import StagedPlace
from scand.spool.records import Document
from tests.support.delivery import ACCESS, CONTENT, ignore
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated, mount_tmpfs, needs_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(NamedTuple):
    """A consume folder, and the staging directory beside it."""

    root: Path
    staging: Path

    @classmethod
    def made(cls, directory: Path) -> Place:
        """Both, empty."""
        place = cls(directory / "consume", directory / "staging")
        place.root.mkdir()
        place.staging.mkdir()
        return place

    def init(self, *, require_mount: bool = False) -> str:
        """Give the volume its mark."""
        return init_volume(self.root, require_mount=require_mount, outside=self.staging)

    @contextmanager
    def volume(self, volume_id: str, *, require_mount: bool = False) -> Iterator[Volume]:
        """The volume, opened."""
        with Volume.open(
            self.root, volume_id=volume_id, require_mount=require_mount, outside=self.staging
        ) as opened:
            yield opened

    def refused(self, volume_id: str = "x") -> ScandError:
        """Why it cannot be opened."""
        with pytest.raises(ScandError) as caught, self.volume(volume_id):
            pass
        return caught.value


class Consumer(threading.Thread):
    """Takes every file below a folder the moment it appears, hidden ones and those of hidden folders, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder, self._over = folder, False
        self.taken: list[tuple[str, bytes]] = []

    def run(self) -> None:
        """Snapshot as often as it can."""
        while not self._over:
            self.look()

    def look(self) -> None:
        """Take what is there."""
        for directory, _, names in os.walk(self._folder):
            for name in names:
                path = Path(directory, name)
                self.taken.append((str(path.relative_to(self._folder)), path.read_bytes()))
                path.unlink()

    def stop(self) -> list[tuple[str, bytes]]:
        """The files it has taken, in order."""
        self._over = True
        self.join()
        self.look()
        return self.taken


def merged(directory: Path, content: bytes) -> Document:
    """A document on local disk."""
    path = directory / "merged.pdf"
    path.write_bytes(content)
    return Document(path=str(path), pages=1, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


def test_a_consumer_takes_whole_documents_and_nothing_else(tmp_path: Path) -> None:
    """Twenty documents while it looks: each once and whole; no mark, no part, nothing of the staging directory."""
    place = Place.made(tmp_path)
    volume_id = place.init()
    document = merged(tmp_path, CONTENT)
    consumer = Consumer(place.root)
    consumer.start()
    try:
        for job in range(20):
            staged, inbox = StagedPlace("../staging/1a2b3c4d", job, 7), "." if job % 2 else "Tax"
            with place.volume(volume_id) as volume:
                stage(volume, document, staged, access=ACCESS, progress=ignore)
                assert (place.staging / f"1a2b3c4d/job-{job}-7/merged.pdf").read_bytes() == CONTENT
                name = choose_name(
                    volume,
                    staged.path,
                    inbox,
                    f"Letter {job}",
                    job_id=job,
                    sha256=document.sha256,
                    access=ACCESS,
                )
                record = tmp_path / "publishing.json"
                assert Attempt.read(record, staged.path) is None
                publish(
                    volume,
                    staged.path,
                    name,
                    document.sha256,
                    attempt=record,
                    access=ACCESS,
                    progress=ignore,
                )
                attempt = Attempt.read(record, staged.path)
                assert attempt
                assert published_already(volume, attempt)
                unstage(volume, staged)
    finally:
        taken = consumer.stop()
    wanted = [(f"Letter {job}.pdf" if job % 2 else f"Tax/Letter {job}.pdf", CONTENT) for job in range(20)]
    assert taken == wanted
    assert sorted(path.name for path in place.staging.iterdir()) == [MARKER, "1a2b3c4d"]
    assert not list((place.staging / "1a2b3c4d").iterdir())


def the_courier(directory: Path) -> None:
    """Stage, choose, publish, as the courier does; once more if need be."""
    place, record = Place(directory / "consume", directory / "staging"), directory / "publishing.json"
    document, staged = merged(directory, b"%PDF-1.7 whole"), StagedPlace("../staging/1a2b3c4d", 42, 7)
    for folder in (place.root, place.staging):
        folder.mkdir(exist_ok=True)
    with place.volume(place.init()) as nas:
        attempt = Attempt.read(record, staged.path)
        if attempt and published_already(nas, attempt):
            unstage(nas, staged)
            return
        stage(nas, document, staged, access=ACCESS, progress=ignore)
        name = choose_name(nas, staged.path, ".", "Letter", job_id=42, sha256=document.sha256, access=ACCESS)
        publish(nas, staged.path, name, document.sha256, attempt=record, access=ACCESS, progress=ignore)
        unstage(nas, staged)


def whole_way_at_every_instant(blow: str) -> None:
    """Strike at each instant, let the consumer come by at once, go on, and let it come by again."""

    def check(directory: Path) -> None:
        consumer = Consumer(directory / "consume")
        consumer.look()
        the_courier(directory)
        consumer.look()
        assert consumer.taken == [("Letter.pdf", b"%PDF-1.7 whole")]
        left = [path.name for path in (directory / "staging").rglob("*") if path.name != "1a2b3c4d"]
        assert left == [MARKER]

    count = every_instant({"kill": kill, "fail": fail}[blow], the_courier, check, delivery, nas_file, staging)
    assert count > 100


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_every_instant(blow: str) -> None:
    """Whenever a courier is killed or a call fails, the consumer gets the document once, and nothing else."""
    isolated(whole_way_at_every_instant, blow)


def test_the_mark_lies_in_the_staging_directory(tmp_path: Path) -> None:
    """Out of the consumer's reach; kept by another `nas init`; another volume's, or none, is told as ever."""
    place = Place.made(tmp_path)
    volume_id = place.init()
    assert (place.staging / MARKER).read_text() == f"{volume_id}\n"
    assert list(place.root.iterdir()) == []
    assert place.init() == volume_id
    with place.volume(volume_id):
        pass
    assert place.refused("another").code is ErrorCode.NAS_WRONG_VOLUME
    (place.staging / MARKER).unlink()
    assert place.refused(volume_id).sentence.startswith(f"{place.staging} has no {MARKER}")


def test_without_the_staging_directory_the_mend_is_told(tmp_path: Path) -> None:
    """The command that makes it; it is never made by itself, since what is there may be a bare mountpoint."""
    place = Place.made(tmp_path)
    place.staging.rmdir()
    refusal = place.refused()
    assert isinstance(refusal, Unavailable)
    assert f"sudo install -d -o scand -g scand -m 0750 {place.staging}" in refusal.sentence
    assert list(tmp_path.iterdir()) == [place.root]


@pytest.mark.parametrize("which", ["staging", "root"])
def test_neither_lies_in_the_other_by_a_link(tmp_path: Path, which: str) -> None:
    """The config cannot see it, the opened directories can."""
    place = Place.made(tmp_path)
    inner = (place.root if which == "staging" else place.staging) / "inner"
    inner.mkdir()
    link = tmp_path / "link"
    link.symlink_to(inner)
    refusal = place._replace(**{which: link}).refused()
    assert isinstance(refusal, ConfigError)
    assert "neither may lie in the other" in refusal.sentence


def test_paths_stay_within_the_two(tmp_path: Path) -> None:
    """What a row says leads to the staging directory or below the root, and nowhere else."""
    place = Place.made(tmp_path)
    (tmp_path / "staging-2").mkdir()
    with place.volume(place.init()) as volume:
        with volume.directory("../staging") as fd:
            assert os.fstat(fd).st_ino == place.staging.stat().st_ino
        for path in (
            "../staging-2/x",
            "../x",
            "../staging/../x",
            "/etc/passwd",
            "a/../../x",
            "..",
            "../staging",
            ".",
        ):
            with pytest.raises(BadData), volume.place(path):
                pass


def in_two_mounts(directory: str) -> None:
    """Two mounts of one file system, as ReadWritePaths= makes them, and two file systems."""
    place = Place.made(Path(directory))
    volume_id = place.init()
    mount_tmpfs(place.staging)
    refusal = place.refused(volume_id)
    assert isinstance(refusal, ConfigError)
    assert "different mounts" in refusal.sentence
    outer = Path(directory) / "share"
    outer.mkdir()
    mount_tmpfs(outer)
    share = Place.made(outer)
    marked = share.init(require_mount=True)
    with share.volume(marked, require_mount=True):
        pass
    os.system(f"mount --bind {share.root} {share.root}")  # noqa: S605 - a bind mount of the same file system
    assert "different mounts" in share.refused(marked).sentence


@needs_mounts
def test_both_must_be_in_one_mount(tmp_path: Path) -> None:
    """rename(2) goes from no mount to another, though they be of one file system: said before a copy."""
    isolated(in_two_mounts, tmp_path, mounts=True)


def bare_mountpoint(directory: str) -> None:
    """The share above both is unmounted, and what is there looks the same."""
    share = Path(directory) / "share"
    share.mkdir()
    Place.made(share)
    mount_tmpfs(share)
    place = Place.made(share)
    volume_id = place.init(require_mount=True)
    with place.volume(volume_id, require_mount=True):
        pass
    os.system(f"umount {share}")  # noqa: S605
    with pytest.raises(Unavailable) as caught, place.volume(volume_id, require_mount=True):
        pass
    assert "not mounted" in caught.value.sentence
    assert "has no" in place.refused(volume_id).sentence
    assert sorted(path.name for path in share.rglob("*")) == ["consume", "staging"]


@needs_mounts
def test_nothing_is_written_under_a_bare_mountpoint(tmp_path: Path) -> None:
    """Invariant M, for both directories."""
    isolated(bare_mountpoint, tmp_path, mounts=True)


def test_a_mark_that_is_a_fifo_hangs_nobody(tmp_path: Path) -> None:
    """FIELD H12: `nas init` waited for a writer."""
    place = Place.made(tmp_path)
    os.mkfifo(place.staging / MARKER)
    began = time.monotonic()
    with pytest.raises(ScandError), place.volume("x"):
        pass
    assert time.monotonic() - began < 5
