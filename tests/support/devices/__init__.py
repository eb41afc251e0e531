"""Real scanners: their options as the drivers describe them, and what a job is set to on each."""
