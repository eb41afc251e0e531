"""What an error of the NAS means: an outage, for which everybody waits, or no to this one name or folder.

Servers announce other rules than they have, and say so in different ways:

    a name of more than 143 bytes    eCryptfs: ENAMETOOLONG; the same behind SMB: ENOENT (f_namemax says 255)
    a colon, a final dot or space    SMB to Windows' rules, exFAT, NTFS: EINVAL, or ENOENT
    bytes that are no UTF-8          ZFS with utf8only, macOS: EILSEQ
    a name that somebody has open    SMB's leases and share modes: EBUSY, EAGAIN, ETXTBSY

Source: fs/ecryptfs/crypto.c, fs/smb/client/smb2maperror.c and fs/exfat/namei.c of Linux; zfsprops(7).
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scand.errors import BadData, ConfigError, ScandError, TryAgain, Unavailable
from scand.faults import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OF_A_NAME = frozenset(
    {
        errno.ENAMETOOLONG,
        errno.EINVAL,
        errno.EILSEQ,
        errno.ENOENT,
        errno.EBUSY,
        errno.EAGAIN,
        errno.ETXTBSY,
        errno.EISDIR,
        errno.ENOTEMPTY,
    }
)
"""With these a server may refuse a new name in a folder that is there; another name may do."""

_OF_A_FOLDER = (OF_A_NAME - {errno.EBUSY, errno.EAGAIN, errno.ETXTBSY}) | frozenset(
    {errno.ENOTDIR, errno.ELOOP, errno.EXDEV, errno.EACCES, errno.EPERM}
)
"""With these it refuses to make or open one folder, or to put anything into it."""


class NameRefused(Exception):
    """The NAS does not take this name for a document. Nothing was published."""


@contextmanager
def in_folder(path: str) -> Iterator[None]:
    """Errors that concern this folder alone are no outage: the job goes back to a person.

    Args:
        path: relative to the NAS root.

    Raises:
        BadData: `place_refused`.
        OSError: anything else; see `nas_errors`.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_A_FOLDER:
            raise
        raise place_refused(path, error.strerror or str(error)) from error


def place_refused(path: str, why: str) -> BadData:
    """The sentence for a person."""
    return BadData(
        f'The NAS takes no document in "{path}" ({why}): see what is there and who may write, or choose another '
        f"folder (nas.inbox, or inbox in the job's settings); then commit again.",
        ErrorCode.PLACE_REFUSED,
    )


@contextmanager
def nas_errors(root: Path) -> Iterator[None]:
    """Say what an OSError from the NAS means and what to do; FileExistsError stays: it means another name.

    Raises:
        TryAgain: `nas_full`.
        ConfigError: `nas_unavailable`, where only the operator can help.
        Unavailable: `nas_readonly`, `nas_unavailable`.
    """
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise _meaning(error, root) from error


def _meaning(error: OSError, root: Path) -> ScandError:
    why = error.strerror or str(error)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return TryAgain(f"The NAS at {root} is full ({why}): make room there.", ErrorCode.NAS_FULL)
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return Unavailable(
                f"The NAS at {root} refuses ({why}): mount it read-write, and let scand's user write there.",
                ErrorCode.NAS_READONLY,
            )
        case errno.EXDEV:
            return ConfigError(
                f"nas.staging and the Inbox must lie on one file system below {root}: a document gets from one "
                f"to the other by being renamed.",
                ErrorCode.NAS_UNAVAILABLE,
            )
        case errno.ELOOP | errno.ENOTDIR:
            return ConfigError(
                f"A directory below {root} is a file or a symbolic link ({why}), and scand follows none there: "
                f"write the real path into nas.staging or nas.inbox.",
                ErrorCode.NAS_UNAVAILABLE,
            )
    return Unavailable(
        f"The NAS at {root} does not answer as it should ({why}): see that it is on, and mounted there.",
        ErrorCode.NAS_UNAVAILABLE,
    )
