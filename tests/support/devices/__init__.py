"""Real scanners, as facts: what their drivers state, and what a job becomes on each."""
