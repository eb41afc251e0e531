"""`scand pages`, `sheet`, `drop`, `keep`, `turn` and `move`: pages are looked at and edited before the merge."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.shell import step

if TYPE_CHECKING:
    from tests.shell import Connection, Shell

TIMES = "\N{MULTIPLICATION SIGN}"
COLORS = ("red", "green", "blue", "white", "black")


def picture(color: str) -> bytes:
    """A small picture of a sheet: its upper half in a colour, the lower half gray."""
    image = Image.new("RGB", (283, 400), "gray")
    image.paste(color, (0, 0, 283, 200))
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def add_batch(agent: Connection, seq: int, pages: int, *, recorded: bool = True) -> None:
    """A batch of job 1 with so many pages, whose pictures differ."""
    if recorded:
        agent.execute(
            "INSERT INTO scan_job_batches (job_id, batch_seq, page_count) VALUES (1, %s, %s)", (seq, pages)
        )
    for page in range(1, pages + 1):
        agent.execute(
            "INSERT INTO scan_job_pages"
            " (job_id, batch_seq, page, sheet, side, width_mm, height_mm, blank, sha256, picture)"
            " VALUES (1, %s, %s, %s, %s, 210, 297, %s, repeat('0', 64), %s)",
            (
                seq,
                page,
                (page + 1) // 2,
                ("back", "front")[page % 2],
                page == 4,
                picture(COLORS[(4 * seq + page) % 5]),
            ),
        )


@pytest.fixture
def scanned(shell: Shell, agent: Connection) -> Shell:
    """Job 1, ready: batch 1 of four sides, the last of which is blank, and batch 2 of one."""
    shell.run("submit", "Letters")
    step(agent, 1, "ready")
    add_batch(agent, 1, 4)
    add_batch(agent, 2, 1)
    return shell


def said(shell: Shell, *words: str, status: int = os.EX_OK) -> str:
    """What a command says; it must exit with `status`."""
    found, text = shell.typed(*words)
    assert found == status, (words, found, text)
    return text


def counts(shell: Shell) -> dict[str, int]:
    """How many pages are edited, as `scand show` tells."""
    found: dict[str, int] = json.loads(said(shell, "show", "1", "--json"))["edits"]
    return found


def document(shell: Shell) -> list[str]:
    """The names of the pages in the document, in order."""
    found = [page for page in json.loads(said(shell, "pages", "1", "--json"))["pages"] if page["document"]]
    return [page["name"] for page in sorted(found, key=lambda page: page["document"])]


def steps(agent: Connection) -> int:
    """`scan_jobs.steps`."""
    ((found,),) = agent.execute("SELECT steps FROM scan_jobs").fetchall()
    return int(found)


def edits(agent: Connection) -> list[tuple[Any, ...]]:
    """What clients want done with the pages."""
    return agent.execute(
        "SELECT batch_seq, page, choice, turn, place::float8 FROM scan_job_pages"
        " WHERE choice IS NOT NULL OR turn <> 0 OR place IS NOT NULL ORDER BY batch_seq, page"
    ).fetchall()


def test_pages_are_dropped_kept_turned_and_moved(scanned: Shell, agent: Connection) -> None:
    """One statement a command: the job's steps go up by one with each; and each can be undone."""
    assert document(scanned) == ["1.1", "1.2", "1.3", "2.1"]
    before = steps(agent)
    assert said(scanned, "drop", "1", "1.2-3") == "job 1: 2 pages are dropped; pages in the document: 2\n"
    assert steps(agent) == before + 1
    assert said(scanned, "keep", "1", "1.4") == "job 1: 1.4 is kept; pages in the document: 3\n"
    assert said(scanned, "turn", "1", "90", "1.1", "2.1").startswith("job 1: 2 pages are turned; ")
    assert said(scanned, "move", "1", "2.1", "1.2").startswith("job 1: 2.1 is moved; ")
    assert edits(agent) == [
        (1, 1, None, 90, None), (1, 2, "dropped", 0, None), (1, 3, "dropped", 0, None), (1, 4, "kept", 0, None),
        (2, 1, None, 90, 10002.0),
    ]  # fmt: skip
    assert document(scanned) == ["1.1", "2.1", "1.4"]
    assert "2 pages dropped, 1 kept, 2 turned, 1 moved" in said(scanned, "show", "1")
    assert counts(scanned) == {"dropped": 2, "kept": 1, "turned": 2, "moved": 1}
    said(scanned, "drop", "1", "1.1-4", "--undo")
    said(scanned, "turn", "1", "0", "1.1", "2.1")
    said(scanned, "move", "1", "2.1", "--undo")
    assert edits(agent) == []
    assert document(scanned) == ["1.1", "1.2", "1.3", "2.1"]


def test_pages_are_moved_before_and_after_others(scanned: Shell) -> None:
    """Several keep the order in which they are named; the first and the last place can be had, too."""
    for words, expected in (
        (("2.1", "--before", "1.1"), ["2.1", "1.1", "1.2", "1.3"]),
        (("1.3", "1.1", "--after", "2.1"), ["2.1", "1.3", "1.1", "1.2"]),
        (("2.1", "--after", "1.2"), ["1.3", "1.1", "1.2", "2.1"]),
        (("1.2", "--before", "1.1"), ["1.3", "1.2", "1.1", "2.1"]),
    ):
        said(scanned, "move", "1", *words)
        assert document(scanned) == expected, words


def test_the_table_for_people(scanned: Shell) -> None:
    """A line a page, with its number in the document."""
    said(scanned, "drop", "1", "1.2")
    lines = [line.split() for line in said(scanned, "pages", "1").splitlines()]
    assert lines[2] == ["1.1", "1", "front", "210", TIMES, "297", "1"]
    assert lines[3] == ["1.2", "1", "back", "210", TIMES, "297", "dropped"]
    assert lines[5] == ["1.4", "2", "back", "210", TIMES, "297", "blank"]
    assert lines[6] == ["2.1", "1", "front", "210", TIMES, "297", "3"]


def test_a_contact_sheet_shows_the_document(scanned: Shell) -> None:
    """The pages of the document in order and as they will be turned; both spellings draw the same."""
    said(scanned, "drop", "1", "1.1")
    said(scanned, "turn", "1", "180", "1.2")
    said(scanned, "turn", "1", "90", "1.3")
    target = scanned.home / "sheet.png"
    assert "3 pages drawn" in said(scanned, "pages", "1", "--sheet", str(target))
    with Image.open(target) as sheet:
        drawn = sheet.convert("RGB")
    said(scanned, "sheet", "1", str(scanned.home / "again.png"))
    assert (scanned.home / "again.png").read_bytes() == target.read_bytes()
    # On a table 18 pixels apart, as large as the larger sides of them all; each is looked at 80 from its middle.
    side, gap, y = 297, 18, 18 + 148
    first, second, third = (gap + number * (side + gap) + side // 2 for number in range(3))
    looked = {
        "1.2": (drawn.getpixel((first, y - 80)), drawn.getpixel((first, y + 80))),
        "1.3": (drawn.getpixel((second - 80, y)), drawn.getpixel((second + 80, y))),
        "2.1": (drawn.getpixel((third, y + 80)), drawn.getpixel((third, y - 80))),
    }
    near = {name: tuple(map(_named, pixels)) for name, pixels in looked.items()}
    assert near == {"1.2": ("gray", "green"), "1.3": ("gray", "blue"), "2.1": ("gray", "black")}


def _named(pixel: object) -> str:
    """The colour that is nearest."""
    assert isinstance(pixel, tuple)
    names = {"gray": (128, 128, 128), "green": (0, 128, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}
    return min(names, key=lambda name: sum(abs(a - b) for a, b in zip(names[name], pixel, strict=True)))


def test_pages_are_seen_while_they_are_scanned(scanned: Shell, agent: Connection) -> None:
    """The batch under way is in the table and on the sheet, before it is recorded."""
    step(agent, 1, "scanning")
    add_batch(agent, 3, 2, recorded=False)
    assert document(scanned) == ["1.1", "1.2", "1.3", "2.1", "3.1", "3.2"]
    assert "6 pages drawn" in said(scanned, "sheet", "1", str(scanned.home / "a.png"))
    told = said(scanned, "drop", "1", "3.1", status=os.EX_DATAERR)
    assert told == "Job 1 is scanning a batch: scand watch 1 follows it, scand cancel 1 stops it"


def test_fronts_and_backs_are_in_the_order_of_their_sheets(shell: Shell, agent: Connection) -> None:
    """Manual duplex: as fed while there are only fronts; then a back stands behind its front, for moves, too."""
    shell.run("submit", "a", "--set", "sides=manual-duplex", "--set", "rotate_back=180")
    step(agent, 1, "ready")
    add_batch(agent, 1, 2)
    assert document(shell) == ["1.1", "1.2"]
    add_batch(agent, 2, 2)
    assert document(shell) == ["1.1", "2.2", "1.2", "2.1"]
    said(shell, "move", "1", "2.1", "--after", "2.2")
    assert document(shell) == ["1.1", "2.2", "2.1", "1.2"]


def test_what_is_no_page(scanned: Shell) -> None:
    """Wrong words are 64, pages that are not there 65; nothing is changed by half."""
    for words in (["drop", "1", "17"], ["drop", "1", "1.3-2"], ["drop", "1", "1.0"], ["drop", "1"]):
        said(scanned, *words, status=os.EX_USAGE)
    said(scanned, "turn", "1", "45", "1.1", status=os.EX_USAGE)
    said(scanned, "move", "1", "1.1", status=os.EX_USAGE)
    said(scanned, "move", "1", "1.1", "--before", "1.2", "--undo", status=os.EX_USAGE)
    said(scanned, "move", "1", "1.1", "--before", "1.2-3", status=os.EX_USAGE)
    missing = said(scanned, "drop", "1", "1.4-5", status=os.EX_DATAERR)
    assert missing == "Job 1 has no page 1.5: batch 1 has 1 to 4."
    missing = said(scanned, "turn", "1", "90", "7.1", status=os.EX_DATAERR)
    assert missing == "Job 1 has no page 7.1: scand pages 1 shows which there are."
    assert "to itself" in said(scanned, "move", "1", "1.1", "1.1", status=os.EX_DATAERR)
    assert counts(scanned) == {"dropped": 0, "kept": 0, "turned": 0, "moved": 0}
    assert "cannot be written" in said(scanned, "sheet", "1", "/proc/a.png", status=os.EX_DATAERR)
