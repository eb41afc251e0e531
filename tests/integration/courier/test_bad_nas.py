"""A document gets into the Inbox once, whole, and never over another: on bad file systems."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from scand.errors import ScandError, TryAgain, Unavailable
from scand.faults import ErrorCode
from tests.support.delivery import (
    CONTENT,
    INBOX,
    STAGED,
    bad_nas,
    made,
)
from tests.support.isolated import isolated, mount_tmpfs, needs_fuse, needs_mounts


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
    assert caught.value.code is ErrorCode.PLACE_REFUSED
    assert f'no document in "{INBOX}" (Invalid cross-device link)' in caught.value.sentence
    assert site.files() == {STAGED: CONTENT}


@needs_mounts
def test_an_inbox_on_another_file_system(tmp_path: Path) -> None:
    """Where no rename can get a document into the Inbox, it is not copied there, and a person is told."""
    isolated(across_file_systems, tmp_path, mounts=True)


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
        for _ in range(3):
            with pytest.raises(Unavailable):  # two more; the file
                site.stage()
        site.stage()
        assert site.files() == {STAGED: CONTENT}
        nas.loses = set()
        name = site.choose()
        nas.loses = {"rename"}
        assert site.publish(name).inbox_path == name  # it looks, and finds it done
        assert site.published()
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
            site.published()
        nas.refuses = {}
        site.publish(name)
        assert site.files() == {name: CONTENT}


@needs_fuse
def test_refused_calls(tmp_path: Path) -> None:
    """Whichever call the NAS refuses, it is unavailable, no file gets a name, and the next try works."""
    isolated(refused_calls, tmp_path, mounts=True)
