"""What a section is given: where to work, how often, and the server its databases are on."""

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
        directory: on the disk that is measured; for all that a section makes.
        server: the URL of a PostgreSQL server, as a superuser.
        runs: how often each thing is measured.
    """

    directory: Path
    server: str
    runs: int

    @staticmethod
    def remove(directory: Path) -> None:
        """Take away what a run made: disks are not endless, and what is gone is never written out."""
        shutil.rmtree(directory, ignore_errors=True)
