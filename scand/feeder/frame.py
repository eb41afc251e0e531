"""Reads one frame by calling `sane_read` directly, into a buffer that is used again and again.

python-sane's own `snap` allocates new memory for each page, copies line by line through a buffer of its own, and
unpacks lineart to a byte a pixel: a colour page at 300 dpi takes 26 to 32 ms of a core, and 14 ms this way. It
reads out of bounds where the driver says 16 bits, and crashes when its callback raises. So this module takes the
SANE handle out of python-sane's object and libsane out of its extension module, and calls `sane_read` itself.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import _sane

from scand.errors import Unavailable
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 32 << 10
"""Bytes that the driver is asked for at once; `scanimage` does the same."""

_FIRST_SIZE = 4 << 20
"""Bytes of the first buffer where the driver does not say how long the page will be."""
_GOOD, _EOF = 0, 5  # SANE_Status, SANE standard 4.2.7


class _SaneDev(ctypes.Structure):
    """`SaneDevObject` of python-sane 2.9 (`_sane.c`): the head of a Python object, then the SANE_Handle."""

    _fields_ = (("head", ctypes.c_byte * object.__basicsize__), ("handle", ctypes.c_void_p))


_libsane = ctypes.CDLL(_sane.__file__)  # symbols are looked up in the libraries that it links to, too
_libsane.sane_read.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int))
_libsane.sane_strstatus.restype = ctypes.c_char_p


class ReadError(Exception):
    """The driver ended the frame with an error; the message is that of `sane_strstatus`."""


def read(
    device: object, buffer: bytearray, expected: int, advance: Callable[[int], None]
) -> tuple[bytearray, int]:
    """Read a frame that was started, to its end.

    Args:
        device: an open device of python-sane (`_sane.SaneDev`).
        buffer: where the frame goes, if it is large enough.
        expected: size of the frame in bytes; 0 when the driver does not know.
        advance: called after each chunk with the number of bytes that have come so far.

    Returns:
        The buffer with the frame, which is `buffer` or a larger one; and the number of bytes that came.

    Raises:
        ReadError: the driver ended the frame with an error.
        Unavailable: this version of python-sane has other objects than version 2.9.
    """
    if type(device).__basicsize__ != ctypes.sizeof(_SaneDev):
        raise Unavailable(
            "This python-sane keeps its handle elsewhere: install version 2.9.", ErrorCode.DEVICE_ERROR
        )
    handle = _SaneDev.from_address(id(device)).handle
    came, length = 0, ctypes.c_int()
    if len(buffer) < expected + _CHUNK:
        buffer = bytearray((expected or _FIRST_SIZE) + _CHUNK)
    while True:
        address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        while came + _CHUNK <= len(buffer):
            status = _libsane.sane_read(handle, address + came, _CHUNK, ctypes.byref(length))
            if status == _EOF:
                return buffer, came
            if status != _GOOD:
                raise ReadError(_libsane.sane_strstatus(status).decode("ascii", "replace"))
            if length.value:
                came += length.value
                advance(came)
        buffer = buffer + bytes(len(buffer))  # resizing fails while it has a memoryview
