"""A courier is killed, or a call fails, at each instant from staging to Inbox."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scand import durable
from scand.courier import access, attempt, delivery, nas_file, staging
from scand.courier.choosing import choose_name
from scand.courier.delivery import publish
from scand.courier.staging import stage, unstage
from tests.support.delivery import (
    ACCESS,
    CONTENT,
    FINAL,
    INBOX,
    PLACE,
    STAGED,
    ignore,
    made,
)
from tests.support.instants import every_instant, fail, kill
from tests.support.isolated import isolated


def the_courier(place: Path) -> None:
    """Stage, choose, tell the row, publish, as the courier and the daemon do; once more if need be."""
    site, row = made(place, b"%PDF-1.7 whole"), place / "row"
    digest = site.document.sha256
    with site.volume() as nas:
        stage(nas, site.document, PLACE, access=ACCESS, progress=ignore)
        name = choose_name(nas, STAGED, INBOX, "Letter", job_id=42, sha256=digest, access=ACCESS)
        durable.write_atomic(row, name.encode())
        publish(nas, STAGED, name, digest, attempt=site.attempt, access=ACCESS, progress=ignore)
        unstage(nas, PLACE)


def again(place: Path, *, consumed: bool) -> None:
    """What happens after the courier was killed: it is found out whether it published, and else it does."""
    site = made(place, b"%PDF-1.7 whole")
    if site.published():
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

    modules = (
        (access, attempt, delivery, durable, nas_file, staging)
        if blow == "kill"
        else (delivery, nas_file, staging)
    )
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
