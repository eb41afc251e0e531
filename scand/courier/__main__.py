"""The courier: a child process that runs tasks, one at a time. pages → batch PDF → merge → NAS → Inbox.

It may hang with the NAS or be killed at any instant, and is then simply sent again: every task looks at what is
there first, and what it makes appears whole or not at all. It publishes only on its parent's word, which comes
once the row has the file's name; so an orphan never publishes.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pypdf
import pypdf.errors

from scand import __version__, wire
from scand.courier import staging
from scand.courier.access import Access
from scand.courier.document import BatchSource, bind, merge
from scand.courier.publishing import Publishing, content_of
from scand.courier.read_back import read_back
from scand.courier.regroup import regroup
from scand.courier.survey import check, survey
from scand.courier.volume import Volume, init_volume
from scand.errors import BadData, ScandError
from scand.faults import ErrorCode
from scand.spool.batches import BatchDirectory
from scand.spool.directories import expired, remove
from scand.spool.disk import disk_errors
from scand.spool.records import Bound
from scand.spool.sheets import bindable
from scand.wire.parent import Parent
from scand.wire.throttle import Throttle

if TYPE_CHECKING:
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
                    with _volume(task.nas) as volume:
                        publishing = Publishing(self._parent, volume, task, _access(task.nas), self._alive)
                        self._parent.say(publishing.run())
                case wire.Unstage():
                    with _volume(task.nas) as volume:
                        left = staging.unstage(volume, task.place, content_of(Path(task.merged)))
                    self._parent.say(wire.Unstaged(left=left))
                case wire.ReadBack():
                    with _volume(task.nas) as volume:
                        read_back(
                            volume,
                            task.inbox_path,
                            task.sha256,
                            progress=lambda done, total: self._alive("verifying", done, total),
                        )
                        staging.unstage(volume, task.place, content_of(Path(task.merged)))
                    self._parent.say(wire.Found())
                case wire.Sweep():
                    for directory in expired(Path(task.jobs)):
                        self._alive("removing", 0, 0)
                        remove(directory)
                    self._parent.say(wire.Swept())
                case wire.Check():
                    with _volume(task.nas) as volume:
                        check(volume, task.staging, task.room, _access(task.nas))
                    self._parent.say(wire.Checked())
                case wire.Mark():
                    self._mark(task)
                case wire.Survey():
                    with _volume(task.nas) as volume:
                        self._parent.say(survey(volume, task.staging, task.inbox, _access(task.nas)))
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
            regroup(volume, task.staging, task.own, task.inbox, _access(nas))
        self._parent.say(wire.Marked(volume_id=nas.volume_id))

    def _bind(self, task: wire.Bind) -> None:
        directory = BatchDirectory(Path(task.directory))
        begin, end = directory.begun(), directory.ended()
        if begin is None or end is None:
            raise BadData(f"{directory.path} is no ended batch.", ErrorCode.SPOOL_DAMAGED)
        pages = bindable(directory.pages(), begin, complete=end.complete)
        pdf = bind(
            directory.path,
            pages,
            directory.pdf,
            # Which sides of halves are backs is known only at the merge.
            rotate_back=0 if begin.halves else begin.rotate_back,
            progress=lambda done, total: self._alive("binding", done, total),
        )
        with disk_errors():
            directory.bind(Bound(pages=tuple(range(1, len(pages) + 1)), sha256=pdf.sha256))
        self._parent.say(wire.BoundPdf(pdf=pdf))

    def _assemble(self, task: wire.Assemble) -> None:
        with _volume(task.nas) as volume:  # before the merge: a NAS that is away costs no work
            batches = [
                BatchSource(Path(part.path), part.sha256, _pages(part), part.label) for part in task.parts
            ]
            self._parent.say(wire.Alive(step="merging"))  # so that the time of this is not the NAS's
            document = merge(
                batches,
                task.runs,
                Path(task.target),
                title=task.title,
                created=datetime.fromisoformat(task.created),
                progress=lambda done, total: self._alive("merging", done, total),
            )
            self._parent.say(wire.Alive(step="copying"))
            left = staging.stage(
                volume,
                document,
                task.place,
                access=_access(task.nas),
                progress=lambda done, total: self._alive("copying", done, total),
            )
        self._parent.say(wire.Staged(document=document, title=task.title, staged=task.place.path, left=left))


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


def main() -> None:
    """Tasks from the parent, until it closes the socket."""
    with Parent.from_argv(sys.argv) as parent:
        parent.say(wire.Hello(version=__version__))
        courier = Courier(parent)
        while True:
            courier.run(parent.wait())


if __name__ == "__main__":
    main()
