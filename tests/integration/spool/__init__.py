"""Tests of scand/spool with the real thing."""
