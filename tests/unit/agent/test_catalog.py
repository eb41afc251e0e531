"""The journal's catalog says of each message what the table of messages knows, and of no other."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import structlog

from scand.agent.log.events import MESSAGES, Event
from scand.agent.log.journal import Journal, configure
from scand.agent.log.message import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

_CATALOG = Path(__file__).parents[3] / "systemd" / "scand.catalog"
_MILESTONES = {
    Event.DAEMON_STARTED, Event.DAEMON_STOPPED, Event.READY, Event.CONFIG_RELOADED, Event.DATABASE_BACK,
    Event.JOB_CLAIMED, Event.BATCH_RECORDED, Event.PREVIEW_READY, Event.COMMITTED, Event.NAS_BACK,
}  # fmt: skip


class Entry(NamedTuple):
    """One entry of the catalog."""

    headers: dict[str, str]
    text: str

    @property
    def fields(self) -> set[str]:
        """The journal's fields that it shows."""
        return set(re.findall(r"@([A-Z_]+)@", self.headers["Subject"] + self.text))


def _entries() -> dict[str, Entry]:
    lines = [line for line in _CATALOG.read_text().splitlines() if not line.startswith("#")]
    entries: dict[str, Entry] = {}
    for part in re.split("^-- ", "\n".join(lines), flags=re.MULTILINE)[1:]:
        message_id, _, rest = part.partition("\n")
        head, _, text = rest.partition("\n\n")
        assert message_id not in entries, f"{message_id} is there twice"
        entries[message_id] = Entry(dict(line.split(": ", 1) for line in head.splitlines()), text.strip())
    return entries


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket where journald's would be, and the log configured to write to it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        configure("debug", "journal", str(tmp_path / "socket"))
        yield listener
    structlog.reset_defaults()


def test_every_entry_is_a_message() -> None:
    """An id that no message has is a typing error, or a message that is gone."""
    assert set(_entries()) <= {message.id for message in MESSAGES.values()}


def test_ids_are_distinct() -> None:
    """Two events with one id could not be told apart."""
    assert len({message.id for message in MESSAGES.values()}) == len(MESSAGES) == len(Event)


@pytest.mark.parametrize("event", Event)
def test_what_an_operator_can_act_on_has_an_entry(event: Event) -> None:
    """Whatever is a warning or worse, and the milestones of a job and of the daemon."""
    told = event in _MILESTONES or MESSAGES[event].level in {Level.WARNING, Level.ERROR}
    assert not told or MESSAGES[event].id in _entries()


@pytest.mark.parametrize("event", [event for event in Event if MESSAGES[event].id in _entries()])
def test_an_entry_shows_what_its_message_carries(event: Event, journald: socket.socket) -> None:
    """Its @FIELDS@ are in the journal's entry, so that they are filled in; and the reason is told."""
    carried: dict[str, Any] = dict.fromkeys(MESSAGES[event].fields, "x")
    Journal().say(event, **carried)
    written = {line.split("=", 1)[0] for line in journald.recv(65536).decode().splitlines()}
    entry = _entries()[MESSAGES[event].id]
    assert entry.fields <= written
    assert "SCAND_WHY" not in written or "SCAND_WHY" in entry.fields
    assert entry.headers["Defined-By"] == "scand"
    assert entry.headers["Subject"]
    assert entry.text
