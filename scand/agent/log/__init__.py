"""What people and programs hear of the daemon."""
