"""Unit tests of scand/cli."""
