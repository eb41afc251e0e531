"""The man pages scand(1) and scand.toml(5), made from `--help` and from the sections of the config.

`python -m scand.cli.manual systemd/scand.toml DIRECTORY` writes them; `make install` and the package do.
"""

from scand.cli.manual.command_line import scand_1
from scand.cli.manual.config_file import scand_toml_5

__all__ = ["scand_1", "scand_toml_5"]
