"""Who may read what scand makes on the NAS: `nas.file_mode` and `nas.group`."""

from __future__ import annotations

import errno
import grp
import os
from stat import S_IMODE
from typing import NamedTuple

from scand.errors import ConfigError
from scand.faults import ErrorCode

_REFUSED = frozenset(
    {errno.EPERM, errno.EACCES, errno.EROFS, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY}
)
"""With these a file system refuses to change owner or permissions, whatever it does otherwise."""


class Access(NamedTuple):
    """Permissions and group of a file or a directory.

    Attributes:
        mode: 0o640.
        gid: the group; None leaves it to the file system.
    """

    mode: int
    gid: int | None = None

    @classmethod
    def of(cls, file_mode: str, group: str) -> Access:
        """From `nas.file_mode` ("0640") and `nas.group` (a name, or empty).

        Raises:
            ConfigError: `nas_readonly`: not a mode, or no such group.
        """
        try:
            return cls(int(file_mode, 8), grp.getgrnam(group).gr_gid if group else None)
        except ValueError:
            raise ConfigError(
                f'nas.file_mode = "{file_mode}" is not a mode like "0640".', ErrorCode.NAS_READONLY
            ) from None
        except KeyError:
            raise ConfigError(
                f'nas.group = "{group}": this machine has no such group.', ErrorCode.NAS_READONLY
            ) from None

    @property
    def directory(self) -> Access:
        """For directories: whoever may read the files may look into it."""
        return self._replace(mode=0o700 | (self.mode & 0o044) | (self.mode & 0o044) >> 2)

    @property
    def inbox(self) -> Access:
        """For the Inbox: the group may also take files out of it, as consumers do."""
        return self._replace(mode=self.directory.mode | (self.mode & 0o040) >> 1)

    def apply(self, fd: int) -> bool:
        """Give an open file or directory this group and exactly these permissions, if it has others.

        Returns:
            Whether it has them now. A file system may have its own (exFAT, a mount with uid=), or refuse (ZFS with
            aclmode=restricted, a group that scand's user is no member of): that is no reason not to deliver.

        Raises:
            OSError: the NAS does not answer.
        """
        state = os.fstat(fd)
        try:
            if self.gid is not None and self.gid != state.st_gid:
                os.fchown(fd, -1, self.gid)
            if S_IMODE(state.st_mode) != self.mode:
                os.fchmod(fd, self.mode)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
        state = os.fstat(fd)
        return self.gid in {None, state.st_gid} and S_IMODE(state.st_mode) == self.mode
