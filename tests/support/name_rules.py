"""The rules that servers have for names, where the kernel here has no such file system: for `NasFs`.

A rule is (name, whether it is to be made) → errno, or 0; and how the server spells a name that it stores. Sources:

    ecryptfs    143 bytes, since the encrypted name has 255 (fs/ecryptfs/crypto.c): ENAMETOOLONG, also at lookup
    over_smb    the same behind Samba (Synology's encrypted shares): the client makes ENOENT of what it says
                (fs/smb/client/smb2maperror.c, STATUS_OBJECT_NAME_NOT_FOUND)
    windows     reserved characters, a final dot or space, names of devices (Microsoft: "Naming Files, Paths, and
                Namespaces"): EINVAL when made, ENOENT when looked up
    exfat       the same: EINVAL, also at lookup (fs/exfat/nls.c)
    utf8only    anything but ASCII, in a share whose code page has no other: EILSEQ
    macos       stored in NFD, found in any case: HFS+ and APFS behind SMB (Apple: Technical Note TN1150)
    leased      open elsewhere without sharing: EBUSY (smb2maperror.c, STATUS_SHARING_VIOLATION)
"""

from __future__ import annotations

import errno
import os
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Rule = Callable[[str, bool], int]

_LONG = 143  # bytes
_RESERVED = set('<>:"\\|?*') | set(map(chr, range(32)))
_DEVICES = {"con", "prn", "aux", "nul", "com1", "lpt1"}


def _ecryptfs(name: str, _making: bool) -> int:
    return errno.ENAMETOOLONG if len(os.fsencode(name)) > _LONG else 0


def _over_smb(name: str, _making: bool) -> int:
    return errno.ENOENT if len(os.fsencode(name)) > _LONG else 0


def _unfit_for_windows(name: str) -> bool:
    return (
        bool(_RESERVED & set(name)) or name[-1] in ". " or name.split(".", maxsplit=1)[0].lower() in _DEVICES
    )


def _windows(name: str, making: bool) -> int:
    return (errno.EINVAL if making else errno.ENOENT) if _unfit_for_windows(name) else 0


def _exfat(name: str, _making: bool) -> int:
    return errno.EINVAL if _unfit_for_windows(name) else 0


def _utf8only(name: str, _making: bool) -> int:
    return 0 if name.isascii() else errno.EILSEQ


def _leased(name: str, making: bool) -> int:
    return errno.EBUSY if making and name.startswith("Leased") else 0


RULES: Mapping[str, Rule] = {
    "": lambda _name, _making: 0,
    "ecryptfs": _ecryptfs,
    "over_smb": _over_smb,
    "windows": _windows,
    "exfat": _exfat,
    "utf8only": _utf8only,
    "macos": lambda _name, _making: 0,
    "leased": _leased,
}
"""By the name of a personality."""


def spelt(personality: str, directory: str, name: str) -> str:
    """How the server spells a name: as what is there already and looks the same, or as it stores a new one."""
    if personality != "macos":
        return name
    alike = _folded(name)
    stored = (found for found in os.listdir(directory) if _folded(found) == alike)  # noqa: PTH208 - as NasFs
    return next(stored, unicodedata.normalize("NFD", name))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
