-- What the logins of the embedded PostgreSQL may do: run by the daemon at each start, after roles.sql.
-- The logins themselves are made while the server does not run, with secrets of their own.
GRANT scand_agent, scand_client TO scand;
GRANT scand_client TO household;
