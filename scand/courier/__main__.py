"""The courier: a child process that runs tasks, one at a time. pages → batch PDF → merge → NAS → Inbox.

It may hang with the NAS or be killed at any instant, and is then simply sent again: every task looks at what is
there first, and what it makes appears whole or not at all. It publishes only on its parent's word, which comes
once the row has the file's name; so an orphan never publishes.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pypdf
import pypdf.errors

from scand import __version__, wire
from scand.courier import delivery
from scand.courier.access import Access
from scand.courier.document import BatchSource, bind, merge
from scand.courier.read_back import read_back
from scand.courier.regroup import regroup
from scand.courier.survey import survey
from scand.courier.volume import Volume, init_volume
from scand.errors import BadData, ScandError
from scand.faults import ErrorCode
from scand.spool.batches import BatchDirectory
from scand.spool.directories import expired, remove
from scand.spool.sheets import Leaf, bindable, collated, unmatched
from scand.wire.parent import Parent
from scand.wire.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager


class Courier:
    """What a courier does and says; nothing of a task is kept for the next."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._throttle = Throttle()

    def run(self, task: wire.Command) -> None:
        """Do the task, report, and say that there is room for another."""
        try:
            match task:
                case wire.Bind():
                    self._bind(task)
                case wire.Assemble():
                    self._assemble(task)
                case wire.Publish():
                    self._publish(task)
                case wire.Unstage():
                    with _volume(task.nas) as volume:
                        delivery.unstage(volume, task.staged)
                    self._parent.say(wire.Unstaged())
                case wire.ReadBack():
                    with _volume(task.nas) as volume:
                        read_back(volume, task.inbox_path, task.sha256, progress=self._verifying)
                        delivery.unstage(volume, task.staged)
                    self._parent.say(wire.Found())
                case wire.Sweep():
                    for directory in expired(Path(task.jobs)):
                        self._alive("removing", 0, 0)
                        remove(directory)
                    self._parent.say(wire.Swept())
                case wire.Check():
                    with _volume(task.nas):
                        self._parent.say(wire.Checked())
                case wire.Mark():
                    self._mark(task)
                case wire.Survey():
                    with _volume(task.nas) as volume:
                        self._parent.say(survey(volume, task.staging, task.inbox))
                case _:
                    return  # the word to publish, said again when it had been heard
        except ScandError as error:
            self._parent.say(wire.Failed(code=error.code, sentence=error.sentence))
        self._parent.say(wire.Idle())

    def _alive(self, step: str, done: int, total: int) -> None:
        if self._throttle.due():
            self._parent.say(wire.Alive(step=step, done=done, total=total))

    def _mark(self, task: wire.Mark) -> None:
        outside = Path(task.nas.outside) if task.nas.outside else None
        root, required = Path(task.nas.root), task.nas.require_mount
        nas = task.nas.model_copy(
            update={"volume_id": init_volume(root, require_mount=required, outside=outside)}
        )
        with _volume(nas) as volume:
            regroup(volume, task.staging, task.inbox, _access(nas))
        self._parent.say(wire.Marked(volume_id=nas.volume_id))

    def _bind(self, task: wire.Bind) -> None:
        directory = BatchDirectory(Path(task.directory))
        begin, end = directory.begun(), directory.ended()
        if begin is None or end is None:
            raise BadData(f"{directory.path} is no ended batch.", ErrorCode.SPOOL_DAMAGED)
        pdf = bind(
            directory.path,
            bindable(directory.pages(), begin, complete=end.complete),
            directory.pdf,
            rotate_back=begin.rotate_back,
            progress=lambda done, total: self._alive("binding", done, total),
        )
        self._parent.say(wire.BoundPdf(pdf=pdf))

    def _assemble(self, task: wire.Assemble) -> None:
        with _volume(task.nas) as volume:  # before the merge: a NAS that is away costs no work
            batches = [
                BatchSource(Path(part.path), part.sha256, _pages(part), part.label) for part in task.parts
            ]
            document = merge(
                batches,
                Path(task.target),
                leaves=_in_turn(batches) if task.halves else None,
                title=task.title,
                created=datetime.fromisoformat(task.created),
                progress=lambda done, total: self._alive("merging", done, total),
            )
            delivery.stage(
                volume,
                document,
                task.staged,
                access=_access(task.nas),
                progress=lambda done, total: self._alive("copying", done, total),
            )
        self._parent.say(wire.Staged(document=document, staged=task.staged))

    def _publish(self, task: wire.Publish) -> None:
        access, name = _access(task.nas), task.inbox_path
        with _volume(task.nas) as volume:
            if name and task.sha256 and delivery.published_already(volume, task.staged, name):
                self._parent.say(wire.Published(inbox_path=name, sha256=task.sha256))
                return
            previewed = _hash(Path(task.merged))
            while True:
                name = name or delivery.choose_name(
                    volume,
                    task.staged,
                    task.inbox,
                    task.title,
                    job_id=task.job_id,
                    sha256=previewed,
                    access=access,
                )
                same = self._word(wire.Named(inbox_path=name, sha256=previewed)).same_as
                try:
                    if same:
                        delivery.unstage(volume, task.staged)
                    else:
                        delivery.publish(
                            volume, task.staged, name, previewed, access=access, progress=self._verifying
                        )
                        with suppress(ScandError):  # what is left there is an empty directory
                            delivery.unstage(volume, task.staged)
                except FileExistsError:
                    name = None  # somebody was faster with that name: another, and the row first
                    continue
                self._parent.say(wire.Published(inbox_path=same or name, sha256=previewed))
                return

    def _verifying(self, done: int, total: int) -> None:
        self._alive("verifying", done, total)

    def _word(self, named: wire.Named) -> wire.Go:
        """The parent's word, once the row has the name; without it, nothing is published."""
        self._parent.say(named)
        while True:
            match self._parent.wait():
                case wire.Go(inbox_path=path) as go if path == named.inbox_path:
                    return go
                case _:
                    pass  # the word for a former name, said again after an outage


def _in_turn(batches: Sequence[BatchSource]) -> list[Leaf]:
    """Fronts and backs in turn, as the batches' own records say: which are blank, whether backs are turned.

    Raises:
        BadData: `sides_mismatch`.
    """
    if why := unmatched([(batch.label, batch.pages) for batch in batches]):
        raise BadData(why, ErrorCode.SIDES_MISMATCH)
    directories = [BatchDirectory(batch.path.parent) for batch in batches]
    begun = [begin for begin in (directory.begun() for directory in directories) if begin is not None]
    halves = []
    for batch, directory in zip(batches, directories, strict=True):
        blank = [page.blank for page in directory.pages()]
        halves.append(blank if len(blank) == batch.pages else [False] * batch.pages)
    return collated(
        halves,
        blank_sheets_too=any(begin.drop_blank_sheets for begin in begun),
        rotate_back=max((begin.rotate_back for begin in begun), default=0),
    )


def _pages(part: wire.MergePart) -> int:
    if part.pages is not None:
        return part.pages
    try:
        with Path(part.path).open("rb") as file:
            return len(pypdf.PdfReader(file).pages)
    except (OSError, pypdf.errors.PyPdfError) as error:
        raise BadData(
            f"{part.label}: {part.path} cannot be read: {error}.", ErrorCode.SPOOL_DAMAGED
        ) from error


def _volume(nas: wire.Nas) -> AbstractContextManager[Volume]:
    return Volume.open(
        Path(nas.root),
        volume_id=nas.volume_id,
        require_mount=nas.require_mount,
        outside=Path(nas.outside) if nas.outside else None,
    )


def _access(nas: wire.Nas) -> Access:
    return Access.of(nas.file_mode, nas.group)


def _hash(merged: Path) -> str:
    """Of the local merge: what was previewed."""
    try:
        with merged.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise BadData(
            "The merge is no longer on local disk, so nobody can say whether the staged file is what was "
            "previewed: reopen the job and finish it again.",
            ErrorCode.STAGED_FILE_GONE,
        ) from error


def main() -> None:
    """Tasks from the parent, until it closes the socket."""
    with Parent.from_argv(sys.argv) as parent:
        parent.say(wire.Hello(version=__version__))
        courier = Courier(parent)
        while True:
            courier.run(parent.wait())


if __name__ == "__main__":
    main()
