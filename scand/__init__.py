"""scand: a stack of paper goes in once; no page is lost, doubled or silently missing.

The road of a sheet: `feeder` (SANE → one file a side) → `spool` (pages on local disk) → `courier` (PDF → NAS →
Inbox). `feeder` and `courier` are child processes, since drivers and network file systems can hang or crash;
the daemon talks to them over `wire`.

The loop: `agent` waits, asks `decide` what the rows (`queue`, `jobs`) and the disk now call for, performs it, and
waits again. `config` is its TOML file, `cli` the command line, and `simulator` a scanner to practise on.
"""

__version__ = "0.1.0"
