"""Whether a side is blank."""
