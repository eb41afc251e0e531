"""Edits at random on batches at random: the merge has order, turns and drops as asked, and the captured images.

What is expected is written down here once more, page by page, without the plan of `scand.spool.leaves`. With
`SCAND_SOAK=1` there are 1,000 sequences, at random; else a few, always the same.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from scand.courier.document import BatchSource, bind, merge
from scand.spool.leaves import FedBatch, plan
from scand.spool.records import Page, Side

SOAK = bool(os.environ.get("SCAND_SOAK"))
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of scan_job_pages."""

    page: int
    sheet: int
    side: Side
    blank: bool
    suspect: bool = False
    choice: str | None = None
    turn: int = 0
    place: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A batch on disk: its PDF, its rows before any edit, and the SHA-256 of each page's file."""

    source: BatchSource
    fed: FedBatch
    rows: tuple[Row, ...]
    files: tuple[str, ...]


KINDS = {
    "simplex": {"sides": 5, "blank": {2, 5}},
    "duplex": {"sides": 8, "blank": {2, 3, 4, 6}, "duplex": True, "rotate_back": 180},
    "separators go": {"sides": 6, "blank": {3, 4}, "duplex": True, "drop_blank_sheets": True},
    "nothing but blank": {"sides": 2, "blank": {1, 2}, "duplex": True, "drop_blank_sheets": True},
    "fronts": {"sides": 3, "blank": {2}, "halves": True, "rotate_back": 180},
    "backs": {"sides": 3, "blank": {1, 2}, "halves": True, "rotate_back": 180},
    "one sheet": {"sides": 1, "blank": set()},
}
"""Batches as they come out of the feeder; in a job fronts and backs come together."""


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Each kind of batch, bound once."""
    return {kind: made(tmp_path_factory.mktemp("batch"), kind, **how) for kind, how in KINDS.items()}  # type: ignore[arg-type]


def made(
    directory: Path,
    kind: str,
    *,
    sides: int,
    blank: set[int],
    duplex: bool = False,
    halves: bool = False,
    rotate_back: int = 0,
    drop_blank_sheets: bool = False,
) -> Made:
    """A batch of small pages that all differ."""
    pages, rows = [], []
    for number in range(1, sides + 1):
        name, file = f"page-{number:04d}.jpg", io.BytesIO()
        shade = int(hashlib.sha256(f"{kind} {number}".encode()).hexdigest(), 16)
        Image.new("L", (24 + shade % 64, 32 + number), shade % 256).save(file, "JPEG")
        (directory / name).write_bytes(file.getvalue())
        sha256 = hashlib.sha256(file.getvalue()).hexdigest()
        sheet = (number + 1) // 2 if duplex else number
        side = Side.BACK if duplex and number % 2 == 0 else Side.FRONT
        size, width, height = len(file.getvalue()), 24 + shade % 64, 32 + number
        pages.append(
            Page(
                sheet=sheet,
                side=side,
                file=name,
                sha256=sha256,
                size=size,
                width=width,
                height=height,
                dpi=75,
            )
        )
        rows.append(Row(number, sheet, side, number in blank))
    turned = 0 if halves else rotate_back
    pdf = bind(
        directory, pages, directory / "batch.pdf", rotate_back=turned, progress=lambda _done, _total: None
    )
    fed = FedBatch(
        0,
        kind,
        tuple(range(1, sides + 1)),
        halves=halves,
        rotate_back=rotate_back,
        drop_blank_sheets=drop_blank_sheets,
    )
    source = BatchSource(Path(pdf.path), pdf.sha256, pdf.pages, kind)
    return Made(source, fed, tuple(rows), tuple(page.sha256 for page in pages))


STACKS = st.sampled_from(
    [(kind,) for kind in KINDS if kind not in {"fronts", "backs"}] + [("fronts", "backs")]
)
EDITS = st.tuples(
    st.integers(0, 30),
    st.one_of(
        st.sampled_from([{"choice": "dropped"}, {"choice": "kept"}, {"choice": None}, {"suspect": True}]),
        st.sampled_from([0, 90, 180, 270]).map(lambda turn: {"turn": turn}),
        st.decimals(9_999, 40_010, places=1).map(lambda place: {"place": place}),
        st.integers(1, 4).map(lambda seq: {"place": Decimal(seq * 10_000 + 2)}),
        st.just({"place": None}),
    ),
)
"""An edit of one page: which of all, and what is written."""


@settings(
    max_examples=1000 if SOAK else 25,
    derandomize=not SOAK,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STACKS, min_size=1, max_size=3), st.lists(EDITS, max_size=25))
def test_a_merge_is_what_the_edits_ask_for(
    spool: dict[str, Made],
    tmp_path: Path,
    stacks: list[tuple[str, ...]],
    edits: list[tuple[int, dict[str, object]]],
) -> None:
    """Pages are where, how and whether asked for, its image is the captured file; always the same bytes."""
    kinds = [spool[kind] for stack in stacks for kind in stack]
    rows = [(number, row) for number, kind in enumerate(kinds) for row in kind.rows]
    for which, wanted in edits:
        number, row = rows[which % len(rows)]
        rows[which % len(rows)] = (number, replace(row, **wanted))  # type: ignore[arg-type]
    # A half all of whose pages have places stands outside; what that means for its other half is the plan's test.
    for number, kind in enumerate(kinds):
        if kind.fed.halves and all(row.place is not None for batch, row in rows if batch == number):
            rows = [(batch, replace(row, place=None) if batch == number else row) for batch, row in rows]
    batches = [
        replace(kind.fed, seq=number + 1, pages=tuple(row for batch, row in rows if batch == number))
        for number, kind in enumerate(kinds)
    ]
    planned, wanted_pages = plan(batches), expected(batches)
    assert bool(planned.runs) == bool(wanted_pages)
    if not wanted_pages:
        return
    sources = [replace(kind.source, label=f"Batch {number}") for number, kind in enumerate(kinds, 1)]
    documents = [
        merge(
            sources,
            planned.runs,
            tmp_path / name,
            title="Edited",
            created=CREATED,
            progress=lambda _done, _total: None,
        )
        for name in ("one.pdf", "two.pdf")
    ]
    assert Path(documents[0].path).read_bytes() == Path(documents[1].path).read_bytes()
    assert documents[0].pages == len(wanted_pages)
    with pikepdf.open(documents[0].path) as pdf:
        found = [
            (hashlib.sha256(image.read_raw_bytes()).hexdigest(), int(page.get("/Rotate", 0)))
            for page in pdf.pages
            for image in page.get_images().values()
        ]
    assert found == [(kinds[batch].files[page - 1], turn) for batch, page, turn in wanted_pages]


def expected(batches: list[FedBatch]) -> list[tuple[int, int, int]]:
    """The pages of the merge, each as (index of its batch, number, degrees), worked out sheet by sheet."""
    halves = [number for number, batch in enumerate(batches) if batch.halves]
    found = []
    for stack in [*([number] for number in range(len(batches)) if number not in halves), halves]:
        sheets: dict[Decimal, list[tuple[int, Row]]] = {}
        for number in stack:
            for row in batches[number].pages:
                assert isinstance(row, Row)
                sheets.setdefault(_sheet(batches, halves, number, row), []).append((number, row))
        blank = _left_out(list(sheets.values()), any(batches[number].drop_blank_sheets for number in stack))
        for key, sheet in sheets.items():
            for number, row in sheet:
                out = row.suspect or (number, row.page) in blank
                if row.choice == "dropped" or (row.choice is None and out):
                    continue
                back = row.side is Side.BACK or (number in halves and halves.index(number) % 2 == 1)
                own = Decimal(10_000 * (number + 1) + row.page)
                if number in halves and back:
                    own = key + Decimal("0.5")
                turn = (row.turn + (batches[number].rotate_back if back else 0)) % 360
                found.append((own if row.place is None else row.place, number, row.page, turn))
    return [(number, page, turn) for _, number, page, turn in sorted(found)]


def _sheet(batches: list[FedBatch], halves: list[int], number: int, row: Row) -> Decimal:
    """A number that the sides of a sheet have in common; in manual duplex it is the front's own place."""
    if number not in halves:
        return Decimal(row.sheet)
    backs, pair = halves.index(number) % 2 == 1, halves[halves.index(number) & ~1]
    front = len(batches[number].pages) + 1 - row.page if backs else row.page
    return Decimal(10_000 * (pair + 1) + front)


def _left_out(sheets: list[list[tuple[int, Row]]], separators_too: bool) -> set[tuple[int, int]]:
    """The sides that go because they are blank; none, if nothing else would be left."""
    trusted = [[(number, row) for number, row in sheet if not row.suspect] for sheet in sheets]
    out = {
        (number, row.page)
        for sheet in trusted
        for number, row in sheet
        if row.blank and (separators_too or len(sheet) == 1 or any(not other.blank for _, other in sheet))
    }
    return out if len(out) < sum(map(len, trusted)) else set()
