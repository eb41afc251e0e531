"""Tests of the simulator as a process."""
