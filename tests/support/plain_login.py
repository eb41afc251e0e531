"""Logins of a server that are no superusers."""

from __future__ import annotations

import os
from typing import Any

import psycopg
from psycopg import sql


class plain_login:  # noqa: N801 - a context manager that reads as one
    """A login that is no superuser, in some roles; gone after the block."""

    def __init__(self, owner: psycopg.Connection[Any], *roles: str) -> None:
        self._owner, self._roles, self._name = owner, roles, f"scand_test_{os.getpid()}_{os.urandom(4).hex()}"

    def __enter__(self) -> str:
        name = sql.Identifier(self._name)
        self._owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        for role in self._roles:
            self._owner.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name))
        return self._name

    def __exit__(self, *_exception: object) -> None:
        name = sql.Identifier(self._name)
        self._owner.execute(sql.SQL("DROP OWNED BY {}").format(name))
        self._owner.execute(sql.SQL("DROP ROLE {}").format(name))
