"""The config: one TOML file, `profiles.d/` beside it, and what the environment says of the database.

`sections` is what it holds, with every default; `files` is where it comes from; `units` is how durations and
sizes are written. A commented example with every key is `systemd/scand.toml`.
"""

from scand.config.model import Config, embedded_directory

__all__ = ["Config", "embedded_directory"]
