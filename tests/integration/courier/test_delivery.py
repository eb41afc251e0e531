"""A document gets into the Inbox once, whole, and never over another: on good file systems and on bad ones."""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from scand import durable
from scand.courier import access, delivery, nas_file
from scand.courier.access import Access
from scand.courier.delivery import Published, choose_name, publish, published_already, stage, unstage
from scand.courier.volume import MARKER, Volume, init_volume
from scand.errors import BadData, ScandError, TryAgain, Unavailable
from scand.faults import ErrorCode
from scand.spool.records import Document
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated, mount_tmpfs, needs_fuse, needs_mounts
from tests.support.nas_fs import NasFs

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGED, INBOX, FINAL = ".scan-staging/job-42/Letter.pdf", "PKM/Inbox", "PKM/Inbox/Letter.pdf"
ACCESS = Access(0o640)
CONTENT = bytes(range(256)) * 5000  # more than a block


class Site(NamedTuple):
    """A NAS and a document for it."""

    root: Path
    volume_id: str
    document: Document

    @contextmanager
    def volume(self) -> Iterator[Volume]:
        """The NAS, opened."""
        with Volume.open(self.root, volume_id=self.volume_id, require_mount=False) as opened:
            yield opened

    def stage(self) -> None:
        """Stage the document."""
        with self.volume() as opened:
            stage(opened, self.document, STAGED, access=ACCESS, progress=ignore)

    def choose(self, title: str = "Letter") -> str:
        """Choose a name."""
        with self.volume() as opened:
            return choose_name(
                opened, STAGED, INBOX, title, job_id=42, sha256=self.document.sha256, access=ACCESS
            )

    def publish(self, inbox_path: str = FINAL) -> Published:
        """Publish the document."""
        with self.volume() as opened:
            return publish(opened, STAGED, inbox_path, self.document.sha256, access=ACCESS, progress=ignore)

    def published(self, inbox_path: str = FINAL) -> bool:
        """Whether it was published."""
        with self.volume() as opened:
            return published_already(opened, STAGED, inbox_path)

    def unstage(self) -> None:
        """Take it away."""
        with self.volume() as opened:
            unstage(opened, STAGED)

    def files(self) -> dict[str, bytes]:
        """What is on the NAS, but for the marker."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.name != MARKER
        }


def ignore(_done: int, _total: int) -> None:
    """No progress is wanted."""


def made(directory: Path, content: bytes = CONTENT, root: Path | None = None) -> Site:
    """A site below a directory."""
    root = root or directory / "nas"
    root.mkdir(exist_ok=True)
    merged = directory / "merged.pdf"
    merged.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    document = Document(path=str(merged), pages=1, sha256=digest, size=len(content))
    return Site(root, init_volume(root, require_mount=False), document)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A NAS that is a plain directory, and a document."""
    return made(tmp_path)


# On a good file system


def test_the_whole_way(site: Site) -> None:
    """A document is staged, named, published and unstaged; one file in the Inbox is what remains."""
    site.stage()
    assert site.files() == {STAGED: CONTENT}
    assert (site.root / STAGED).stat().st_mode & 0o777 == 0o640
    assert not site.published()
    assert site.choose() == FINAL
    assert site.files() == {STAGED: CONTENT}
    assert site.publish() == Published(FINAL, site.document.sha256, len(CONTENT))
    assert site.published()
    site.unstage()
    assert site.files() == {FINAL: CONTENT}
    assert not (site.root / STAGED).parent.exists()
    site.unstage()


def test_progress_counts_bytes(site: Site) -> None:
    """Staging counts what is copied and what is read back, publishing what is read back, each up to its total."""
    steps: list[tuple[int, int]] = []
    with site.volume() as opened:
        stage(opened, site.document, STAGED, access=ACCESS, progress=lambda *step: steps.append(step))
        assert steps == sorted(steps)
        assert steps[-1] == (2 * len(CONTENT), 2 * len(CONTENT))
        steps.clear()
        name = site.choose()
        digest = site.document.sha256
        publish(opened, STAGED, name, digest, access=ACCESS, progress=lambda *step: steps.append(step))
        assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_staging_again_changes_nothing(site: Site) -> None:
    """What is staged already is only read back."""
    site.stage()
    before = (site.root / STAGED).stat().st_ino
    site.stage()
    assert (site.root / STAGED).stat().st_ino == before


def test_staging_replaces_and_tidies(site: Site) -> None:
    """An older merge, one under a former title and parts of killed couriers give way to the new one."""
    place = (site.root / STAGED).parent
    place.mkdir(parents=True)
    for name in ("Letter.pdf", "Former title.pdf", ".0123.part"):
        (place / name).write_bytes(b"old")
    (place / "README").write_bytes(b"not ours")
    site.stage()
    assert site.files() == {STAGED: CONTENT, ".scan-staging/job-42/README": b"not ours"}
    site.unstage()
    assert site.files() == {".scan-staging/job-42/README": b"not ours"}


def test_a_staged_file_of_the_same_size_is_not_trusted(site: Site) -> None:
    """A staged file with another content is copied again."""
    site.stage()
    (site.root / STAGED).write_bytes(CONTENT[::-1])
    site.stage()
    assert site.files() == {STAGED: CONTENT}


def test_only_a_jobs_own_directory_is_tidied(site: Site) -> None:
    """In a directory that is not a job's, nothing but the staged file itself is ever removed."""
    (site.root / INBOX).mkdir(parents=True)
    (site.root / INBOX / "another.pdf").write_bytes(b"another")
    with site.volume() as opened:
        stage(opened, site.document, FINAL, access=ACCESS, progress=ignore)
        assert site.files() == {FINAL: CONTENT, "PKM/Inbox/another.pdf": b"another"}
        unstage(opened, FINAL)
        unstage(opened, ".scan-staging/doctor/nothing.pdf")
    assert site.files() == {"PKM/Inbox/another.pdf": b"another"}


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "gone"])
def test_a_damaged_source_is_not_staged(site: Site, damage: str) -> None:
    """A local merge that is not what was merged never gets a name on the NAS."""
    merged = Path(site.document.path)
    if damage == "gone":
        merged.unlink()
    else:
        merged.write_bytes(
            {"changed": CONTENT[::-1], "shorter": CONTENT[:-1], "longer": CONTENT + b"x"}[damage]
        )
    with pytest.raises(BadData) as caught:
        site.stage()
    assert caught.value.code is ErrorCode.SPOOL_DAMAGED
    assert site.files() == {}


def test_names_that_are_taken(site: Site) -> None:
    """The first free number is taken; files, directories, links and what cannot be read all count as taken."""
    site.stage()
    inbox = site.root / INBOX
    inbox.mkdir(parents=True)
    (inbox / "Letter.pdf").write_bytes(b"another")
    (inbox / "Letter (2).pdf").mkdir()
    (inbox / "Letter (3).pdf").symlink_to("nowhere")
    (inbox / "Letter (4).pdf").write_bytes(CONTENT[::-1])
    os.mkfifo(inbox / "Letter (5).pdf")
    (inbox / "Letter (6).pdf").write_bytes(CONTENT[::-1])
    (inbox / "Letter (6).pdf").chmod(0)
    assert site.choose() == "PKM/Inbox/Letter (7).pdf"
    assert site.choose("a/b: ?") == "PKM/Inbox/a-b-.pdf"
    assert site.choose("") == "PKM/Inbox/Scan.pdf"


def test_the_same_document_makes_no_second_file(site: Site) -> None:
    """Where this very document lies in the Inbox already, its name is chosen and the staged file goes."""
    site.stage()
    (site.root / INBOX).mkdir(parents=True)
    (site.root / FINAL).write_bytes(CONTENT)
    assert site.choose() == FINAL
    site.publish()
    assert site.files() == {FINAL: CONTENT}
    assert site.published()


def test_a_name_taken_at_the_last_moment(site: Site) -> None:
    """A file that appears between choice and publication is not touched; another name is chosen."""
    site.stage()
    name = site.choose()
    (site.root / name).write_bytes(b"another")
    with pytest.raises(FileExistsError):
        site.publish(name)
    assert not site.published(name)
    name = site.choose()
    site.publish(name)
    assert site.files() == {FINAL: b"another", "PKM/Inbox/Letter (2).pdf": CONTENT}


def test_a_longer_title_than_names_can_be(site: Site) -> None:
    """A title of any length gets a name, also beside others that begin the same."""
    site.stage()
    (site.root / site.choose("ä" * 300)).write_bytes(b"another")
    second = site.choose("ä" * 300)
    assert second.endswith("ä (2).pdf")
    assert len(Path(second).name.encode()) in {254, 255}


def test_what_was_not_previewed_is_not_published(site: Site) -> None:
    """A staged file that is gone, or not what was previewed, is refused, and the Inbox stays as it is."""
    for act in (site.choose, site.publish):
        with pytest.raises(BadData) as caught:
            act()
        assert caught.value.code is ErrorCode.STAGED_FILE_GONE
    site.stage()
    name = site.choose()
    (site.root / STAGED).write_bytes(CONTENT[::-1])
    with pytest.raises(BadData) as caught:
        site.publish(name)
    assert caught.value.code is ErrorCode.STAGED_FILE_GONE
    assert site.files() == {STAGED: CONTENT[::-1]}
    assert not site.published()


def test_who_may_read_it(site: Site) -> None:
    """Permissions and group are those of the config at the time of publication, whatever the umask."""
    other = Access(0o604, os.getgid() if os.geteuid() else grp.getgrgid(65534).gr_gid)
    mask = os.umask(0o077)
    try:
        site.stage()
        with site.volume() as opened:
            name = choose_name(
                opened, STAGED, INBOX, "Letter", job_id=42, sha256=site.document.sha256, access=other
            )
            publish(opened, STAGED, name, site.document.sha256, access=other, progress=ignore)
    finally:
        os.umask(mask)
    state = (site.root / FINAL).stat()
    assert (state.st_mode & 0o777, state.st_gid) == (0o604, other.gid)
    assert (site.root / INBOX).stat().st_mode & 0o777 == 0o705


# At every instant


def the_courier(place: Path) -> None:
    """Stage, choose, tell the row, publish, as the courier and the daemon do; once more if need be."""
    site, row = made(place, b"%PDF-1.7 whole"), place / "row"
    digest = site.document.sha256
    with site.volume() as nas:
        stage(nas, site.document, STAGED, access=ACCESS, progress=ignore)
        if row.exists():
            name = row.read_text()
        else:
            name = choose_name(nas, STAGED, INBOX, "Letter", job_id=42, sha256=digest, access=ACCESS)
            durable.write_atomic(row, name.encode())
        publish(nas, STAGED, name, digest, access=ACCESS, progress=ignore)
        unstage(nas, STAGED)


def again(place: Path, *, consumed: bool) -> None:
    """What happens after the courier was killed: the row is read, and what it asks for is done."""
    site, row = made(place, b"%PDF-1.7 whole"), place / "row"
    if row.exists() and site.published(row.read_text()):
        site.unstage()
    else:
        assert not consumed
        the_courier(place)


def whole_way_at_every_instant(blow: str) -> None:
    """Strike at each instant from staging to Inbox, let a consumer come by at once, and go on."""

    def check(place: Path) -> None:
        site = made(place, b"%PDF-1.7 whole")
        for path, content in site.files().items():
            assert content == b"%PDF-1.7 whole" or path.endswith(".part")
        taken = place / "taken.pdf"
        if (site.root / FINAL).exists():
            (site.root / FINAL).rename(taken)
        again(place, consumed=taken.exists())
        assert site.files() == ({} if taken.exists() else {FINAL: b"%PDF-1.7 whole"})
        assert not (site.root / STAGED).parent.exists()

    modules = (access, delivery, durable, nas_file) if blow == "kill" else (delivery, nas_file)
    count = every_instant({"kill": kill, "fail": fail}[blow], the_courier, check, *modules)
    assert count > 200


@pytest.mark.parametrize("blow", ["kill", "fail"])
def test_every_instant(blow: str) -> None:
    """Whenever a courier is killed or a call fails, the document comes into the Inbox once, and nothing stays."""
    isolated(whole_way_at_every_instant, blow)


def copy_for_ever(directory: str) -> None:
    """Stage a large file."""
    site = made(Path(directory), CONTENT * 30)
    print("now", flush=True)  # noqa: T201 - to the test
    site.stage()


def test_killed_in_the_middle_of_a_copy(tmp_path: Path) -> None:
    """A courier that is killed while it copies leaves no file with a name, and the next one starts anew."""
    argv = [sys.executable, "-m", "tests.support.isolated", __file__, copy_for_ever.__name__, str(tmp_path)]
    with subprocess.Popen(argv, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE) as courier:
        assert courier.stdout
        courier.stdout.readline()
        place = tmp_path / "nas" / STAGED
        while not list(place.parent.glob(".*.part")):
            time.sleep(0.001)
        courier.send_signal(signal.SIGKILL)
    site = made(tmp_path, CONTENT * 30)
    assert all(path.endswith(".part") for path in site.files())
    site.stage()
    assert site.files() == {STAGED: CONTENT * 30}


# On bad ones


def on_a_full_nas(directory: str) -> None:
    """Stage what does not fit, then make room."""
    root = Path(directory) / "nas"
    root.mkdir()
    mount_tmpfs(root, "2m")
    site = made(Path(directory), root=root)
    (root / "big").write_bytes(CONTENT)
    with pytest.raises(TryAgain) as caught:
        site.stage()
    assert caught.value.code is ErrorCode.NAS_FULL
    assert site.files() == {"big": CONTENT}
    (root / "big").unlink()
    site.stage()
    assert site.files() == {STAGED: CONTENT}


@needs_mounts
def test_a_full_nas(tmp_path: Path) -> None:
    """A NAS without room keeps no part of the document, and takes it once there is room."""
    isolated(on_a_full_nas, tmp_path, mounts=True)


def across_file_systems(directory: str) -> None:
    """An Inbox that is a mount of its own."""
    site = made(Path(directory))
    site.stage()
    (site.root / INBOX).mkdir(parents=True)
    mount_tmpfs(site.root / INBOX)
    with pytest.raises(ScandError) as caught:
        site.publish(site.choose())
    assert caught.value.code is ErrorCode.NAS_UNAVAILABLE
    assert "one file system" in caught.value.sentence
    assert site.files() == {STAGED: CONTENT}


@needs_mounts
def test_an_inbox_on_another_file_system(tmp_path: Path) -> None:
    """Where no rename can get a document into the Inbox, it is not copied there, and the operator is told."""
    isolated(across_file_systems, tmp_path, mounts=True)


@contextmanager
def bad_nas(directory: str, content: bytes = CONTENT) -> Iterator[tuple[Site, NasFs]]:
    """A site on a network file system with faults."""
    backing, root = Path(directory) / "backing", Path(directory) / "nas"
    backing.mkdir()
    root.mkdir()
    with NasFs(backing, root) as nas:
        yield made(Path(directory), content, root), nas


def without_noreplace(directory: str) -> None:
    """Publish where renameat2 has no flags."""
    with bad_nas(directory) as (site, nas):
        nas.calls.clear()
        site.stage()
        calls = nas.calls[nas.calls.index("create") :]  # the directories are made
        steps = ["create", "write", "fsync", "read", "rename", "fsyncdir"]
        assert list(dict.fromkeys(call for call in calls if call in steps)) == steps
        assert site.files() == {STAGED: CONTENT}
        name = site.choose()
        assert name == "PKM/Inbox/Letter (job 42).pdf"
        (site.root / name).write_bytes(b"another")
        with pytest.raises(FileExistsError):
            site.publish(name)
        name = site.choose()
        assert name == "PKM/Inbox/Letter (job 42) (2).pdf"
        site.publish(name)
        site.unstage()
        assert site.files() == {"PKM/Inbox/Letter (job 42).pdf": b"another", name: CONTENT}


@needs_fuse
def test_without_rename_noreplace(tmp_path: Path) -> None:
    """On NFS a document gets a name that only its job would use, and still replaces no other."""
    isolated(without_noreplace, tmp_path, mounts=True)


def spoiled(directory: str) -> None:
    """Stage on a NAS that stores something else than it is given."""
    with bad_nas(directory) as (site, nas):
        nas.spoils = True
        with pytest.raises(TryAgain) as caught:
            site.stage()
        assert caught.value.code is ErrorCode.VERIFY_FAILED
        assert site.files() == {}
        nas.spoils = False
        site.stage()
        assert site.files() == {STAGED: CONTENT}


@needs_fuse
def test_a_copy_that_does_not_read_back(tmp_path: Path) -> None:
    """A copy that reads back with one wrong bit gets no name and does not stay."""
    isolated(spoiled, tmp_path, mounts=True)


def lost_replies(directory: str) -> None:
    """Renames that are carried out, and answered with an error."""
    with bad_nas(directory) as (site, nas):
        nas.loses = {"rename"}
        with pytest.raises(Unavailable):  # the first directory
            site.stage()
        for _ in range(2):
            with pytest.raises(Unavailable):  # the second; the file
                site.stage()
        site.stage()
        assert site.files() == {STAGED: CONTENT}
        nas.loses = set()
        name = site.choose()
        nas.loses = {"rename"}
        assert site.publish(name).inbox_path == name  # it looks, and finds it done
        assert site.published(name)
        assert site.files() == {name: CONTENT}


@needs_fuse
def test_lost_replies(tmp_path: Path) -> None:
    """A rename that was carried out though it returned an error is neither repeated nor forgotten."""
    isolated(lost_replies, tmp_path, mounts=True)


def refused_calls(directory: str) -> None:
    """Each kind of call fails once on the way to the Inbox."""
    with bad_nas(directory) as (site, nas):
        for call in ("lookup", "mkdir", "setattr", "create", "write", "fsync", "open", "read", "rename"):
            nas.refuses = {call: errno.EIO}
            with pytest.raises(Unavailable) as caught:
                site.stage()
            assert caught.value.code is ErrorCode.NAS_UNAVAILABLE
            nas.refuses = {}
            assert not [path for path in site.files() if not path.endswith(".part")]
            if call in {"lookup", "mkdir"}:
                continue
            site.stage()
            assert site.files() == {STAGED: CONTENT}
            site.unstage()
        site.stage()
        name = site.choose()
        for call in ("lookup", "open", "read", "rename"):
            nas.refuses = {call: errno.ESTALE if call == "open" else errno.EIO}
            with pytest.raises(Unavailable):
                site.publish(name)
            nas.refuses = {}
            assert site.files() == {STAGED: CONTENT}
        nas.refuses = {"lookup": errno.EIO}
        with pytest.raises(Unavailable):  # never "published" because nobody could look
            site.published(name)
        nas.refuses = {}
        site.publish(name)
        assert site.files() == {name: CONTENT}


@needs_fuse
def test_refused_calls(tmp_path: Path) -> None:
    """Whichever call the NAS refuses, it is unavailable, no file gets a name, and the next try works."""
    isolated(refused_calls, tmp_path, mounts=True)
