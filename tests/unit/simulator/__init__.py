"""Unit tests of scand/simulator."""
