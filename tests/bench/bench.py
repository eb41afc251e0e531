"""What a section gets: a directory, a number of runs, and a database server."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark.

    Attributes:
        directory: for everything a section makes; on the disk that is measured.
        server: the URL of a PostgreSQL server, as a superuser.
        runs: how often each thing is measured.
    """

    directory: Path
    server: str
    runs: int

    @staticmethod
    def remove(directory: Path) -> None:
        """Delete what a run made, so that the disk does not fill up and nothing is written back later."""
        shutil.rmtree(directory, ignore_errors=True)
