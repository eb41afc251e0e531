"""Play a story again: `python -m tests.model STORY`, a file with an act a line, as a failed test prints them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.model.play import Play
from tests.model.scene import stage


def main(story: Path) -> None:
    """Once, at a scene of its own."""
    with TemporaryDirectory() as directory, stage(Path(directory)) as made, made.scene() as scene:
        play = Play(scene)
        for line in story.read_text().splitlines():
            name, how, *_ = json.loads(line)
            play.act(name, **how)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
