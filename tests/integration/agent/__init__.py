"""Tests of scand/agent with the real thing."""
