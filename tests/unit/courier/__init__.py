"""Unit tests of scand/courier."""
