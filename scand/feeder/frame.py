"""One frame, through `sane_read` itself, into memory that is there already.

python-sane's own `snap` takes new memory for each page, goes line by line through a buffer of its own, and
unpacks lineart to a byte a pixel: at 300 dpi colour 26 to 32 ms of a core for a page that takes 14 this way. It
reads out of bounds where the driver says 16 bits, and crashes when its callback raises. So its handle is taken out
of its object and libsane out of its module, and the one call that matters is made here.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import _sane

from scand.errors import Unavailable
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = 32 << 10
"""Bytes asked of the driver at once, as `scanimage` does."""

_ROOM = 4 << 20  # bytes at first, where the driver does not say how long the page will be
_GOOD, _EOF = 0, 5  # SANE_Status, SANE standard 4.2.7


class _SaneDev(ctypes.Structure):
    """SaneDevObject of python-sane 2.9 (`_sane.c`): a Python object, then the SANE_Handle."""

    _fields_ = (("head", ctypes.c_byte * object.__basicsize__), ("handle", ctypes.c_void_p))


_libsane = ctypes.CDLL(_sane.__file__)  # a library's names are looked for in those that it needs, too
_libsane.sane_read.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int))
_libsane.sane_strstatus.restype = ctypes.c_char_p


class ReadError(Exception):
    """The driver ended the frame with an error; the message is `sane_strstatus`."""


def read(
    device: object, room: bytearray, expected: int, advance: Callable[[int], None]
) -> tuple[bytearray, int]:
    """Read a frame that was started until the driver says that it is through.

    Args:
        device: python-sane's, open.
        room: where the frame goes, if it is large enough.
        expected: bytes; 0 when the driver cannot say.
        advance: called with the bytes that are there, after each piece.

    Returns:
        `room`, or another that is larger; and how many bytes came.

    Raises:
        ReadError: any other end.
        Unavailable: a python-sane whose objects are made otherwise.
    """
    if type(device).__basicsize__ != ctypes.sizeof(_SaneDev):
        raise Unavailable(
            "This python-sane keeps its handle elsewhere: install version 2.9.", ErrorCode.DEVICE_ERROR
        )
    handle = _SaneDev.from_address(id(device)).handle
    came, length = 0, ctypes.c_int()
    if len(room) < expected + _PIECE:
        room = bytearray((expected or _ROOM) + _PIECE)
    while True:
        here = ctypes.addressof(ctypes.c_char.from_buffer(room))
        while came + _PIECE <= len(room):
            status = _libsane.sane_read(handle, here + came, _PIECE, ctypes.byref(length))
            if status == _EOF:
                return room, came
            if status != _GOOD:
                raise ReadError(_libsane.sane_strstatus(status).decode("ascii", "replace"))
            if length.value:
                came += length.value
                advance(came)
        room = room + bytes(len(room))  # not in place: somebody may still look at it
