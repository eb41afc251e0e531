"""A document gets into the Inbox once, whole, and never over another: on a good file system."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from scand.courier.access import Access
from scand.courier.delivery import Published, publish
from scand.courier.staging import stage
from scand.errors import BadData
from scand.faults import ErrorCode
from tests.support.delivery import (
    ACCESS,
    CONTENT,
    FINAL,
    INBOX,
    PLACE,
    STAGED,
    Delivery,
)


def test_the_whole_way(site: Delivery) -> None:
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


def test_progress_counts_bytes(site: Delivery) -> None:
    """Staging counts what is copied and what is read back, publishing what is read back, each up to its total."""
    steps: list[tuple[int, int]] = []
    with site.volume() as opened:
        stage(opened, site.document, PLACE, access=ACCESS, progress=lambda *step: steps.append(step))
        assert steps == sorted(steps)
        assert steps[-1] == (2 * len(CONTENT), 2 * len(CONTENT))
        steps.clear()
        name = site.choose()
        digest = site.document.sha256
        publish(
            opened,
            STAGED,
            name,
            digest,
            attempt=site.attempt,
            access=ACCESS,
            progress=lambda *step: steps.append(step),
        )
        assert steps[-1] == (len(CONTENT), len(CONTENT))


def test_staging_again_changes_nothing(site: Delivery) -> None:
    """What is staged already is only read back."""
    site.stage()
    before = (site.root / STAGED).stat().st_ino
    site.stage()
    assert (site.root / STAGED).stat().st_ino == before


def test_staging_replaces_and_tidies(site: Delivery) -> None:
    """An older merge, those of former stays and parts of killed couriers give way to the new one."""
    place = (site.root / STAGED).parent
    others = {
        place / "README",
        place / "Former title.pdf",
        place / "..part",
        place.with_name("job-42-x") / "a",
    }
    others |= {
        place.parent / name / "merged.pdf" for name in ("job-4-7", "job-421-7", "job-42", "job-42-7-bak")
    }
    ours = {
        place / "merged.pdf",
        place / ".0123456789abcdef.part",
        place.with_name("job-42-6") / "merged.pdf",
    }
    for path in others | ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"old")
    left = {str(path.relative_to(site.root)): b"old" for path in others}
    site.stage()
    assert site.files() == {STAGED: CONTENT, **left}
    site.unstage()
    assert site.files() == left


def test_a_staged_file_of_the_same_size_is_not_trusted(site: Delivery) -> None:
    """A staged file with another content is copied again."""
    site.stage()
    (site.root / STAGED).write_bytes(CONTENT[::-1])
    site.stage()
    assert site.files() == {STAGED: CONTENT}


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "gone"])
def test_a_damaged_source_is_not_staged(site: Delivery, damage: str) -> None:
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


def test_names_that_are_taken(site: Delivery) -> None:
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


def test_the_same_document_makes_no_second_file(site: Delivery) -> None:
    """Where this very document lies in the Inbox already, its name is chosen and the staged file goes."""
    site.stage()
    (site.root / INBOX).mkdir(parents=True)
    (site.root / FINAL).write_bytes(CONTENT)
    assert site.choose() == FINAL
    site.publish()
    assert site.files() == {FINAL: CONTENT}
    assert not site.published(), "nothing was renamed: after a kill here it is staged and found again"


def test_a_name_taken_at_the_last_moment(site: Delivery) -> None:
    """A file that appears between choice and publication is not touched; another name is chosen."""
    site.stage()
    name = site.choose()
    (site.root / name).write_bytes(b"another")
    with pytest.raises(FileExistsError):
        site.publish(name)
    assert not site.published()
    name = site.choose()
    site.publish(name)
    assert site.files() == {FINAL: b"another", "PKM/Inbox/Letter (2).pdf": CONTENT}


def test_a_longer_title_than_names_can_be(site: Delivery) -> None:
    """A title of any length gets a name, also beside others that begin the same."""
    site.stage()
    (site.root / site.choose("ä" * 300)).write_bytes(b"another")
    second = site.choose("ä" * 300)
    assert second.endswith("ä (2).pdf")
    assert len(Path(second).name.encode()) in {254, 255}


def test_what_was_not_previewed_is_not_published(site: Delivery) -> None:
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


def test_who_may_read_it(site: Delivery) -> None:
    """Permissions and group are those of the config at the time of publication, whatever the umask."""
    other = Access(0o604, os.getgid() if os.geteuid() else grp.getgrgid(65534).gr_gid)
    mask = os.umask(0o077)
    try:
        site.stage()
        site.publish(site.choose(access=other), access=other)
    finally:
        os.umask(mask)
    state = (site.root / FINAL).stat()
    assert (state.st_mode & 0o777, state.st_gid) == (0o604, other.gid)
    assert (site.root / INBOX).stat().st_mode & 0o777 == 0o705
