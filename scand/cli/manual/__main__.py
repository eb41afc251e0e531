"""Write the man pages."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from scand.cli.manual import scand_1, scand_toml_5


@click.command()
@click.argument("example", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def write(example: Path, directory: Path) -> None:
    """Write man1/scand.1 and man5/scand.toml.5 below DIRECTORY.

    EXAMPLE is systemd/scand.toml, whose comments explain the keys. SOURCE_DATE_EPOCH dates the pages, as
    reproducible builds want it.
    """
    date = time.strftime("%Y-%m-%d", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())))
    for name, lines in {
        "man1/scand.1": scand_1(date),
        "man5/scand.toml.5": scand_toml_5(date, example.read_text("utf-8")),
    }.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write()
