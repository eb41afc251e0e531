"""`database.url = "embedded"`: a private PostgreSQL below the staging directory, on a unix socket only.

The daemon starts it, migrates it, and stops it when it stops; the command line and psql reach it by the same
socket while it runs. Moving to a server later is a dump and a new URL.

`programs` are PostgreSQL's own, and how they are run; `postmaster` is the running process; `socket_place` is where
its socket lies and who may touch it; `logins` are who may come in as whom; `server` puts them together; `address`
is how clients find it.
"""

from scand.queue.embedded.address import daemon_url, maintenance_url, running_service_url, url
from scand.queue.embedded.postmaster import Postmaster
from scand.queue.embedded.server import Server, start

__all__ = ["Postmaster", "Server", "daemon_url", "maintenance_url", "running_service_url", "start", "url"]
