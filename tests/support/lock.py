"""`make lock`: write requirements.lock anew, from what pyproject.toml asks for and what PyPI has today.

The file is in pip's format, with the hash of every file that may be installed; uv only resolves. Why not uv.lock:
a fresh Debian has pip and no uv, and uv.lock names the host that each file came from.

The file has a section for each use. `build` and `lock` stand alone; of the others, in order, each adds to the ones
before it, so that an installation takes the sections up to what it is for: `systemd/locked.sh` does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
LOCK = CHECKOUT / "requirements.lock"

ALONE = {"build", "lock"}
SECTIONS = {
    "build": ["--group", "build"],
    "run": ["pyproject.toml"],
    "embedded": ["pyproject.toml", "--extra", "embedded"],
    "test": ["pyproject.toml", "--extra", "test"],
    "dev": ["pyproject.toml", "--extra", "dev"],
    "lock": ["--group", "lock"],
}
"""Section → what it resolves of pyproject.toml, as arguments of `uv pip compile`."""

_HEAD = """\
# Every package that scand runs, is built and is tested with, by version and hash. Written by `make lock`.
# Sections: build and lock stand alone, the others each add to those before. systemd/locked.sh installs them.
"""
_PACKAGE = re.compile(r"^(?P<name>[a-z0-9-]+)==.*?(?=^[a-z0-9-]+==|\Z)", re.MULTILINE | re.DOTALL)


def resolve(*arguments: str) -> dict[str, str]:
    """Package → its lines, with hashes, for every Python that scand runs on.

    Raises:
        subprocess.CalledProcessError: there is no such set of packages; uv has said why.
    """
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "compile", *arguments,
        "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-header", "--no-annotate", "--no-emit-index-url", "--no-progress", "--quiet",
    ]  # fmt: skip
    said = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout
    packages: dict[str, str] = {}
    for found in _PACKAGE.finditer(said):
        # One name may come with several versions, each for some Pythons.
        packages[found["name"]] = packages.get(found["name"], "") + found[0]
    return packages


def write() -> None:
    """Resolve everything at once, so that all sections agree, then each section within that."""
    everything = resolve("pyproject.toml", "--all-extras", "--group", "build", "--group", "lock")
    seen: set[str] = set()
    text = _HEAD
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as chosen:
        chosen.write("".join(everything.values()))
        chosen.flush()
        for section, arguments in SECTIONS.items():
            packages = resolve(*arguments, "--constraint", chosen.name)
            text += f"\n# == {section}\n" + "".join(everything[name] for name in packages if name not in seen)
            seen |= packages.keys() if section not in ALONE else set()
    LOCK.write_text(text)


if __name__ == "__main__":
    write()
