"""Messages become lines, and lines become messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from scand.wire.commands import Command
from scand.wire.reports import Report

if TYPE_CHECKING:
    from pydantic import BaseModel

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


def encode(message: BaseModel) -> bytes:
    """The message as one line, with its newline."""
    return message.model_dump_json().encode() + b"\n"


class Lines:
    """Turns bytes as they come from the socket into messages; keeps an incomplete last line for the next call."""

    def __init__(self) -> None:
        self._rest = b""

    def _whole(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def commands(self, data: bytes) -> list[Command]:
        """The commands that `data` completes.

        Raises:
            pydantic.ValidationError: a line is no `Command`: parent and child are of different versions.
        """
        return [_COMMAND.validate_json(line) for line in self._whole(data)]

    def reports(self, data: bytes) -> list[Report]:
        """The reports that `data` completes.

        Raises:
            pydantic.ValidationError: a line is no `Report`: parent and child are of different versions.
        """
        return [_REPORT.validate_json(line) for line in self._whole(data)]
