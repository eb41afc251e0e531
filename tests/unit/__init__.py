"""Tests of pure code: no process, no socket, no database."""
