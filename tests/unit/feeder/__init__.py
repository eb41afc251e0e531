"""Unit tests of scand/feeder."""
