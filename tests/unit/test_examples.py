"""The Python in docs/database.md is that of the document server which the browser tests."""

from __future__ import annotations

import re

import pytest

from tests.support.markdown import CHECKOUT, Document

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", Document(CHECKOUT / "docs/database.md").text, re.MULTILINE | re.DOTALL
)
SERVER = sorted((CHECKOUT / "tests/document_server").glob("*.py"))


def plain(text: str) -> str:
    """Its lines, without indentation and remarks to the linter."""
    return "\n".join(re.sub(r"  # (noqa|type: ignore).*", "", line).strip() for line in text.splitlines())


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_is_the_servers_own(block: str) -> None:
    """Line by line: what is shown is what runs."""
    assert any(plain(block) in plain(path.read_text()) for path in SERVER)


def test_there_are_examples() -> None:
    """The mapping, the version, a button, an edit, a refusal, and listening."""
    assert len(BLOCKS) == 6
