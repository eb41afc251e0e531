"""requirements.lock: it holds what pyproject.toml asks for, each package in a section that is installed for it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
LOCK = (CHECKOUT / "requirements.lock").read_text()

EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = {
    "build": [*PROJECT["dependency-groups"]["build"], *PROJECT["build-system"]["requires"]],
    "run": PROJECT["project"]["dependencies"],
    "embedded": EXTRAS["embedded"],
    "test": EXTRAS["test"],
    "dev": [asked for asked in EXTRAS["dev"] if not asked.startswith("scand[")],
    "lock": PROJECT["dependency-groups"]["lock"],
}
INSTALLED = {
    "build": ["build"],
    "run": ["run"],
    "embedded": ["run", "embedded"],
    "test": ["run", "embedded", "test"],
    "dev": ["run", "embedded", "test", "dev"],
    "lock": ["lock"],
}
"""Use → the sections that are installed for it."""


def _sections() -> dict[str, dict[str, str]]:
    """Section → package → its version."""
    parts = re.split(r"^# == (\w+)\n", LOCK, flags=re.MULTILINE)[1:]
    return {
        name: dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.parametrize("use", ASKED)
def test_what_is_asked_for_is_locked(use: str) -> None:
    """Every direct dependency is in a section that is installed for its use, at a version that it admits."""
    sections = _sections()
    locked = {name: version for section in INSTALLED[use] for name, version in sections[section].items()}
    for asked in map(Requirement, ASKED[use]):
        assert asked.specifier.contains(locked.get(asked.name, "0")), asked


def test_every_package_has_hashes_and_no_host_is_named() -> None:
    """pip checks each file against a hash, and takes it from wherever its owner says."""
    for package in LOCK.replace("\\\n", "").splitlines():
        assert not package or package.startswith("#") or "--hash=sha256:" in package
    assert "://" not in LOCK


def test_one_version_of_a_package() -> None:
    """Sections agree: what builds scand is what runs it."""
    versions: dict[str, set[str]] = {}
    for packages in _sections().values():
        for name, version in packages.items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}
