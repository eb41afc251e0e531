"""Tests of scand/wire with the real thing."""
