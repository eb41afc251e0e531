"""What a job is.

`settings/` is what it asks of the scanner, `lifecycle` its statuses and the steps between them, `rows` its row in
the database as the agent and the command line read it.
"""
