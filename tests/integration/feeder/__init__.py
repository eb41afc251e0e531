"""Tests of scand/feeder with the real thing."""
