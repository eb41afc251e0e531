"""Unit tests of scand/config."""
