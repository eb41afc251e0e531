"""`python -m tests.model FILE`: repeats a scenario. The file has an act on each line, as a failed test prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.model.installation import shared_parts
from tests.model.scenario import Scenario


def main(record: Path) -> None:
    """Repeat the scenario once, with an installation of its own."""
    with (
        TemporaryDirectory() as directory,
        shared_parts(Path(directory)) as made,
        made.installation() as installation,
    ):
        scenario = Scenario(installation)
        for line in record.read_text().splitlines():
            name, arguments, *_ = json.loads(line)
            scenario.act(name, **arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
