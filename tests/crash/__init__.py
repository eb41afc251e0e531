"""kill -9 and errors at every step of the road; `python -m tests.crash` walks all of them."""
