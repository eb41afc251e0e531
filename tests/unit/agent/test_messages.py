"""What the daemon says."""

from __future__ import annotations

import re
import string

from scand.agent.log.events import MESSAGES, Event
from scand.agent.log.message import Level


def test_every_event_has_a_message() -> None:
    """Whatever can be said has its level and its wording, in the order of the events."""
    assert list(MESSAGES) == list(Event)


def test_message_ids_are_128_bits_and_unique() -> None:
    """Two events never share a MESSAGE_ID: the journal's catalog goes by it."""
    ids = [message.id for message in MESSAGES.values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


def test_message_ids_stay() -> None:
    """An id that somebody's alert or the catalog knows is not changed by accident."""
    assert MESSAGES[Event.COMMITTED].id == "57a3c8c1392842af9a5136e1f85506ff"
    assert MESSAGES[Event.BATCH_FAULT].id == "489eda620b004fb196f6100e38d29808"


def test_fields_are_given_by_name() -> None:
    """A wording takes every field by a plain name, so that the journal can carry it under the same."""
    for event, message in MESSAGES.items():
        for _, name, spec, conversion in string.Formatter().parse(message.wording):
            assert name is None or re.fullmatch(r"[a-z_]+", name), event
            assert not spec, event
            assert not conversion, event


def test_wordings_are_short_lines() -> None:
    """A wording is one line without a full stop, as a log has them."""
    for event, message in MESSAGES.items():
        assert message.wording.isprintable(), event
        assert len(message.wording) < 80, event
        assert not message.wording.endswith("."), event


def test_a_job_is_named_wherever_there_is_one() -> None:
    """What concerns a job begins with its number, so that one job's story can be read."""
    for event, message in MESSAGES.items():
        if "job" in message.fields:
            assert message.wording.startswith("job {job}: "), event


def test_a_missing_field_does_not_silence_the_line() -> None:
    """A log line never fails: a field that was not given shows as a question mark."""
    message = MESSAGES[Event.BATCH_RECORDED]
    assert message.worded({"job": 42, "holds": "12 pages"}) == "job 42: batch ? recorded, 12 pages"


def test_a_line_is_one_line() -> None:
    """A title with a line break, or a driver's escape codes, cannot forge a second line."""
    worded = MESSAGES[Event.JOB_CLAIMED].worded({"job": 1, "title": "a\nb\x1b[31m\ud800"})
    assert worded == "job 1: claimed: a b [31m "


def test_levels_are_what_an_operator_expects() -> None:
    """A jam and a NAS that is away are warnings, a page is debug, a failed job is an error."""
    expected = {
        Event.PAGE_CAPTURED: Level.DEBUG,
        Event.DRIVER_NOISE: Level.DEBUG,
        Event.COURIER_STARTED: Level.DEBUG,
        Event.COMMITTED: Level.INFO,
        Event.BATCH_FAULT: Level.WARNING,
        Event.NAS_AWAY: Level.WARNING,
        Event.NAS_BACK: Level.NOTICE,
        Event.JOB_FAILED: Level.ERROR,
        Event.CONFIG_REFUSED: Level.ERROR,
    }
    assert {event: MESSAGES[event].level for event in expected} == expected
    assert [level.priority for level in Level] == [7, 6, 5, 4, 3]
