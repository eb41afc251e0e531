"""kill -9 and errors at every step of a job, from paper to Inbox; `python -m tests.crash` injects all of them."""
