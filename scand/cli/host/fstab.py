"""The lines of /etc/fstab that mount a NAS so that scand can write there and its readers can read. Pure.

Sources: mount.cifs(8), nfs(5), systemd.mount(5), fstab(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

CREDENTIALS = "/etc/scand/nas.credentials"
"""Where the CIFS line looks for user name and password. root's, 0600."""

_COMMON = (
    "nosuid", "nodev", "noexec",
    # The machine starts without the NAS. It is mounted when something first looks there, and again whenever it was
    # away; a program that looks there gets an error after 30 s.
    "nofail", "_netdev", "x-systemd.automount", "x-systemd.mount-timeout=30s",
)  # fmt: skip


def cifs(root: PurePath, *, user: str, group: str) -> str:
    """The line for an SMB share.

    Args:
        root: the mountpoint.
        user: the daemon's login name: the share has no owners that this machine knows.
        group: whose members may read the documents.
    """
    ours = (
        f"credentials={CREDENTIALS}", f"uid={user}", f"gid={group}",
        # Even where the server has owners and groups of its own.
        "forceuid", "forcegid",
        # The group takes documents out of the Inbox, too.
        "file_mode=0640", "dir_mode=0770",
    )  # fmt: skip
    return _line("//nas.lan/documents", root, "cifs", *ours)


def nfs(root: PurePath) -> str:
    """The line for an NFS export. Who may write is the server's affair: it goes by numbers of users and groups."""
    # "hard", the default, stays: "soft" can lose what was written without a word.
    return _line("nas.lan:/documents", root, "nfs")


def _line(source: str, root: PurePath, fstype: str, *options: str) -> str:
    return f"{source}  {_escaped(root)}  {fstype}  {','.join((*options, *_COMMON))}  0  0"


def _escaped(path: PurePath) -> str:
    """A path as fstab(5) writes it."""
    return str(path).replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")


def advice(root: PurePath, *, user: str, uid: int, group: str, gid: int, sudo: str) -> str:
    """What to do where nothing is mounted: for people, some lines, with the commands.

    Args:
        root: the mountpoint.
        user, uid: the daemon's.
        group, gid: whose members may read the documents.
        sudo: what goes in front of a command for root.
    """
    return f"""\
Mount the NAS there by one of these lines in /etc/fstab, with your server and share for nas.lan and documents.

A share of Windows' kind (SMB), with `{sudo}apt install cifs-utils`; {CREDENTIALS} holds two lines,
username=… and password=…, and is readable for root only (`{sudo}install -m 0600 /dev/null {CREDENTIALS}`):

{cifs(root, user=user, group=group)}

NFS, with `{sudo}apt install nfs-common`; the server must let user {uid} write there, and group {gid} read:

{nfs(root)}

Then:

  {sudo}systemctl daemon-reload
  {sudo}systemctl start remote-fs.target
  {sudo}scand setup
"""
