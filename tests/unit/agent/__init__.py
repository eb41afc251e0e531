"""Tests of scand/agent without processes, database and disk."""
