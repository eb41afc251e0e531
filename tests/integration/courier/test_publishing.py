"""The task to publish: proof that it was done is positive, whatever else happens in the staging folder."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scand import wire
from scand.courier import delivery, publishing
from scand.courier.publishing import Publishing
from scand.courier.staging import unstage
from scand.errors import BadData, ScandError, Unavailable
from scand.faults import ErrorCode
from scand.jobs.staged import StagedPlace
from scand.wire.parent import Parent
from tests.support.delivery import ACCESS, CONTENT, FINAL, INBOX, PLACE, STAGED, Delivery, bad_nas, made
from tests.support.instants import every_instant
from tests.support.isolated import isolated, needs_fuse

if TYPE_CHECKING:
    from pydantic import BaseModel

WHOLE = b"%PDF-1.7 whole"
FORMER = ".scan-staging/job-42/merged.pdf"


class Daemon(Parent):
    """The other end: it says "go" to each name."""

    def __init__(self) -> None:
        self.named: list[str] = []

    def say(self, report: BaseModel) -> None:
        """Hear a name."""
        if isinstance(report, wire.Named):
            self.named.append(report.inbox_path)

    def wait(self) -> wire.Command:
        """Say "go"."""
        return wire.Go(inbox_path=self.named[-1])


def published(
    site: Delivery, place: StagedPlace = PLACE, *, name: str | None = None, sha256: str | None = None
) -> wire.Published:
    """Run the task; `name` and `sha256` are what the row says."""
    task = wire.Publish(
        job_id=42,
        title="Letter",
        merged=site.document.path,
        pages=1,
        attempt=str(site.attempt),
        place=place,
        inbox=INBOX,
        inbox_path=name,
        sha256=sha256,
        nas=wire.Nas(root=str(site.root), volume_id=site.volume_id, require_mount=False, file_mode="0640"),
    )
    with site.volume() as volume:
        published = Publishing(Daemon(), volume, task, ACCESS, lambda *_: None).run()
    assert isinstance(published, wire.Published)
    return published


def settle(nas: Path) -> None:
    """The Inbox has not changed for years."""
    (nas / INBOX).mkdir(parents=True, exist_ok=True)
    os.utime(nas / INBOX, (1_000_000_000, 1_000_000_000))


def the_courier(place: Path) -> None:
    """Stage, if it is not staged, and publish; what it reports is written down."""
    os.chdir(place)
    site = made(place, WHOLE)
    if not site.attempt.exists():
        site.stage()
    said = published(site)
    (place / "said").write_text(said.inbox_path)


def cleaned_at_every_instant() -> None:
    """A clean-up of hidden folders comes by at each instant."""

    def check(place: Path) -> None:
        site = made(place, WHOLE)
        if not (place / "said").exists():  # it was refused, so nothing was published
            assert site.files().keys() <= {STAGED}
            site.stage()
            published(site)
        assert site.files() == {FINAL: WHOLE}

    count = every_instant(
        lambda: shutil.rmtree("nas/.scan-staging", ignore_errors=True),
        the_courier,
        check,
        delivery,
        publishing,
    )
    assert count > 60


def test_a_clean_up_of_hidden_folders_at_every_instant() -> None:
    """Whenever the staged file is removed by somebody else, the document is in the Inbox or nobody says so."""
    isolated(cleaned_at_every_instant)


def vanishing(directory: str) -> None:
    """The staged file is removed just before the rename: the NAS answers ENOENT."""
    with bad_nas(directory) as (site, nas):
        site.stage()
        name = site.choose()
        nas.vanishes = {"rename"}
        with pytest.raises(BadData) as caught:
            site.publish(name)
        assert caught.value.code is ErrorCode.STAGED_FILE_GONE
        assert not site.published()
        nas.vanishes = set()
        said = published(site, sha256=site.document.sha256)
        assert site.files() == {said.inbox_path: CONTENT}


@needs_fuse
def test_a_staged_file_that_vanishes_before_the_rename(tmp_path: Path) -> None:
    """FIELD P2: it is staged again from local disk and published, never committed with an empty Inbox."""
    isolated(vanishing, tmp_path, mounts=True)


def refused(directory: str) -> None:
    """The rename is refused with EIO, then the staged file is removed; and once it is carried out, then taken."""
    with bad_nas(directory) as (site, nas):
        for carried_out in (False, True):
            site.stage()
            settle(Path(directory) / "backing")
            name = site.choose()
            nas.refuses = {} if carried_out else {"rename": errno.EIO}
            nas.loses = {"rename"} if carried_out else set()
            if carried_out:
                site.publish(name)
                (site.root / name).unlink()
            else:
                with pytest.raises(Unavailable):
                    site.publish(name)
                (site.root / STAGED).unlink()
            nas.refuses, nas.loses = {}, set()
            assert site.published() is carried_out


@needs_fuse
def test_only_a_changed_inbox_makes_absence_a_proof(tmp_path: Path) -> None:
    """Staged file and document are both gone: the Inbox shows whether a consumer may have taken anything."""
    isolated(refused, tmp_path, mounts=True)


def test_a_consumer_that_takes_it_before_the_daemon_hears_of_it(site: Delivery) -> None:
    """The rename is on record, so it is not published again."""
    site.stage()
    settle(site.root)
    site.publish(site.choose())
    (site.root / FINAL).unlink()
    assert published(site).inbox_path == FINAL
    assert site.files() == {}


def test_the_rows_word_is_no_proof(site: Delivery) -> None:
    """A row with a name in the Inbox and a hash, and nothing there: it is staged again, and published."""
    assert published(site, name="Inbox/elsewhere.pdf", sha256=site.document.sha256).inbox_path == FINAL
    assert site.files() == {FINAL: CONTENT}


def test_a_record_of_another_stay_is_none(site: Delivery) -> None:
    """A job that was reopened publishes anew, though its former document was taken by a consumer."""
    site.stage()
    site.publish(site.choose())
    (site.root / FINAL).unlink()
    later = site._replace(place=StagedPlace(PLACE.folder, 42, 9))
    later.stage()
    assert published(later, later.place).inbox_path == FINAL
    assert site.files() == {FINAL: CONTENT}


# What scand 0.1 has staged


def legacy(site: Delivery, content: bytes = CONTENT) -> StagedPlace:
    """Stage as scand 0.1 did; the place of its job."""
    (site.root / FORMER).parent.mkdir(parents=True)
    (site.root / FORMER).write_bytes(content)
    return StagedPlace(PLACE.folder, 42, 7, former=FORMER)


def test_a_preview_of_0_1_is_moved_along_and_published(site: Delivery) -> None:
    """One document, and nothing is left of the former place."""
    assert published(site, legacy(site)).inbox_path == FINAL
    assert site.files() == {FINAL: CONTENT}
    assert not (site.root / FORMER).parent.exists()


def test_what_another_installation_has_staged_in_that_place_is_left(site: Delivery) -> None:
    """Two installations of 0.1 staged under one name: what is not this job's document is not touched."""
    place = legacy(site, CONTENT[::-1])
    with pytest.raises(BadData) as caught:
        published(site, place)
    assert caught.value.code is ErrorCode.STAGED_FILE_GONE
    with site.volume() as volume:
        assert unstage(volume, place, (site.document.size, site.document.sha256)) == FORMER
        assert unstage(volume, place, None) == FORMER
    assert site._replace(place=place).stage() == FORMER
    assert site.files() == {FORMER: CONTENT[::-1], STAGED: CONTENT}


def test_a_merge_that_is_staged_anew_replaces_the_former_one(site: Delivery) -> None:
    """A job that was assembling: the same document in the former place is its own."""
    place = legacy(site)
    assert site._replace(place=place).stage() is None
    assert site.files() == {STAGED: CONTENT}


@pytest.mark.parametrize("taken", [False, True])
def test_a_commit_that_0_1_has_begun(site: Delivery, *, taken: bool) -> None:
    """The document in the Inbox is proof; where nobody can tell, a person is asked and nothing is published."""
    place = StagedPlace(PLACE.folder, 42, 7, former=FORMER)
    (site.root / INBOX).mkdir(parents=True)
    if not taken:
        (site.root / FINAL).write_bytes(CONTENT)
        assert published(site, place, name=FINAL, sha256=site.document.sha256).inbox_path == FINAL
        return
    with pytest.raises(BadData, match="see whether somebody has taken it"):
        published(site, place, name=FINAL, sha256=site.document.sha256)
    assert site.files() == {}


# Siblings


@pytest.mark.parametrize("planted", ["stay", "folder"])
def test_a_planted_link_is_not_followed(site: Delivery, tmp_path: Path, planted: str) -> None:
    """A symbolic link where scand stages leads nowhere: nothing behind it is read, moved or removed."""
    behind = tmp_path / "behind"
    (behind / "job-42-7").mkdir(parents=True)
    for directory in (behind, behind / "job-42-7"):
        (directory / "merged.pdf").write_bytes(CONTENT)
    own = site.root / PLACE.folder
    link = own if planted == "folder" else own / PLACE.directory
    link.parent.mkdir(parents=True)
    link.symlink_to(behind)
    for act in (site.stage, site.choose, lambda: published(site)):
        with pytest.raises(ScandError):
            act()
    if planted == "stay":
        site.unstage()
    assert (behind / "merged.pdf").read_bytes() == CONTENT
    assert (behind / "job-42-7" / "merged.pdf").read_bytes() == CONTENT
    assert not (site.root / INBOX).exists()


def test_another_installations_folder_is_never_looked_into(site: Delivery) -> None:
    """The same job, the same stay, the same NAS, each command crosswise: the other's folder stays as it is."""
    other = site._replace(place=StagedPlace(".scan-staging/9f9f9f9f", 42, 7))
    other.stage()
    folder = site.root / other.place.folder

    paths = [folder, folder / other.place.directory, site.root / other.place.path]
    for (
        path
    ) in paths:  # a time of access that is older than the last change is renewed by any reading (relatime)
        os.utime(path, (10**9, 2 * 10**9))

    def state() -> list[tuple[int, int, int]]:
        return [(s.st_ino, s.st_atime_ns, s.st_mtime_ns) for s in map(os.stat, paths)]

    before = state()
    site.stage()
    site.unstage()
    site.stage()
    published(site)
    site.unstage()
    assert state() == before
    assert published(other, other.place).inbox_path == FINAL
