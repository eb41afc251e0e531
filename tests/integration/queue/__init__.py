"""Tests against the real thing of scand/queue."""
