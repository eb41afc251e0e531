"""Chooses the name that a document gets in the Inbox: free there, and one that the NAS takes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from scand import durable
from scand.courier.delivery import is_there, staged_file
from scand.courier.file_names import acceptable_names
from scand.courier.inbox import find_inbox
from scand.courier.nas_file import exists, new_part
from scand.courier.refusals import OF_A_NAME, in_folder, nas_errors, place_refused

if TYPE_CHECKING:
    from collections.abc import Collection

    from scand.courier.access import Access
    from scand.courier.volume import Volume

_MOST_NAMES = 10_000
"""Documents of one title in one folder. With more, somebody has to tidy up."""


def choose_name(  # noqa: PLR0913 - what the document is, where it goes, and who may read it
    volume: Volume,
    staged: str,
    inbox: str,
    title: str,
    *,
    job_id: int,
    sha256: str,
    access: Access,
    refused: Collection[str] = (),
) -> str:
    """The path, relative to the NAS root, under which a staged document can now be published.

    "Title.pdf", "Title (2).pdf", …: the first that is free, or that this very document has already (`publish`
    then makes no second file). On a file system without RENAME_NOREPLACE (NFS), where a file that appears
    between look and rename would be overwritten, the name is one that only this job would use: "Title (job
    42).pdf".

    Args:
        volume: the NAS.
        staged: what `stage` was given.
        inbox: a directory, "PKM/Inbox"; made if it is missing.
        title: any text.
        job_id: `scan_jobs.id`.
        sha256: of the document.
        access: who may use an Inbox that has to be made.
        refused: paths that the NAS did not take.

    Raises:
        BadData: `staged_file_gone`; `place_refused`: the folder, or every name in it.
        ScandError: what `volume.nas_errors` says.
    """
    with nas_errors(volume.root):
        with staged_file(volume, staged) as (directory, _name, size):
            own = "" if _can_refuse_to_replace(directory) else f" (job {job_id})"
        folder = find_inbox(volume, inbox, access)
        with in_folder(folder), volume.directory(folder) as directory:
            limit = min(255, os.fstatvfs(directory).f_namemax or 255)
            for number in range(1, _MOST_NAMES):
                extra = own + (f" ({number})" if number > 1 else "")
                for name in acceptable_names(title, job_id, extra=extra, limit=limit):
                    path = str(PurePosixPath(folder) / name)
                    taken = path in refused or _taken(directory, name, size, sha256)
                    if taken is False:
                        return path
                    if taken is None:
                        break  # another document's: the next number, and not a worse name
            raise place_refused(folder, "every name is refused")


def _taken(inbox: int, name: str, size: int, sha256: str) -> bool | None:
    """Whether a name cannot be used: False: it is free, or this document has it; None: another has it."""
    try:
        return None if exists(inbox, name) and not is_there(inbox, name, size, sha256) else False
    except OSError as error:
        if error.errno not in OF_A_NAME:
            raise
        return True


def _can_refuse_to_replace(directory: int) -> bool:
    """Whether the file system has RENAME_NOREPLACE. Only a rename that takes place can tell."""
    here, there = new_part(), new_part()
    try:
        os.close(os.open(here, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory))
        durable.rename_noreplace(here, there, src_dir_fd=directory, dst_dir_fd=directory)
    except durable.NoReplaceUnsupported:
        return False
    finally:
        for name in (here, there):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
    return True
