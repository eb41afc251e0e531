"""The scan host: its people, the unit and its sandbox, its mounts."""
