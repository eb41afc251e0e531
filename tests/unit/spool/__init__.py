"""Unit tests of scand/spool."""
