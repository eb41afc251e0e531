"""The daemon: wait, decide, perform."""
