"""`scand cancel --unpublished`: an operator gives up a job whose document may be in the Inbox or not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scand.cli.operator import be_the_agent, refuse_strangers
from scand.cli.program import as_called
from scand.cli.session import agent_url
from scand.cli.terminal import console, echo_json
from scand.cli.wishes import Place, Wish, place, refusal
from scand.config import Config
from scand.errors import BadData, TryAgain
from scand.queue import unpublished
from scand.queue.connection import connect
from scand.queue.intents import ClientQueue
from scand.queue.refusals import told

if TYPE_CHECKING:
    from pathlib import Path


def give_up(config: Path | None, job: int, *, as_json: bool) -> None:
    """Ask the agent to let a job fail, and say what happens.

    Raises:
        BadData: the job's document is not on its way into the Inbox; the sentence names a possible command.
        ConfigError: this user may not.
        Unavailable: this is not the scan host.
        TryAgain: the job has moved in this moment.
    """
    command = f"cancel --unpublished {job}"
    refuse_strangers(Config.load(config, os.environ, need="client").staging.dir, command)
    with told(), connect(agent_url(config), name="scand-cancel") as connection:
        be_the_agent(connection, command)
        queue = ClientQueue(connection)
        view = queue.view(job)
        if place(view) not in {Place.COMMITTING_NAMED, Place.PARKED_NAMED}:
            possible = f"Job {job} has no document that may be in the Inbox: scand cancel {job} stops it"
            raise BadData(refusal(Wish.CANCEL, view) or possible)
        if not unpublished.give_up(connection, job):
            raise TryAgain(f"Job {job} has just moved: look at it (scand show {job}).")
        alive = queue.health().alive
    if as_json:
        echo_json({"id": job, "withdraw": "failed", "agent_alive": alive})
        return
    when = "now" if alive else "as soon as an agent is alive"
    said = (
        f"job {job} is given up: it fails {when} with publication_unknown, since nobody can say whether "
        f"{view.job.inbox_path} is in the Inbox. Its pages stay, and scand retry {job} begins with a look there"
    )
    console().print(as_called(said), soft_wrap=True)
