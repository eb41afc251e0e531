"""Messages as lines, and lines as messages."""

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
    """One line, with its newline."""
    return message.model_dump_json().encode() + b"\n"


class Lines:
    """Bytes as they come from the socket → whole messages; a torn last line stays until the rest comes."""

    def __init__(self) -> None:
        self._rest = b""

    def _whole(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def commands(self, data: bytes) -> list[Command]:
        """What the parent said.

        Raises:
            pydantic.ValidationError: a line is none of `Command`: the two are of different versions.
        """
        return [_COMMAND.validate_json(line) for line in self._whole(data)]

    def reports(self, data: bytes) -> list[Report]:
        """What the child said.

        Raises:
            pydantic.ValidationError: a line is none of `Report`.
        """
        return [_REPORT.validate_json(line) for line in self._whole(data)]
