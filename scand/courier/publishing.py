"""The task to publish: what a former try has done, a name in the Inbox, the daemon's word, the one rename."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scand import wire
from scand.courier import delivery, staging
from scand.courier.attempt import Attempt, forget
from scand.courier.choosing import choose_name
from scand.courier.refusals import NameRefused
from scand.errors import BadData, ScandError
from scand.faults import ErrorCode
from scand.spool.records import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scand.courier.access import Access
    from scand.courier.volume import Volume
    from scand.wire.parent import Parent

_TRIES = 3
"""How often a merge whose staged file disappears is published from the local one before a person is asked."""


class Publishing:
    """One run of the task.

    Args:
        parent: the daemon, which gives the word.
        volume: the NAS.
        task: what to publish.
        access: who may read it.
        alive: called with the name of the step, bytes done, and bytes in all.
    """

    def __init__(
        self,
        parent: Parent,
        volume: Volume,
        task: wire.Publish,
        access: Access,
        alive: Callable[[str, int, int], None],
    ) -> None:
        self._parent, self._volume, self._task = parent, volume, task
        self._access, self._alive = access, alive

    def run(self) -> wire.Published | wire.Withdrawn:
        """Publish the document, unless that was done before; or see that it was not, and take it back.

        Raises:
            BadData: `staged_file_gone`: nothing was published.
            ScandError: from the NAS or the local disk; the next try finds out what was done.
        """
        attempt = Attempt.read(Path(self._task.attempt), self._task.place.path)
        published = self._published_before(attempt)
        if published is None and self._task.withdraw:
            published = self._found_in_inbox()
            if published is None:
                self._withdraw(attempt)
                return wire.Withdrawn()
        published = published or self._publish(attempt)
        with suppress(ScandError):  # what is left there goes with the job's next stay
            staging.unstage(self._volume, self._task.place)
        return published

    def _published_before(self, attempt: Attempt | None) -> wire.Published | None:
        if attempt is not None:
            done = delivery.published_already(self._volume, attempt)
            return wire.Published(inbox_path=attempt.inbox_path, sha256=attempt.sha256) if done else None
        place, name = self._task.place, self._task.inbox_path
        if (
            place.former is None
            or name is None
            or self._is_staged(place.path)
            or self._is_staged(place.former)
        ):
            return None
        # Scand 0.1 kept no record of its attempts.
        content = content_of(Path(self._task.merged))
        if content and delivery.lies_in(self._volume, name, *content):
            return wire.Published(inbox_path=name, sha256=content[1])
        raise BadData(
            f"The merge that an earlier version of scand staged is gone, and {name} is not in the Inbox: see "
            f"whether somebody has taken it from there. If nobody has, reopen the job and finish it again.",
            ErrorCode.STAGED_FILE_GONE,
        )

    def _found_in_inbox(self) -> wire.Published | None:
        """The document under the name that the row has, though the staged file is there, too."""
        name, document = self._task.inbox_path, self._previewed()
        if name and delivery.lies_in(self._volume, name, document.size, document.sha256):
            return wire.Published(inbox_path=name, sha256=document.sha256)
        return None

    def _withdraw(self, attempt: Attempt | None) -> None:
        """Prove the staged file, which is staged again if it is gone: then it is what was previewed."""
        document = self._previewed()
        if document.sha256 not in {self._task.sha256, attempt and attempt.sha256}:
            raise BadData(
                "The merge on local disk is not what was previewed: reopen the job and finish it again.",
                ErrorCode.STAGED_FILE_GONE,
            )
        self._stage_again(document)  # what is there already is only read back
        if attempt is not None:
            forget(Path(self._task.attempt))

    def _publish(self, attempt: Attempt | None) -> wire.Published:
        task, document = self._task, self._previewed()
        staging.adopt(self._volume, task.place, document.size, document.sha256, access=self._access)
        known = document.sha256 in {task.sha256, attempt and attempt.sha256}
        gone, refused, granted = 0, set[str](), True
        while True:
            try:
                if known and not self._is_staged(task.place.path):
                    self._stage_again(document)
                name = self._name(document, refused)
                same = self._word(wire.Named(inbox_path=name, sha256=document.sha256)).same_as
                known = True
                if not same:
                    granted = self._move(name, document)
            except FileExistsError:
                continue  # somebody was faster with that name: another, and the row first
            except NameRefused:
                refused.add(name)
                continue  # another, and the row first
            except (
                BadData
            ) as error:  # staged_file_gone, by what cleans up hidden folders; or it is another file
                gone += 1
                lost = error.code is ErrorCode.STAGED_FILE_GONE and not self._is_staged(task.place.path)
                if not known or gone == _TRIES or not lost:
                    raise
                continue
            return wire.Published(inbox_path=same or name, sha256=document.sha256, granted=granted)

    def _previewed(self) -> Document:
        """The local merge: what was previewed."""
        content = content_of(Path(self._task.merged))
        if content is None:
            raise BadData(
                "The merge is no longer on local disk, so nobody can say whether the staged file is what was "
                "previewed: reopen the job and finish it again.",
                ErrorCode.STAGED_FILE_GONE,
            )
        size, sha256 = content
        return Document(path=self._task.merged, pages=self._task.pages, sha256=sha256, size=size)

    def _stage_again(self, document: Document) -> None:
        staging.stage(
            self._volume,
            document,
            self._task.place,
            access=self._access,
            progress=lambda done, total: self._alive("copying", done, total),
        )

    def _name(self, document: Document, refused: Collection[str]) -> str:
        return choose_name(
            self._volume,
            self._task.place.path,
            self._task.inbox,
            self._task.title,
            job_id=self._task.job_id,
            sha256=document.sha256,
            access=self._access,
            refused=refused,
        )

    def _move(self, name: str, document: Document) -> bool:
        published = delivery.publish(
            self._volume,
            self._task.place.path,
            name,
            document.sha256,
            attempt=Path(self._task.attempt),
            access=self._access,
            progress=lambda done, total: self._alive("verifying", done, total),
        )
        return published.granted

    def _is_staged(self, path: str) -> bool:
        return staging.is_staged(self._volume, path)

    def _word(self, named: wire.Named) -> wire.Go:
        """The parent's word, once the row has the name; without it, nothing is published."""
        self._parent.say(named)
        while True:
            match self._parent.wait():
                case wire.Go(inbox_path=path) as go if path == named.inbox_path:
                    return go
                case _:
                    pass  # the word for a former name, said again after an outage


def content_of(merged: Path) -> tuple[int, str] | None:
    """Size and SHA-256 of the local merge; None: there is none."""
    try:
        with merged.open("rb") as file:
            return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
