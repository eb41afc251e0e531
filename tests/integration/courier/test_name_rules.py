"""Servers that take fewer names than they announce: another name, or a sentence for a person; never an outage."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from scand import wire
from scand.courier.inbox import find_inbox
from scand.courier.publishing import Publishing
from scand.errors import BadData
from scand.faults import ErrorCode
from tests.support.delivery import ACCESS, CONTENT, INBOX, Delivery, bad_nas, made
from tests.support.isolated import isolated, needs_fuse

if TYPE_CHECKING:
    from pathlib import Path

LONG = "Ä" * 120  # 240 bytes
AWKWARD = 'Invoice: "March" 3/4? <final>. '


class Parent:
    """The daemon, which always gives the word.

    Attributes:
        named: the names that were in the row, one after the other.
    """

    def __init__(self) -> None:
        self.named: list[str] = []

    def say(self, report: wire.Report) -> None:
        """Take a report."""
        assert isinstance(report, wire.Named)
        self.named.append(report.inbox_path)

    def wait(self) -> wire.Go:
        """The word for the last name."""
        return wire.Go(inbox_path=self.named[-1])


def publish(site: Delivery, title: str, inbox: str = INBOX) -> tuple[wire.Published, list[str]]:
    """Run the task; what it published, and the names that it tried."""
    parent = Parent()
    task = wire.Publish(
        job_id=42,
        title=title,
        merged=site.document.path,
        pages=1,
        attempt=str(site.attempt),
        place=site.place,
        inbox=inbox,
        inbox_path=None,
        sha256=site.document.sha256,
        nas=wire.Nas(root=str(site.root), volume_id=site.volume_id, require_mount=False, file_mode="0640"),
    )
    with site.volume() as volume:
        published = Publishing(parent, volume, task, ACCESS, lambda *_: None).run()  # type: ignore[arg-type]
    assert isinstance(published, wire.Published)
    return published, parent.named


def one_document(site: Delivery, published: wire.Published) -> None:
    """The document is where it was said, and nowhere else."""
    assert {path for path, content in site.files().items() if content == CONTENT} == {published.inbox_path}
    assert not site.attempt.exists() or site.published()


def with_a_personality(directory: str, personality: str, title: str, name: str) -> None:
    """Publish under a title on such a server."""
    with bad_nas(directory) as (site, nas):
        nas.personality = personality
        site.stage()
        published, tried = publish(site, title)
        one_document(site, published)
        assert published.inbox_path.rpartition("/")[2] == name, tried


@needs_fuse
@pytest.mark.parametrize(
    ("personality", "title", "name"),
    [
        ("ecryptfs", LONG, "Ä" * 65 + " (job 42).pdf"),
        ("over_smb", LONG, "Ä" * 65 + " (job 42).pdf"),
        ("windows", AWKWARD, "Invoice- 'March' 3-4 (final) (job 42).pdf"),
        ("exfat", AWKWARD, "Invoice- 'March' 3-4 (final) (job 42).pdf"),
        ("windows", "CON", "_CON (job 42).pdf"),
        ("utf8only", "Größe", "Groe (job 42).pdf"),
        ("utf8only", "書類", "Scan (job 42).pdf"),
        ("leased", "Leased", "scan 42 (job 42).pdf"),
    ],
)
def test_a_document_gets_a_name_that_the_server_takes(
    tmp_path: Path, personality: str, title: str, name: str
) -> None:
    """As much of the title as it takes; each name is in the row before it is tried."""
    isolated(with_a_personality, tmp_path, personality, title, name, mounts=True)


def into_a_folder(directory: str, personality: str, inbox: str, found: str) -> None:
    """Publish into a folder on such a server."""
    with bad_nas(directory) as (site, nas):
        nas.personality = personality
        site.stage()
        published, _ = publish(site, "Letter", inbox)
        one_document(site, published)
        assert published.inbox_path == f"{found}/Letter (job 42).pdf"


@needs_fuse
@pytest.mark.parametrize(
    ("personality", "inbox", "found"),
    [
        ("windows", "PKM/Tax: 2026.", "PKM/Tax- 2026"),
        ("exfat", "PKM/Tax: 2026.", "PKM/Tax- 2026"),
        ("over_smb", "PKM/" + "x" * 100, "PKM/" + "x" * 100),
    ],
)
def test_a_folder_that_has_to_be_made_gets_a_name_that_all_take(
    tmp_path: Path, personality: str, inbox: str, found: str
) -> None:
    """As a title does."""
    isolated(into_a_folder, tmp_path, personality, inbox, found, mounts=True)


def on_a_mac(directory: str) -> None:
    """A folder in NFD, asked for in NFC and in another case."""
    with bad_nas(directory) as (site, nas):
        nas.personality = "macos"
        (site.root / "PKM").mkdir()
        (site.root / "PKM" / normalize("NFD", "Büro")).mkdir()
        site.stage()
        published, _ = publish(site, "Letter", "pkm/BÜRO")
        assert [path.name for path in (site.root / "PKM").iterdir()] == [normalize("NFD", "Büro")]
        assert (site.root / published.inbox_path).read_bytes() == CONTENT


@needs_fuse
def test_a_server_that_folds_case_and_normalizes(tmp_path: Path) -> None:
    """It finds the folder by itself, and no twin is made."""
    isolated(on_a_mac, tmp_path, mounts=True)


@pytest.mark.parametrize(("there", "asked"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_folder_is_found_by_what_it_looks_like(tmp_path: Path, there: str, asked: str) -> None:
    """Made by a Mac, or by anybody else; the row says the path as it is spelt on the disk."""
    site = made(tmp_path)
    folder = site.root / "PKM" / normalize(there, "Büro")  # type: ignore[arg-type]
    folder.mkdir(parents=True)
    site.stage()
    published, _ = publish(site, "Letter", "PKM/" + normalize(asked, "Büro"))  # type: ignore[arg-type]
    assert site.root / published.inbox_path == folder / "Letter.pdf"
    assert list((site.root / "PKM").iterdir()) == [folder]


def test_a_folder_that_somebody_named_otherwise_is_used_as_it_is(tmp_path: Path) -> None:
    """Only what scand makes gets a safe name."""
    site = made(tmp_path)
    (site.root / "Tax: 2026.").mkdir()
    with site.volume() as volume:
        assert find_inbox(volume, "Tax: 2026.", ACCESS) == "Tax: 2026."
        assert find_inbox(volume, "Tax: 2027.", ACCESS) == "Tax- 2027"
        assert find_inbox(volume, ".", ACCESS) == "."


@pytest.mark.parametrize("there", ["a file", "a link"])
def test_an_inbox_that_is_no_folder_is_told(tmp_path: Path, there: str) -> None:
    """It is this job's, and not an outage for everybody; nothing is published, and the preview stays."""
    site = made(tmp_path)
    site.stage()
    (site.root / "PKM").mkdir()
    inbox = site.root / INBOX
    if there == "a file":
        inbox.write_text("no folder")
    else:
        inbox.symlink_to(tmp_path)
    with pytest.raises(BadData) as refused:
        publish(site, "Letter")
    assert refused.value.code is ErrorCode.PLACE_REFUSED
    assert f'takes no document in "{INBOX}"' in refused.value.sentence
    assert not site.published()
    inbox.unlink()
    published, _ = publish(site, "Letter")
    one_document(site, published)


def refusing_permissions(directory: str, number: str) -> None:
    """Publish on a server that refuses chmod and chown."""
    with bad_nas(directory) as (site, nas):
        nas.refuses = {"setattr": int(number)}
        site.stage()
        published, _ = publish(site, "Letter")
        assert not published.granted
        one_document(site, published)
        nas.refuses = {}


@needs_fuse
@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_permissions_that_cannot_be_set_are_no_reason_not_to_deliver(tmp_path: Path, number: int) -> None:
    """ZFS with aclmode=restricted, exFAT, a NAS that maps all users to one: it is told, and it is there."""
    isolated(refusing_permissions, tmp_path, str(number), mounts=True)
