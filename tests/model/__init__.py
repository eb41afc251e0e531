"""A stateful model: whatever clients, paper, daemon, database and NAS do, every document holds what it must.

`ledger` is the model, `scene` the real parts, `clerk` who uses them, `play` one example, `machine` its rules.
`python -m tests.model STORY` plays a story again, as a failed test has printed it.
"""
