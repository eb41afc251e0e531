"""PostgreSQL: what the agent writes, what clients write, and how either gets there."""
