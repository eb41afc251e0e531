"""`scand demo`: all of scand on a simulated scanner."""
