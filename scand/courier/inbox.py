"""The Inbox on the NAS: a folder that is found by what its name looks like, and made under a name that all take.

A Mac writes "Büro" with a combining accent, most others with one character: for people it is one folder. A folder
that has to be made gets a name that every server takes, as a document does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unicodedata import normalize

from scand.courier.file_names import safe_name
from scand.courier.refusals import OF_A_NAME, in_folder

if TYPE_CHECKING:
    from scand.courier.access import Access
    from scand.courier.volume import Volume


def find_inbox(volume: Volume, inbox: str, access: Access) -> str:
    """The path of the Inbox, relative to the NAS root, as it is spelt there; folders that are missing are made.

    Args:
        volume: the NAS.
        inbox: as it was asked for, "PKM/Büro"; "." for the root.
        access: who may use a folder that has to be made.

    Raises:
        BadData: `place_refused`; or the path leads out of the volume.
        OSError: anything else; see `nas_errors`.
    """
    path = ""
    for part in inbox.split("/"):
        if part not in {"", "."}:
            path = f"{path}/{_find(volume, path, part) or safe_name(part, suffix='')}".removeprefix("/")
            with in_folder(path), volume.directory(path, make=access.inbox):
                pass
    return path or "."


def _find(volume: Volume, path: str, name: str) -> str | None:
    """A name in a folder that looks the same; None: there is none."""
    with in_folder(path or "."), volume.directory(path) as folder:
        try:
            os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno not in OF_A_NAME:
                raise
            alike = normalize("NFC", name)
            with os.scandir(folder) as entries:
                return next((entry.name for entry in entries if normalize("NFC", entry.name) == alike), None)
    return name
