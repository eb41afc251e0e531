"""A NAS and a document that is on its way there, as courier and daemon take it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scand.courier.access import Access
from scand.courier.attempt import Attempt
from scand.courier.choosing import choose_name
from scand.courier.delivery import Published, publish, published_already
from scand.courier.staging import stage, unstage
from scand.courier.volume import MARKER, Volume, init_volume
from scand.jobs.staged import StagedPlace
from scand.spool.records import Document
from tests.support.nas_fs import NasFs

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = StagedPlace(".scan-staging/1a2b3c4d", 42, 7)
STAGED, INBOX, FINAL = PLACE.path, "PKM/Inbox", "PKM/Inbox/Letter.pdf"
ACCESS = Access(0o640)
CONTENT = bytes(range(256)) * 5000  # more than a block


class Delivery(NamedTuple):
    """A NAS and a document for it.

    Attributes:
        root: of the NAS.
        volume_id: of the NAS.
        document: on local disk; the record of an attempt to publish it lies beside it.
        place: where on the NAS it is staged.
    """

    root: Path
    volume_id: str
    document: Document
    place: StagedPlace = PLACE

    @property
    def attempt(self) -> Path:
        """The record of an attempt to publish."""
        return Path(self.document.path).with_name("publishing.json")

    @contextmanager
    def volume(self) -> Iterator[Volume]:
        """The NAS, opened."""
        with Volume.open(self.root, volume_id=self.volume_id, require_mount=False) as opened:
            yield opened

    def stage(self) -> str | None:
        """Stage the document."""
        with self.volume() as opened:
            return stage(opened, self.document, self.place, access=ACCESS, progress=ignore)

    def choose(self, title: str = "Letter", access: Access = ACCESS) -> str:
        """Choose a name."""
        with self.volume() as opened:
            return choose_name(
                opened, self.place.path, INBOX, title, job_id=42, sha256=self.document.sha256, access=access
            )

    def publish(self, inbox_path: str = FINAL, access: Access = ACCESS) -> Published:
        """Publish the document."""
        with self.volume() as opened:
            return publish(
                opened,
                self.place.path,
                inbox_path,
                self.document.sha256,
                attempt=self.attempt,
                access=access,
                progress=ignore,
            )

    def published(self) -> bool:
        """Whether it was published."""
        attempt = Attempt.read(self.attempt, self.place.path)
        with self.volume() as opened:
            return attempt is not None and published_already(opened, attempt)

    def unstage(self) -> str | None:
        """Take it away."""
        with self.volume() as opened:
            return unstage(opened, self.place)

    def files(self) -> dict[str, bytes]:
        """What is on the NAS, but for the marker."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.name != MARKER
        }


def ignore(_done: int, _total: int) -> None:
    """No progress is wanted."""


def made(directory: Path, content: bytes = CONTENT, root: Path | None = None) -> Delivery:
    """A NAS and a document below a directory."""
    root = root or directory / "nas"
    root.mkdir(exist_ok=True)
    merged = directory / "merged.pdf"
    merged.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    document = Document(path=str(merged), pages=1, sha256=digest, size=len(content))
    return Delivery(root, init_volume(root, require_mount=False), document)


@contextmanager
def bad_nas(directory: str, content: bytes = CONTENT) -> Iterator[tuple[Delivery, NasFs]]:
    """A document for a network file system with faults."""
    backing, root = Path(directory) / "backing", Path(directory) / "nas"
    backing.mkdir()
    root.mkdir()
    with NasFs(backing, root) as nas:
        yield made(Path(directory), content, root), nas
