"""The daemon as a process: whole sites."""
