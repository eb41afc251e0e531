"""Tests of one part against the real thing: PostgreSQL, libsane, file systems."""
