"""Encodes and decodes the messages of the SANE network protocol. Pure: no sockets.

Source: SANE Standard, "Network Protocol" (data type encoding, remote procedure calls). Words are 4 bytes, big
endian. Strings are arrays of bytes whose count includes the NUL (count 0: a NULL pointer). A pointer is a word
that is 1 for NULL, before what it points to. Strings are Latin-1, as frontends expect.
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

_FIXED_ONE = 1 << 16  # 1.0 as SANE_Fixed
_VERSION_CODE = 1 << 24 | 3  # SANE 1.0, network protocol 3
_LITTLE_ENDIAN = 0x1234  # byte_order of samples; matters only for samples of 16 bits
_END_OF_RECORDS = b"\xff\xff\xff\xff"  # a length that no record has; a status byte follows
_MAX_LENGTH = 1 << 16  # bytes; no string or value of a request is longer, so such a message is not SANE


class Procedure(IntEnum):
    """The remote procedures, by the number that begins each request.

    AUTHORIZE (9) is missing, since no password is ever asked for.
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
    """The request has not arrived completely yet."""


class ProtocolError(Exception):
    """These bytes are not a SANE request."""


@dataclass(frozen=True)
class Control:
    """The arguments of CONTROL_OPTION.

    Attributes:
        option: its index.
        action: what to do with it.
        type: of the value.
        size: of the value in bytes, as sent.
        value: None with SET_AUTO.
    """

    option: int
    action: Action
    type: ValueType = ValueType.BOOL
    size: int = 0
    value: Value | None = None


@dataclass(frozen=True)
class Request:
    """A remote procedure call.

    Handles are not decoded, since a client opens the device once at most.

    Attributes:
        procedure: which one.
        name: of the user (INIT) or the device (OPEN); "" for NULL.
        control: the arguments of CONTROL_OPTION.
    """

    procedure: Procedure
    name: str = ""
    control: Control | None = None


def decode_request(data: bytes | bytearray) -> tuple[Request, int]:
    """Decode the request at the start of `data`.

    Returns:
        The request, and its length in bytes.

    Raises:
        IncompleteError: read more and try again.
        ProtocolError: disconnect.
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
    words = [reader.word() for _ in range(_checked_length(count))]
    value = words[0] if words else 0
    return Control(option, action, type_, size, value / _FIXED_ONE if type_ is ValueType.FIXED else value)


class _Reader:
    """Reads a request from its first byte to its last."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self.position = 0

    def word(self) -> int:
        return int(struct.unpack(">i", self._take(4))[0])

    def string(self) -> str:
        return self.text(self.word())

    def text(self, count: int) -> str:
        return self._take(_checked_length(count)).partition(b"\0")[0].decode("latin-1")

    def _take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self._data):
            raise IncompleteError
        taken = bytes(self._data[self.position : end])
        self.position = end
        return taken


def _checked_length(count: int) -> int:
    if not 0 <= count <= _MAX_LENGTH:
        raise ValueError(f"a length of {count}")
    return count


def word(value: int) -> bytes:
    """Encode a SANE_Word, an enum or a bool."""
    return struct.pack(">i", value)


def string(value: str | None) -> bytes:
    """Encode a SANE_String; characters that Latin-1 lacks become "?"."""
    if value is None:
        return word(0)
    encoded = value.encode("latin-1", "replace") + b"\0"
    return word(len(encoded)) + encoded


def array(elements: Sequence[bytes]) -> bytes:
    """Encode an array of elements that are encoded already."""
    return word(len(elements)) + b"".join(elements)


def pointer(target: bytes | None) -> bytes:
    """Encode a pointer to what is encoded already; None is NULL."""
    return word(1) if target is None else word(0) + target


def init_reply() -> bytes:
    """Encode the reply to INIT: any user is accepted."""
    return word(Status.GOOD) + word(_VERSION_CODE)


def devices_reply(devices: Iterable[Device]) -> bytes:
    """Encode the reply to GET_DEVICES; the array's count includes the NULL pointer at its end."""
    pointers = [
        pointer(b"".join(string(text) for text in (device.name, device.vendor, device.model, device.type)))
        for device in devices
    ]
    return word(Status.GOOD) + array([*pointers, pointer(None)])


def options_reply(options: Iterable[OptionDescriptor]) -> bytes:
    """Encode the reply to GET_OPTION_DESCRIPTORS: an array of pointers, without NULL at its end."""
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

    It has the size of the request, since net.c copies the value only if the two sizes are equal.
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
    """Encode the reply to GET_PARAMETERS; every image has one frame."""
    fields = (parameters.format, 1, parameters.bytes_per_line, parameters.pixels_per_line, parameters.lines)
    return b"".join(word(number) for number in (status, *fields, parameters.depth))


def open_reply(status: Status, handle: int) -> bytes:
    """Encode the reply to OPEN; no password is asked for."""
    return word(status) + word(handle) + string(None)


def start_reply(status: Status, port: int) -> bytes:
    """Encode the reply to START; `port` is where the client has to connect for the data."""
    return word(status) + word(port) + word(_LITTLE_ENDIAN) + string(None)


def record_header(length: int) -> bytes:
    """Encode the header of a record of `length` bytes on the data connection."""
    return struct.pack(">I", length)


def end_of_data(status: Status) -> bytes:
    """Encode the end of the data: EOF after a complete image, else the fault."""
    return _END_OF_RECORDS + bytes([status])
