"""The tests of scand."""
