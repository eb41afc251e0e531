"""What a courier answers to `scand nas init` and `scand doctor`: about the NAS, not about a job."""

from __future__ import annotations

from typing import Literal

from scand.wire.message import Message


class Folder(Message):
    """A directory on the NAS.

    Attributes:
        path: relative to the NAS root; "" is the root itself.
        mode: permissions, such as 0o750.
    """

    path: str
    mode: int
    uid: int
    gid: int


class Marked(Message):
    """The NAS has its marker.

    Attributes:
        volume_id: what the marker file contains.
    """

    say: Literal["marked"] = "marked"
    volume_id: str


class Surveyed(Message):
    """What the NAS is like.

    Attributes:
        free: bytes that the daemon's user may still write.
        gid: the group that the file system gives to new files.
        folders: those that there are, of the root and the way to staging and Inbox.
        granted: a new file can have the group and the permissions that the config says.
    """

    say: Literal["surveyed"] = "surveyed"
    free: int
    gid: int
    folders: tuple[Folder, ...]
    granted: bool = True
