"""Unit tests of scand/feeder/options."""
