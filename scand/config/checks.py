"""Checks that need more than one section: keys that must fit each other, profiles, this machine's groups."""

from __future__ import annotations

import grp
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from scand.config.sections import Nas, Scanner, Section
from scand.jobs.settings import BadSettings, resolve
from scand.wording import Complaint, either, meant, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def pure(table: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is wrong between the keys of a config, as far as its sections are well-formed.

    Args:
        table: the config as written, with the profiles of `profiles.d` in it.
    """
    profiles = table.get("profiles")
    if isinstance(profiles, dict):
        yield from _profiles(profiles)
        yield from _manual(table.get("manual"), profiles)
    if scanner := _sound(Scanner, table.get("scanner", {})):
        try:
            resolve(scanner.section.pins, {}, most=None)
        except BadSettings as error:
            yield from (Complaint(("scanner", *one.place), one.reason) for one in error.complaints)
    if (nas := _sound(Nas, table.get("nas", {}))) and not nas.odd & {"inbox", "staging"}:
        yield from _folders(nas.section)


def daemons(table: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is wrong for a daemon on this machine; a client on another host need not know the group."""
    written = table.get("nas", {})
    if isinstance(written, dict) and "root" not in written:
        yield Complaint(("nas", "root"), NO_ROOT)
    if (nas := _sound(Nas, written)) and nas.section.group:
        yield from _group(nas.section.group)


def _group(name: str) -> Iterator[Complaint]:
    try:
        grp.getgrnam(name)
    except (KeyError, ValueError):
        near = meant(name, [group.gr_name for group in grp.getgrall()])
        mend = near or f": sudo groupadd {shlex.quote(plain(name))}"
        yield Complaint(("nas", "group"), f"is {shown(name)}, and this machine has no such group{mend}")


def warnings(nas: Nas) -> Iterator[Complaint]:
    """What is allowed, and probably a mistake."""
    if nas.group and not nas.file_mode & 0o040:
        mode = f"{nas.file_mode:04o}"
        mend = f'"{nas.file_mode | 0o040:04o}" lets it'
        yield Complaint(
            ("nas", "file_mode"), f'is "{mode}": group {nas.group} cannot read the documents; {mend}'
        )


NO_ROOT = 'is missing: it must be an absolute path, where the NAS is mounted, such as "/mnt/nas"'


class _Sound(NamedTuple):
    """A section as far as it is well-formed; the rest of it is refused when the whole config is validated.

    Attributes:
        odd: the keys whose value is not well-formed; the section has their default.
    """

    section: Any
    odd: frozenset[str]


def _sound(kind: type[Section], written: object) -> _Sound | None:
    try:
        return _Sound(kind.model_validate(written), frozenset())
    except ValidationError as error:
        odd = frozenset(str(found["loc"][0]) for found in error.errors() if found["loc"])
    if not isinstance(written, dict) or not odd:
        return None
    return _Sound(kind.model_validate({key: one for key, one in written.items() if key not in odd}), odd)


def _profiles(profiles: Mapping[str, Any]) -> Iterator[Complaint]:
    tables = {name: content for name, content in profiles.items() if isinstance(content, dict)}
    for name in tables:
        try:
            resolve({"profile": name}, tables, most=None)
        except BadSettings as error:
            yield from (Complaint(("profiles", name, *one.place), one.reason) for one in error.complaints)


def _manual(manual: object, profiles: Mapping[str, Any]) -> Iterator[Complaint]:
    """The profile of the jobs that a signal makes."""
    wanted = manual.get("profile", "default") if isinstance(manual, dict) else "default"
    known = sorted({"default", *profiles})
    if isinstance(wanted, str) and wanted not in known:
        reason = f"is {shown(wanted)}, but must be {either(known[:9])}{meant(wanted, known)}"
        yield Complaint(("manual", "profile"), reason)


def _folders(nas: Nas) -> Iterator[Complaint]:
    """Inbox and staging must lie apart: what empties the Inbox must not find merges that nobody has committed."""
    if not nas.apart(nas.inbox):
        yield Complaint(("nas", "staging" if nas.inbox != "." else "inbox"), _together(nas))
    elif nas.outside is not None and nas.root is not None:
        root, staging = Path(nas.root), nas.outside
        if root.is_relative_to(staging) or staging.is_relative_to(root):
            where = "must be a folder below nas.root, written without it, or lie outside it"
            yield Complaint(("nas", "staging"), f"is {shown(nas.staging)}, but {where}")


def _together(nas: Nas) -> str:
    if nas.inbox != ".":
        return f"({shown(nas.staging)}) and nas.inbox ({shown(nas.inbox)}) must lie apart"
    beside = (nas.root or Path("/mnt/nas/Inbox")).parent / ".scan-staging"
    return (
        f'is ".", all of nas.root, so nas.staging ({shown(nas.staging)}) must lie outside: an absolute path on '
        f"the same file system, such as {shown(str(beside))}"
    )
