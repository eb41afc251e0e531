"""Encode and decode what the SANE network protocol carries; pure, no sockets.

Source: SANE Standard, "Network Protocol" (data type encoding, remote procedure calls). Words are 4 bytes, big
endian; strings are arrays of bytes with their NUL in the count (count 0: a NULL pointer); a pointer is a word
"is it NULL?" before what it points to. Strings are Latin-1, as frontends take them.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from scand.simulator.standard import (
    Action,
    Device,
    OptionDescriptor,
    Parameters,
    Range,
    Status,
    Value,
    ValueType,
)

_FIXED_ONE = 1 << 16  # SANE_Fixed: the integer that says 1.0
_VERSION_CODE = 1 << 24 | 3  # SANE 1.0, network protocol 3
_LITTLE_ENDIAN = 0x1234  # byte_order of samples; matters for 16 bits a sample only
_END_OF_RECORDS = b"\xff\xff\xff\xff"  # a record length that no record has: a status byte follows
_LONGEST = 1 << 16  # bytes; no string or value of ours is longer: such a length is not SANE


class Procedure(IntEnum):
    """The remote procedures, by the number that begins each request.

    AUTHORIZE (9) is not there: nobody is asked for a password.
    """

    INIT = 0
    GET_DEVICES = 1
    OPEN = 2
    CLOSE = 3
    GET_OPTION_DESCRIPTORS = 4
    CONTROL_OPTION = 5
    GET_PARAMETERS = 6
    START = 7
    CANCEL = 8
    EXIT = 10


class IncompleteError(Exception):
    """The request has not wholly arrived yet."""


class ProtocolError(Exception):
    """These bytes are no SANE request."""


@dataclass(frozen=True)
class Control:
    """The arguments of CONTROL_OPTION: `size` in bytes as sent; `value` is None with SET_AUTO."""

    option: int
    action: Action
    type: ValueType = ValueType.BOOL
    size: int = 0
    value: Value | None = None


@dataclass(frozen=True)
class Request:
    """A remote procedure call; `name` is INIT's user or OPEN's device ("" where NULL was sent).

    Handles are not kept: a client holds the device once or not at all.
    """

    procedure: Procedure
    name: str = ""
    control: Control | None = None


def decode_request(data: bytes | bytearray) -> tuple[Request, int]:
    """Decode the request at the start of `data`, and say how many bytes it took.

    Raises IncompleteError (read more and try again) or ProtocolError (hang up).
    """
    reader = _Reader(data)
    try:
        procedure = Procedure(reader.word())
        match procedure:
            case Procedure.INIT:
                reader.word()  # the client's version: net.c speaks 3 with a server that answers 3
                request = Request(procedure, name=reader.string())
            case Procedure.OPEN:
                request = Request(procedure, name=reader.string())
            case Procedure.CONTROL_OPTION:
                reader.word()
                request = Request(procedure, control=_control(reader))
            case Procedure.GET_DEVICES | Procedure.EXIT:
                request = Request(procedure)
            case _:
                reader.word()
                request = Request(procedure)
    except ValueError as error:
        raise ProtocolError(str(error)) from error
    return request, reader.position


def _control(reader: "_Reader") -> Control:
    option, action = reader.word(), Action(reader.word())
    if action is Action.SET_AUTO:  # from version 3 on, no value comes with it
        return Control(option, action)
    type_, size = ValueType(reader.word()), reader.word()
    count = reader.word()  # elements, not bytes
    if type_ is ValueType.STRING:
        return Control(option, action, type_, size, reader.text(count))
    words = [reader.word() for _ in range(_sane_length(count))]
    value = words[0] if words else 0
    return Control(option, action, type_, size, value / _FIXED_ONE if type_ is ValueType.FIXED else value)


class _Reader:
    """A place in the bytes of a request."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self.position = 0

    def word(self) -> int:
        return int(struct.unpack(">i", self._take(4))[0])

    def string(self) -> str:
        return self.text(self.word())

    def text(self, count: int) -> str:
        return self._take(_sane_length(count)).partition(b"\0")[0].decode("latin-1")

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise IncompleteError
        taken = bytes(self._data[self.position : end])
        self.position = end
        return taken


def _sane_length(count: int) -> int:
    if not 0 <= count <= _LONGEST:
        raise ValueError(f"a length of {count}")
    return count


def word(value: int) -> bytes:
    """Encode a SANE_Word, an enum or a bool."""
    return struct.pack(">i", value)


def string(value: str | None) -> bytes:
    """Encode a SANE_String; what Latin-1 has not becomes "?"."""
    if value is None:
        return word(0)
    encoded = value.encode("latin-1", "replace") + b"\0"
    return word(len(encoded)) + encoded


def array(elements: Sequence[bytes]) -> bytes:
    """Encode an array of elements already encoded."""
    return word(len(elements)) + b"".join(elements)


def pointer(target: bytes | None) -> bytes:
    """Encode a pointer to something already encoded; None is NULL."""
    return word(1) if target is None else word(0) + target


def init_reply() -> bytes:
    """Encode the reply to INIT: everybody is welcome."""
    return word(Status.GOOD) + word(_VERSION_CODE)


def devices_reply(devices: Iterable[Device]) -> bytes:
    """Encode the reply to GET_DEVICES; the list ends with a NULL pointer that is counted."""
    pointers = [
        pointer(b"".join(string(text) for text in (device.name, device.vendor, device.model, device.type)))
        for device in devices
    ]
    return word(Status.GOOD) + array([*pointers, pointer(None)])


def options_reply(options: Iterable[OptionDescriptor]) -> bytes:
    """Encode the reply to GET_OPTION_DESCRIPTORS: an array of pointers, without a NULL at its end."""
    return array([pointer(_option(option)) for option in options])


def _option(option: OptionDescriptor) -> bytes:
    head = string(option.name) + string(option.title) + string(option.desc)
    head += b"".join(word(number) for number in (option.type, option.unit, option.size, option.cap))
    match option.constraint:
        case None:
            return head + word(0)
        case Range(min=low, max=high, quant=quant):
            return head + word(1) + pointer(b"".join(_number(option.type, end) for end in (low, high, quant)))
        case strings if option.type is ValueType.STRING:
            return head + word(3) + array([*(string(str(choice)) for choice in strings), string(None)])
        case numbers:  # a word list begins with its length
            return (
                head
                + word(2)
                + array([word(len(numbers)), *(_number(option.type, float(n)) for n in numbers)])
            )


def control_reply(status: Status, info: int, control: Control, value: Value | None) -> bytes:
    """Encode the reply to CONTROL_OPTION.

    It has the size of the request, for net.c copies the value only where the two sizes are the same.
    """
    if isinstance(value, str):
        text = value.encode("latin-1", "replace")[: max(0, control.size - 1)]
        elements = [bytes([byte]) for byte in text.ljust(control.size, b"\0")]
    elif value is None:
        elements = []
    else:
        elements = [_number(control.type, value)] * (control.size // 4)
    head = word(status) + word(info) + word(control.type) + word(control.size)
    return head + array(elements) + string(None)


def _number(type_: ValueType, value: float) -> bytes:
    return word(
        int(value * _FIXED_ONE) if type_ is ValueType.FIXED else int(value)
    )  # truncated, as SANE_FIX does


def parameters_reply(status: Status, parameters: Parameters) -> bytes:
    """Encode the reply to GET_PARAMETERS; every frame is the last one of its image."""
    fields = (parameters.format, 1, parameters.bytes_per_line, parameters.pixels_per_line, parameters.lines)
    return b"".join(word(number) for number in (status, *fields, parameters.depth))


def open_reply(status: Status, handle: int) -> bytes:
    """Encode the reply to OPEN; no resource asks for a password."""
    return word(status) + word(handle) + string(None)


def start_reply(status: Status, port: int) -> bytes:
    """Encode the reply to START: the port on which the data connection is awaited."""
    return word(status) + word(port) + word(_LITTLE_ENDIAN) + string(None)


def record_header(length: int) -> bytes:
    """Encode what precedes `length` bytes of image data on the data connection."""
    return struct.pack(">I", length)


def end_of_data(status: Status) -> bytes:
    """Encode the end of the data connection: EOF after a whole image, else the fault."""
    return _END_OF_RECORDS + bytes([status])
