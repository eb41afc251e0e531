"""Unit tests of scand/wire."""
