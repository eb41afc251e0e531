"""The simulator's encoding of the network protocol, against bytes written by hand from the standard."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scand.simulator import xdr
from scand.simulator.facts import DEFAULT, read_facts
from scand.simulator.options import Options
from scand.simulator.standard import (
    Action,
    Device,
    Frame,
    Info,
    OptionDescriptor,
    Parameters,
    Range,
    Status,
    Unit,
    ValueType,
)
from scand.simulator.xdr import Control, Procedure, Request


def words(*numbers: int) -> bytes:
    """Words as the standard encodes them, written without the code under test."""
    return struct.pack(f">{len(numbers)}i", *numbers)


def test_strings_carry_their_nul_and_null_is_empty() -> None:
    """A string is counted with its NUL, and a NULL pointer has the count 0."""
    assert xdr.string("Gray") == words(5) + b"Gray\0"
    assert xdr.string("") == words(1) + b"\0"
    assert xdr.string(None) == words(0)


def test_strings_are_latin_1() -> None:
    """Latin-1 characters are kept, and others become a question mark rather than an exception."""
    assert xdr.string("Büro") == words(5) + b"B\xfcro\0"
    assert xdr.string("纸") == words(2) + b"?\0"


def test_device_list_ends_with_a_counted_null_pointer() -> None:
    """The array's count includes the NULL pointer at the end of the list, which net.c looks for."""
    reply = xdr.devices_reply([Device("sim", "v", "m", "t")])
    device = words(4) + b"sim\0" + words(2) + b"v\0" + words(2) + b"m\0" + words(2) + b"t\0"
    assert reply == words(Status.GOOD, 2, 0) + device + words(1)


def test_option_with_a_range() -> None:
    """A range is encoded behind a pointer, in the option's own number format."""
    option = OptionDescriptor("br-x", "X", "", ValueType.FIXED, Unit.MM, 4, constraint=Range(0.0, 210.5))
    encoded = xdr.options_reply([option])
    head = words(1, 0, 5) + b"br-x\0" + words(2) + b"X\0" + words(1) + b"\0"
    assert encoded == head + words(ValueType.FIXED, Unit.MM, 4, 5, 1, 0, 0, 210 << 16 | 0x8000, 0)


def test_option_with_numbers() -> None:
    """A list of numbers is an array whose first element is their count."""
    option = OptionDescriptor("resolution", "R", "", ValueType.INT, Unit.DPI, 4, constraint=(150, 300))
    head = words(1, 0, 11) + b"resolution\0" + words(2) + b"R\0" + words(1) + b"\0"
    assert xdr.options_reply([option]) == head + words(ValueType.INT, Unit.DPI, 4, 5, 2, 3, 2, 150, 300)


def test_option_with_strings() -> None:
    """A string list is an array that ends with a counted NULL string."""
    option = OptionDescriptor("m", "", "", ValueType.STRING, size=3, constraint=("A", "BC"))
    encoded = xdr.options_reply([option])
    head = words(1, 0, 2) + b"m\0" + words(1) + b"\0" + words(1) + b"\0"
    strings = words(3, 3, 2) + b"A\0" + words(3) + b"BC\0" + words(0)
    assert encoded == head + words(ValueType.STRING, Unit.NONE, 3, 5) + strings


def test_control_reply_has_the_size_of_the_request() -> None:
    """The reply has the request's size, without which net.c copies no value: strings are padded with NULs."""
    control = Control(3, Action.GET_VALUE, ValueType.STRING, 8)
    reply = xdr.control_reply(Status.GOOD, Info.NONE, control, "Gray")
    assert reply == words(0, 0, ValueType.STRING, 8, 8) + b"Gray\0\0\0\0" + words(0)


def test_control_reply_without_a_value() -> None:
    """SET_AUTO is answered without a value, but with its effects."""
    reply = xdr.control_reply(Status.GOOD, Info.RELOAD_PARAMS, Control(8, Action.SET_AUTO), None)
    assert reply == words(0, 4, 0, 0, 0, 0)


def test_parameters_reply() -> None:
    """The parameters are in the order of the standard, and each image has one frame."""
    reply = xdr.parameters_reply(Status.GOOD, Parameters(Frame.RGB, 7440, 2480, 3508, 8))
    assert reply == words(0, 1, 1, 7440, 2480, 3508, 8)


def test_end_of_data_is_a_length_no_record_has() -> None:
    """The data connection ends with 0xffffffff and a status of one byte."""
    assert xdr.end_of_data(Status.EOF) == b"\xff\xff\xff\xff\x05"
    assert xdr.record_header(1 << 18) == b"\0\x04\0\0"


REQUESTS = [
    (words(0, 1 << 24 | 3, 5) + b"root\0", Request(Procedure.INIT, "root")),
    (words(0, 1 << 24 | 3, 0), Request(Procedure.INIT)),
    (words(1), Request(Procedure.GET_DEVICES)),
    (words(2, 4) + b"sim\0", Request(Procedure.OPEN, "sim")),
    (words(3, 1), Request(Procedure.CLOSE)),
    (words(4, 1), Request(Procedure.GET_OPTION_DESCRIPTORS)),
    (
        words(5, 1, 3, 1, 3, 5, 5) + b"Gray\0",
        Request(Procedure.CONTROL_OPTION, control=Control(3, Action.SET_VALUE, ValueType.STRING, 5, "Gray")),
    ),
    (
        words(5, 1, 10, 1, 2, 4, 1, 210 << 16),
        Request(Procedure.CONTROL_OPTION, control=Control(10, Action.SET_VALUE, ValueType.FIXED, 4, 210.0)),
    ),
    (
        words(5, 1, 4, 0, 1, 4, 1, 0),
        Request(Procedure.CONTROL_OPTION, control=Control(4, Action.GET_VALUE, ValueType.INT, 4, 0)),
    ),
    (words(5, 1, 8, 2), Request(Procedure.CONTROL_OPTION, control=Control(8, Action.SET_AUTO))),
    (words(6, 1), Request(Procedure.GET_PARAMETERS)),
    (words(7, 1), Request(Procedure.START)),
    (words(8, 1), Request(Procedure.CANCEL)),
    (words(10), Request(Procedure.EXIT)),
]


@pytest.mark.parametrize(("data", "request_"), REQUESTS)
def test_requests_are_decoded(data: bytes, request_: Request) -> None:
    """Every request is decoded, without touching the next one."""
    assert xdr.decode_request(data + b"next") == (request_, len(data))


@pytest.mark.parametrize(("data", "request_"), REQUESTS)
def test_a_request_cut_anywhere_is_incomplete(data: bytes, request_: Request) -> None:
    """Any beginning of a request raises IncompleteError instead of being misread."""
    for length in range(len(data)):
        with pytest.raises(xdr.IncompleteError):
            xdr.decode_request(data[:length])
    assert xdr.decode_request(data)[0] == request_


@pytest.mark.parametrize(
    "data", [words(9), words(99), b"GET / HTTP/1.1\r\n", words(2, -1), words(2, 1 << 30)]
)
def test_what_is_not_sane_is_refused(data: bytes) -> None:
    """Unknown procedures and impossible lengths are protocol errors rather than endless waits."""
    with pytest.raises(xdr.ProtocolError):
        xdr.decode_request(data)


@given(st.binary(max_size=64))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    """Any bytes are a request, the beginning of one, or a protocol error."""
    try:
        _, length = xdr.decode_request(data)
    except (xdr.IncompleteError, xdr.ProtocolError):
        return
    assert 0 < length <= len(data)


def test_an_exact_maximum_is_not_inexact() -> None:
    """The maximum of a range, as a frontend gets it, can be set exactly."""
    options = Options(read_facts(DEFAULT).options)
    names = [option.name for option in options.descriptors()]
    most = int(355.6 * 65536) / 65536
    value, info = options.set(names.index("page-height"), most)
    assert value == most
    assert not info & Info.INEXACT
