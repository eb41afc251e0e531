"""A stateful model: whatever clients, paper, daemon, database and NAS do, every document has the right sides.

`expectations` is the model, `installation` the real parts, `operator` the people who use them, `scenario` one
example, and `machine` its rules. `python -m tests.model FILE` repeats the scenario that a failed test has printed.
"""
