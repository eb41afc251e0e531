"""Unit tests of scand/decide."""
