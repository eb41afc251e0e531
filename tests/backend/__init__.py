"""A real SANE backend that misbehaves, in C, and its configuration."""
