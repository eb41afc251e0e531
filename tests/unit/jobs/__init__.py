"""Unit tests of scand/jobs."""
