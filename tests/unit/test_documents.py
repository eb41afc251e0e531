"""The documents: what they refer to exists, what the code cites of them too, and they say what the code does."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from scand.faults import FAULTS
from scand.jobs.lifecycle import STEPS, Actor, Status, Step
from scand.jobs.settings import Settings
from tests.support import states
from tests.support.markdown import CHECKOUT, Document, anchor, documents, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = documents()
PROSE = [document for document in DOCUMENTS if document.path.name != "CHANGELOG.md"]
DESIGN = Document(CHECKOUT / "docs" / "design.md")
DECISIONS = [document for document in DOCUMENTS if document.path.parent.name == "decisions"]

_FILE = re.compile(r"(?:scand|sql|systemd|tests|docs)/[\w./-]*")
_CITATION = re.compile(r'design\.md ("[^"]+"(?:(?:,| and) "[^"]+")*)')
_PARTS = ["Situation", "Decision", "Rejected", "Holds"]
_OLD = "DESIGN" + " §"  # in two, so that this file does not hold it


def _sources() -> Iterator[Path]:
    """Every text that can cite the design."""
    yield from (CHECKOUT / name for name in ("README.md", "Makefile", "pyproject.toml"))
    for top in ("scand", "sql", "systemd", "tests", "docs"):
        for path in sorted((CHECKOUT / top).rglob("*.*")):
            if path.suffix not in {".pyc", ".png", ".json"} and path.is_file():
                yield path


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_resolve(document: Document) -> None:
    """Every link to a file or a heading of the repository leads there."""
    broken = []
    for link in document.links:
        if re.match(r"https?:|mailto:", link):
            continue
        file, _, fragment = link.partition("#")
        target = document.path.parent / file if file else document.path
        if not target.exists() or (fragment and fragment not in Document(target.resolve()).anchors):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_headings_differ(document: Document) -> None:
    """Two headings of one name in one document would have one anchor."""
    if document.path.name == "CHANGELOG.md":
        return  # each release has its own "Added"
    assert len(document.anchors) == len(set(document.anchors))


@pytest.mark.parametrize("document", PROSE, ids=str)
def test_files_exist(document: Document) -> None:
    """Every file or directory of the repository that a document names is there."""
    named = [code for code in document.code if _FILE.fullmatch(code)]
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_the_map_names_each_package_and_module_at_the_top() -> None:
    """docs/architecture.md knows every room of the house."""
    named = set(Document(CHECKOUT / "docs" / "architecture.md").code)
    top = [path for path in (CHECKOUT / "scand").iterdir() if not path.name.startswith(("_", "."))]
    rooms = {f"scand/{path.name}/" for path in top if (path / "__init__.py").exists()}
    modules = {f"scand/{path.name}" for path in top if path.suffix == ".py"}
    assert rooms | modules <= named


@pytest.mark.parametrize("road", ["Follow one sheet", "Follow one jam", "The NAS goes away while copying"])
def test_a_stranger_can_follow_the_road(road: str) -> None:
    """In docs/architecture.md each step on the way of a sheet, a jam and an outage names a file that exists."""
    steps = re.split(r"(?m)^\d+\. ", Document(CHECKOUT / "docs" / "architecture.md").section(road))[1:]
    assert len(steps) >= 6
    for step in steps:
        files = re.findall(r"`((?:scand|sql)/[\w./-]+\.\w+)`", step)
        assert files, step
        assert [file for file in files if not (CHECKOUT / file).is_file()] == []


def test_tests_that_are_named_exist() -> None:
    """Every test that a document names, as what holds a decision, is there."""
    named = {code for document in PROSE for code in document.code if re.fullmatch(r"test_\w+", code)}
    code = "\n".join(path.read_text("utf-8") for path in (CHECKOUT / "tests").rglob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in code} == set()


def test_citations_of_the_design_resolve() -> None:
    """Each heading of docs/design.md that code, SQL, units and tests cite is there; and none cites a paragraph."""
    headings, cited, wrong = set(DESIGN.headings), 0, []
    for path in _sources():
        text = re.sub(r"\s*\n\s*(?:#|--)?\s*", " ", path.read_text("utf-8"))
        if _OLD in text:
            wrong.append(f"{path.relative_to(CHECKOUT)}: {_OLD}")
        for citation in _CITATION.finditer(text):
            cited += 1
            names = re.findall(r'"([^"]+)"', citation[1])
            wrong += [f"{path.relative_to(CHECKOUT)}: {name}" for name in names if name not in headings]
    assert wrong == []
    assert cited > 5


def test_the_table_of_faults_is_the_codes() -> None:
    """docs/design.md has every row of FAULTS, in order: code, group, retry, and where the job goes."""
    told = [
        (code.strip("`"), group, retry, then)
        for code, group, _what, _pages, retry, then in rows(DESIGN.section("Faults"))[2:]
    ]
    assert told == [(code, fault.group, fault.retry, fault.then.value) for code, fault in FAULTS.items()]


def test_the_table_of_settings_is_the_models() -> None:
    """docs/settings.md has every setting in order, and its default first."""
    body = rows(Document(CHECKOUT / "docs" / "settings.md").text)[2:]
    assert [cells[0].strip("`") for cells in body] == [*Settings.model_fields]
    told = {cells[0].strip("`"): re.findall(r"`([^`]+)`", cells[1]) for cells in body}
    told["profile"].reverse()  # any name, and then the default
    for name, default in Settings().model_dump(mode="json").items():
        if default not in (None, []):
            assert json.loads(told[name][0]) == default, name


def test_the_diagram_of_states_is_the_codes() -> None:
    """docs/states.md holds what `python -m tests.support.states` would write."""
    page = states.PAGE.read_text("utf-8")
    assert states.generated() in page
    assert states.written(page) == page


def test_the_steps_that_are_told_are_the_codes() -> None:
    """Read back from docs/states.md: the table has every step, the diagram those without failed and canceled."""
    page = Document(states.PAGE)
    (_corner, *columns), _rule, *body = rows(page.text)
    table = {
        _step(left, right, who)
        for left, *cells in body
        for right, cell in zip(columns, cells, strict=True)
        for who in cell.split(", ")
        if who != "·"
    }
    assert table == STEPS
    arrows = re.findall(r"^ +(\S+) --> (\S+) : (.+)$", page.text, re.MULTILINE)
    drawn = {_step(left, right, who) for left, right, whose in arrows for who in whose.split(", ")}
    ends = {Status.FAILED, Status.CANCELED}
    assert drawn == {step for step in STEPS if not ends & {step.from_status, step.to_status}}


def _step(left: str, right: str, who: str) -> Step:
    return Step(None if left in {"(new row)", "[*]"} else Status(left), Status(right), Actor(who))


def test_every_status_has_a_paragraph() -> None:
    """docs/states.md has a heading for each status, in the order of its life."""
    assert Document(states.PAGE).headings[1:] == [*Status]


def test_lengths() -> None:
    """README is read in one sitting, a decision on one page."""
    assert len(Document(CHECKOUT / "README.md").text.splitlines()) <= 150
    long = {str(document): len(document.text.splitlines()) for document in DECISIONS}
    assert {name: lines for name, lines in long.items() if lines > 40} == {}


def test_decisions_are_numbered_and_tell_all() -> None:
    """Decisions are numbered without a gap, and each says what was decided, what was not, and what holds it."""
    numbers = [int(document.path.name[:4]) for document in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    for number, document in zip(numbers, DECISIONS, strict=True):
        title, *parts = document.headings
        assert title.startswith(f"{number}. ")
        assert [part for part in parts if part != "What it costs"] == _PARTS


def test_the_sdist_carries_the_documents() -> None:
    """What is built from the checkout has docs/, and every document that a package shows first."""
    pyproject = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    assert {"docs", "README.md", "CHANGELOG.md"} <= {
        *pyproject["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    }


def test_an_anchor_is_as_github_names_it() -> None:
    """Punctuation goes, spaces become hyphens, letters are small."""
    assert anchor("The agent's own steps") == "the-agents-own-steps"
    assert anchor("scan_agent_health (view)") == "scan_agent_health-view"
