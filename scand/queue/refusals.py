"""What an error of PostgreSQL means for a person: a refusal of ours, with what mends it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from scand.errors import BadData, ConfigError, ScandError, TryAgain, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


_REFUSED = frozenset({"SD001", "SD002", "SD003", "SD004", "SD005", "SD006"})
"""The triggers' own SQLSTATEs: docs/database.md, "Refusals"."""


@contextmanager
def refusals() -> Iterator[None]:
    """What the triggers refuse becomes a `BadData`: their sentence, and their hint behind it."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate not in _REFUSED:
            raise
        sentences = (error.diag.message_primary, error.diag.message_hint)
        raise BadData(". ".join(text.rstrip(".") for text in sentences if text) + ".") from error


@contextmanager
def told() -> Iterator[None]:
    """Within this block PostgreSQL's errors are refusals with a mend and an exit status.

    Raises:
        ScandError: instead of any psycopg.Error.
    """
    try:
        yield
    except psycopg.Error as error:
        raise refusal(error) from error


def refusal(error: psycopg.Error) -> ScandError:
    """What an error of PostgreSQL means for a person."""
    said = (error.diag.message_primary or str(error)).strip() or type(error).__name__
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return ConfigError(
                f"The database does not let this login do that ({said}): run `scand migrate --roles` as the owner "
                "of the tables, and GRANT scand_client TO the login."
            )
        case (
            psycopg.errors.UndefinedTable()
            | psycopg.errors.UndefinedColumn()
            | psycopg.errors.UndefinedFunction()
        ):
            return ConfigError(f'The database lacks scand\'s schema ({said}): run "scand migrate".')
        case psycopg.DataError() | psycopg.IntegrityError():
            return BadData(f"The database does not take that: {said}.")
        case _ if (error.sqlstate or "")[:2] in _PASSING:
            return TryAgain(f"The database is busy ({said}): try again.")
        case _:
            return Unavailable(f"The database is away: {said}.")


_PASSING = frozenset({"40", "53", "55", "57"})
"""SQLSTATE classes that may pass: deadlock, too many connections, a lock, a server that stops or starts."""
