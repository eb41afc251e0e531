"""The daemon put together: config, staging directory, journal, database, loop."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from scand.agent.log.journal import Journal, configure
from scand.agent.loop import Agent
from scand.config import Config, embedded_directory
from scand.errors import ConfigError, Unavailable
from scand.queue import commit_by, embedded, schema
from scand.queue.connection import connect, take_role
from scand.queue.refusals import told
from scand.queue.statements import read_sql
from scand.queue.tables import require_agents_rights
from scand.spool.directories import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scand.queue.connection import Connection


class Database:
    """Where the daemon's sessions come from: a server, or a PostgreSQL of scand's own.

    Args:
        config: as read at the start.
        environ: RUNTIME_DIRECTORY, see `embedded.start`.
    """

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self._config, self._environ = config, environ
        self._server: embedded.Server | None = None
        self._starting = Lock()
        self._tried = self._migrated = self._closed = False

    def open(self) -> Connection:
        """A session as the agent whose schema is this scand's. May take long: it is called in a thread.

        Raises:
            Unavailable: the server is away.
            ConfigError: the schema, the login or `[commit] by` must be mended first.
        """
        if self._config.database.embedded:
            server = self._start()
            self._migrate(server)
            connection = connect(server.daemon_url, name="scand")
        else:
            connection = connect(self._config.database.url.get_secret_value(), name="scand")
        try:
            with told():
                schema.check(connection)
                commit_by.check(connection, self._config.commit.by)
                take_role(connection, "scand_agent")
                require_agents_rights(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def listen(self) -> Connection:
        """Another session, which listens; see `Hints`. It is called in a thread.

        Raises:
            Unavailable, ConfigError: as `connect`.
            psycopg.Error: the session has ended already.
        """
        if not self._config.database.embedded:
            url = self._config.database.url.get_secret_value()
        elif (server := self._server) is not None:
            url = server.daemon_url
        else:
            raise Unavailable("The embedded database does not run.")
        connection = connect(url, name="scand-hints")
        connection.execute("LISTEN scan_jobs")
        return connection

    def close(self) -> None:
        """Stop the embedded server, if there is one; if it is just being started, wait for that first."""
        with self._starting:
            self._closed = True
            if self._tried:  # else the server there belongs to another daemon, for which this one only waited
                left = self._server or embedded.Postmaster.find(embedded_directory(self._config))
                if left is not None:
                    left.stop()
            self._server = None

    def _start(self) -> embedded.Server:
        """The embedded server, started again if it has ended."""
        with self._starting:
            if self._closed:
                raise Unavailable("The daemon is leaving.")
            if self._server is not None and not self._server.alive():
                self._server.stop()
                self._server = None
            if self._server is None:
                self._tried = True
                self._server = embedded.start(embedded_directory(self._config), self._environ)
            return self._server

    def _migrate(self, server: embedded.Server) -> None:
        """Migrate the schema and set the roles and privileges; once in a daemon's life."""
        if self._migrated:
            return
        try:
            connection = connect(server.admin_url, name="scand-migrate", deadline=schema.LONGEST_STATEMENT)
        except ConfigError as error:
            raise ConfigError(
                f"The embedded database does not take scand's secret: remove it with `rm {server.secret}` and "
                "start the daemon again; it gets a new one, and nothing is lost."
            ) from error
        with connection:
            schema.migrate(connection)
            for script in ("roles.sql", "embedded.sql"):
                connection.execute(read_sql(script).encode())
            commit_by.settle(connection, self._config.commit.by or "agent")
        self._migrated = True


def run(path: Path | None, environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM.

    Args:
        path: of the config file; None: it is searched for.
        environ: the process's environment.

    Raises:
        ConfigError: exit status 78: an operator must mend something; trying again is no use.
    """

    def read() -> Config:
        return Config.load(path, environ, need="daemon")

    config = read()
    configure(config.logging.level, config.logging.format)
    database = Database(config, environ)
    try:
        Agent(config, read, database, Spool(config.staging.dir), Journal()).run()
    finally:
        database.close()
