"""A small document server: a web application beside scand, as docs/database.md shows how to write one."""
