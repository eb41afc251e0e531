"""A bad network file system, in FUSE: a directory that is served with faults on demand.

It has no RENAME_NOREPLACE and no fsync of directories. It can lose replies, refuse calls and corrupt what it
stores. Nothing is cached. A thread serves it, so a test can change the faults at any time. Source of the protocol:
<linux/fuse.h>, 7.31.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.support.name_rules import RULES, spelt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_HEADER = struct.Struct("<IIQQIIII")
_MAX_WRITE = 1 << 17  # bytes
_DETACH = 2  # MNT_DETACH


class NasFs:
    """A file system that is mounted for a `with` block.

    Args:
        backing: the directory that it serves.
        mountpoint: where it is mounted.

    Attributes:
        refuses: call → errno: it is not carried out.
        loses: calls that are carried out and answered with EIO.
        vanishes: a rename finds that somebody has removed the file ("rename").
        personality: whose rules for names it has (see `name_rules`).
        spoils: whether one bit of each write is flipped.
        hangs: calls that are not answered, nor any after them, as long as they are in this set; their processes
            cannot even be killed.
        calls: all that were received, in order.
    """

    def __init__(self, backing: Path, mountpoint: Path) -> None:
        self.refuses: dict[str, int] = {}
        self.loses: set[str] = set()
        self.vanishes: set[str] = set()
        self.personality = ""
        self.spoils = False
        self.hangs: set[str] = set()
        self.calls: list[str] = []
        self._mountpoint = mountpoint
        self._paths = {1: str(backing)}
        self._ids = {str(backing): 1}
        self._files: dict[int, int] = {}

    def __enter__(self) -> Self:
        self._fuse = os.open("/dev/fuse", os.O_RDWR)
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._fuse},rootmode=40000,user_id=0,group_id=0,default_permissions"
        mountpoint = os.fsencode(self._mountpoint)
        if libc.mount(b"nas", mountpoint, b"fuse.nas", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "mount")
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ctypes.CDLL(None).umount2(os.fsencode(self._mountpoint), _DETACH)

    def _serve(self) -> None:
        calls: dict[int, tuple[str, Callable[[int, bytes], bytes]]] = {
            1: ("lookup", self._lookup),
            3: ("getattr", self._getattr),
            4: ("setattr", self._setattr),
            9: ("mkdir", self._mkdir),
            10: ("unlink", self._unlink),
            11: ("rmdir", self._rmdir),
            12: ("rename", self._rename),
            14: ("open", self._open),
            15: ("read", self._read),
            16: ("write", self._write),
            17: ("statfs", self._statfs),
            18: ("release", self._release),
            20: ("fsync", self._fsync),
            25: ("flush", lambda _node, _data: b""),
            26: ("init", self._init),
            27: ("opendir", lambda _node, _data: bytes(16)),
            28: ("readdir", self._readdir),
            29: ("releasedir", lambda _node, _data: b""),
            30: ("fsyncdir", self._fsyncdir),
            35: ("create", self._create),
        }
        with suppress(OSError):  # ENODEV: unmounted
            while request := os.read(self._fuse, _MAX_WRITE + 4096):
                _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
                if opcode in {2, 36, 42}:  # forget, interrupt, batch_forget: no answer is wanted
                    continue
                name, call = calls.get(opcode, (str(opcode), None))
                self.calls.append(name)
                while name in self.hangs:
                    time.sleep(0.01)
                answer, code = b"", errno.ENOSYS
                if call and not (code := self.refuses.get(name, 0)):
                    try:
                        answer = call(node, request[_HEADER.size :])
                    except OSError as error:
                        code = error.errno or errno.EIO
                if name in self.loses:
                    answer, code = b"", errno.EIO
                os.write(self._fuse, struct.pack("<IiQ", 16 + len(answer), -code, unique) + answer)

    def _init(self, _node: int, data: bytes) -> bytes:
        major, _minor = struct.unpack_from("<II", data)
        return struct.pack("<IIIIHHIIHHI28x", major, 31, 0, 0, 1, 1, _MAX_WRITE, 1, 0, 0, 0)

    def _below(self, node: int, name: bytes, *, making: bool = False) -> str:
        text, directory = os.fsdecode(name.rstrip(b"\0")), self._paths[node]
        if refused := RULES[self.personality](text, making):
            raise OSError(refused, os.strerror(refused), text)
        return os.path.join(directory, spelt(self.personality, directory, text))  # noqa: PTH118 - hot

    def _attributes(self, path: str) -> bytes:
        state = os.lstat(path)
        times = (int(state.st_atime), int(state.st_mtime), int(state.st_ctime))
        numbers = (state.st_mode, state.st_nlink, state.st_uid, state.st_gid, 0, 4096, 0)
        return struct.pack("<6Q10I", state.st_ino, state.st_size, state.st_blocks, *times, 0, 0, 0, *numbers)

    def _entry(self, path: str) -> bytes:
        attributes = self._attributes(path)
        node = self._ids.setdefault(path, len(self._paths) + 1)
        self._paths[node] = path
        return struct.pack("<4QII", node, 0, 0, 0, 0, 0) + attributes

    def _lookup(self, node: int, data: bytes) -> bytes:
        return self._entry(self._below(node, data))

    def _getattr(self, node: int, _data: bytes) -> bytes:
        return bytes(16) + self._attributes(self._paths[node])

    def _setattr(self, node: int, data: bytes) -> bytes:
        valid, _, _, size, *_ = struct.unpack_from("<IIQQ", data)
        mode, _, uid, gid = struct.unpack_from("<IIII", data, 68)
        path = self._paths[node]
        if valid & 1:
            os.chmod(path, mode & 0o7777)  # noqa: PTH101
        if valid & 6:
            os.chown(path, uid if valid & 2 else -1, gid if valid & 4 else -1)
        if valid & 8:
            os.truncate(path, size)
        return self._getattr(node, b"")

    def _mkdir(self, node: int, data: bytes) -> bytes:
        path = self._below(node, data[8:], making=True)
        os.mkdir(path, struct.unpack_from("<I", data)[0] & 0o7777)  # noqa: PTH102
        return self._entry(path)

    def _unlink(self, node: int, data: bytes) -> bytes:
        os.unlink(self._below(node, data))  # noqa: PTH108
        self._ids.pop(self._below(node, data), None)
        return b""

    def _rmdir(self, node: int, data: bytes) -> bytes:
        os.rmdir(self._below(node, data))  # noqa: PTH106
        self._ids.pop(self._below(node, data), None)
        return b""

    def _rename(self, node: int, data: bytes) -> bytes:
        old, new = data[8:].rstrip(b"\0").split(b"\0")
        source = self._below(node, old)
        target = self._below(struct.unpack_from("<Q", data)[0], new, making=True)
        if "rename" in self.vanishes:
            os.unlink(source)  # noqa: PTH108
        os.rename(source, target)  # noqa: PTH104
        moved = self._ids.pop(source)
        self._ids[target] = moved
        self._paths[moved] = target
        return b""

    def _opened(self, path: str, flags: int, mode: int = 0) -> bytes:
        fd = os.open(path, flags & (os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC), mode)
        self._files[fd] = fd
        return struct.pack("<QII", fd, 1, 0)  # FOPEN_DIRECT_IO

    def _open(self, node: int, data: bytes) -> bytes:
        return self._opened(self._paths[node], struct.unpack_from("<I", data)[0])

    def _create(self, node: int, data: bytes) -> bytes:
        flags, mode = struct.unpack_from("<II", data)
        path = self._below(node, data[16:], making=True)
        opened = self._opened(path, flags | os.O_CREAT, mode & 0o7777)
        return self._entry(path) + opened

    def _read(self, _node: int, data: bytes) -> bytes:
        fd, offset, size = struct.unpack_from("<QQI", data)
        return os.pread(fd, size, offset)

    def _write(self, _node: int, data: bytes) -> bytes:
        fd, offset, size = struct.unpack_from("<QQI", data)
        block = bytearray(data[40 : 40 + size])
        if self.spoils:
            block[0] ^= 1
        return struct.pack("<II", os.pwrite(fd, block, offset), 0)

    def _release(self, _node: int, data: bytes) -> bytes:
        os.close(self._files.pop(struct.unpack_from("<Q", data)[0]))
        return b""

    def _fsync(self, _node: int, data: bytes) -> bytes:
        os.fsync(struct.unpack_from("<Q", data)[0])
        return b""

    def _fsyncdir(self, _node: int, _data: bytes) -> bytes:
        raise OSError(errno.EINVAL, "as CIFS does")

    def _statfs(self, _node: int, _data: bytes) -> bytes:
        return struct.pack("<5Q4I24x", 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 4096, 255, 4096, 0)

    def _readdir(self, node: int, data: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", data)
        answer = b""
        for number, name in enumerate(sorted(os.listdir(self._paths[node]))[offset:], offset + 1):  # noqa: PTH208
            raw = os.fsencode(name)
            entry = struct.pack("<QQII", number, number, len(raw), 0) + raw
            entry += bytes(-len(entry) % 8)
            if len(answer) + len(entry) > size:
                break
            answer += entry
        return answer
