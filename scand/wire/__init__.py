"""The protocol between the daemon and its children: one JSON object a line, both ways on one socket.

Pixels never cross it, only paths, hashes and sizes. The parent writes commands, the child writes reports; end of
file means that the other side has ended. Lines are UTF-8 and end in a newline.

`commands` and `reports` are the messages (`message` is what they have in common), and `lines` turns them into
bytes and back. `child` is the parent's side: it starts a child process, and reads what that reports and prints
(`output`). `parent` is the child's side, with `throttle` for its signs of life. `ask` asks one question of a child
of its own.
"""

from scand.wire.commands import (
    Assemble,
    Bind,
    Cancel,
    Check,
    Command,
    Find,
    Finish,
    Go,
    ListDevices,
    MergePart,
    Nas,
    Probe,
    Publish,
    Scan,
    Survey,
    Sweep,
    Task,
    Unstage,
)
from scand.wire.lines import Lines, encode
from scand.wire.reports import (
    Alive,
    BoundPdf,
    Captured,
    Checked,
    Device,
    Devices,
    Ended,
    Failed,
    Folder,
    FoundDevice,
    Hello,
    Idle,
    Named,
    Opened,
    Probed,
    Published,
    Report,
    Staged,
    Surveyed,
    Swept,
    Unstaged,
)

__all__ = [
    "Alive",
    "Assemble",
    "Bind",
    "BoundPdf",
    "Cancel",
    "Captured",
    "Check",
    "Checked",
    "Command",
    "Device",
    "Devices",
    "Ended",
    "Failed",
    "Find",
    "Finish",
    "Folder",
    "FoundDevice",
    "Go",
    "Hello",
    "Idle",
    "Lines",
    "ListDevices",
    "MergePart",
    "Named",
    "Nas",
    "Opened",
    "Probe",
    "Probed",
    "Publish",
    "Published",
    "Report",
    "Scan",
    "Staged",
    "Survey",
    "Surveyed",
    "Sweep",
    "Swept",
    "Task",
    "Unstage",
    "Unstaged",
    "encode",
]
