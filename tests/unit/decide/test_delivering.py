"""A job between its kept batches and the Inbox."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scand import wire
from scand.decide import decide
from scand.decide.actions import (
    Advance,
    Commit,
    Exit,
    ExpectStaged,
    KillCourier,
    LookAgain,
    Name,
    Postpone,
    ReadPages,
    Rebound,
    Send,
)
from scand.decide.limits import Limits
from scand.decide.occurrences import (
    CourierEnded,
    CourierSaid,
    DatabaseLost,
    LookDue,
    Looked,
    PagesRead,
    Tick,
)
from scand.decide.state import (
    Task,
    TaskResult,
)
from scand.decide.timeouts import backoff
from scand.errors import BadData, TryAgain
from scand.faults import ErrorCode
from scand.jobs.lifecycle import Status
from scand.jobs.staged import StagedPlace
from scand.spool.leaves import Run
from scand.spool.records import Document, End
from tests.unit.decide.builders import (
    NOW,
    PDF,
    SHA,
    STAGED,
    courier,
    job,
    on_disk,
    pages,
    row,
    settings,
    snapshot,
    state,
    steps,
    wants,
)

END = End()
MERGED = wire.Staged(
    document=Document(path="/m.pdf", pages=4, sha256=SHA, size=9), title="T", staged="s/T.pdf"
)


def test_assembling_sends_a_courier_and_goes_to_preview() -> None:
    """The result is the merge, staged and verified."""
    assembling = job(Status.ASSEMBLING, batches=(row(),), nas_staging_path=STAGED)
    here = state(snapshot(assembling))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [ReadPages(assembling)]
    after, actions = decide(after, PagesRead(pages(assembling)), NOW)
    assert actions == [Send(Task.ASSEMBLE, 42, job=assembling, runs=(Run(0, 0, 3),))]
    assert after.pages is None, "before another try they are read again"
    after, _ = decide(after, CourierSaid(MERGED), NOW)
    after, _ = decide(after, CourierEnded("exit status 0"), NOW)
    _, (step,) = decide(after, Looked(here.snapshot), NOW)
    assert isinstance(step, Advance)
    assert (step.to_status, step.staged) == (Status.PREVIEW, MERGED)


def test_the_row_says_where_the_copy_will_be_before_it_is_there() -> None:
    """So the copy of a job that is canceled in mid-copy can be found and removed."""
    assembling = job(Status.ASSEMBLING, batches=(row(),))
    before = state(snapshot(assembling), pages=pages(assembling))
    after, actions = decide(before, Tick(), NOW)
    assert actions == [ExpectStaged(42, STAGED)]
    assert not after.fresh


@pytest.mark.parametrize(
    ("status", "then"), [(Status.ASSEMBLING, Status.READY), (Status.COMMITTING, Status.PREVIEW)]
)
def test_what_no_step_has_asked_for_is_not_done(status: Status, then: Status) -> None:
    """FIELD P10: a row that another program has put there is neither merged nor published."""
    (step,) = wants(state(snapshot(job(status, by_step=False, batches=(row(),)))))
    assert isinstance(step, Advance)
    assert step.to_status is then


@pytest.mark.parametrize("status", [Status.ASSEMBLING, Status.COMMITTING])
def test_a_path_that_scand_does_not_make_is_told_and_replaced(status: Status) -> None:
    """FIELD P3, P5: nothing is done in that place, and the row tells the computed one from then on."""
    odd = job(status, batches=(row(),), nas_staging_path="Inbox/Last will.pdf")
    here = snapshot(odd)
    here = replace(here, place=StagedPlace(".scan-staging/1a2b3c4d", 42, odd="Inbox/Last will.pdf"))
    assert wants(state(here, pages=pages(odd))) == [ExpectStaged(42, STAGED, "Inbox/Last will.pdf")]


def test_nothing_kept_cannot_be_assembled() -> None:
    """The job returns to ready with no_pages."""
    (step,) = wants(state(snapshot(job(Status.ASSEMBLING, batches=(row(kept=False),)))))
    assert isinstance(step, Advance)
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.NO_PAGES)


def test_halves_that_do_not_match_stop_at_ready() -> None:
    """The error has both counts, and nothing is merged."""
    odd = job(Status.ASSEMBLING, batches=(row(1, pages=3), row(2, pages=4)), nas_staging_path=STAGED)
    (step,) = steps(wants(state(snapshot(odd), pages=pages(odd, halves=True))))
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.SIDES_MISMATCH)
    assert "3 fronts" in (step.error or "")
    assert "4 backs" in (step.error or "")
    (task,) = wants(state(snapshot(odd), pages=pages(odd)))
    assert isinstance(task, Send), "two batches of both sides are no halves"


def test_a_merge_of_which_every_page_was_dropped_is_no_document() -> None:
    """The job returns to ready, and the sentence says how pages are taken back."""
    dropped = job(Status.ASSEMBLING, batches=(row(2),), nas_staging_path=STAGED)
    (step,) = steps(wants(state(snapshot(dropped), pages=pages(dropped, choice="dropped"))))
    assert (step.to_status, step.code) == (Status.READY, ErrorCode.NO_PAGES)
    assert "scand keep 42 2.1-4" in (step.error or "")


def test_a_batch_whose_pdf_is_not_the_disks_is_bound_anew_before_the_merge() -> None:
    """A batch of scand 0.1: bound, written into the row, read again, and only then merged."""
    old = job(Status.ASSEMBLING, batches=(row(1), row(2)), nas_staging_path=STAGED)
    read = replace(pages(old), unbound=(replace(on_disk(2, END), blank=1),))
    after, actions = decide(state(snapshot(old), pages=read), Tick(), NOW)
    assert actions == [Send(Task.BIND, 42, seq=2)]
    after, _ = decide(after, CourierSaid(wire.BoundPdf(pdf=PDF)), NOW)
    after, _ = decide(after, CourierEnded("done"), NOW)
    after, actions = decide(after, Looked(snapshot(old)), NOW)
    assert actions == [Rebound(42, Status.ASSEMBLING, 2, PDF, 1)]
    new = replace(old, batches=(row(1), replace(row(2), file_hash=SHA)))
    assert wants(after, Looked(snapshot(new))) == [ReadPages(new)]


def test_a_batch_that_cannot_be_bound_anew_fails_the_job() -> None:
    """A damaged page waits for a person; a full disk is waited for."""
    old = job(Status.ASSEMBLING, batches=(row(),), nas_staging_path=STAGED)
    damaged = wire.Failed(code=ErrorCode.SPOOL_DAMAGED, sentence="page-0002.jpg is missing")
    (step,) = steps(wants(state(snapshot(old), done=TaskResult(42, 0, Task.BIND, damaged))))
    assert (step.to_status, step.error) == (Status.FAILED, "page-0002.jpg is missing")
    full = TryAgain("full", ErrorCode.STAGING_FULL)
    unread = state(snapshot(old), pages=replace(pages(old), trouble=full))
    after, (delay,) = decide(unread, Tick(), NOW)
    assert isinstance(delay, Postpone)
    assert after.pages is None


@pytest.mark.parametrize("attempts", [0, 4, 400])
def test_a_nas_that_is_away_is_waited_for_for_ever(attempts: int) -> None:
    """The job keeps its status, and is tried again with growing pauses."""
    failed = wire.Failed(code=ErrorCode.NAS_UNAVAILABLE, sentence="away")
    here = state(
        snapshot(job(Status.ASSEMBLING, attempts=attempts, error_code="nas_unavailable", batches=(row(),))),
        done=TaskResult(42, 0, Task.ASSEMBLE, failed),
    )
    (step,) = wants(here)
    assert isinstance(step, Postpone)
    assert step.seconds == backoff(attempts, ErrorCode.NAS_UNAVAILABLE)


def test_a_copy_that_never_verifies_fails_after_five_tries() -> None:
    """After five tries a person is needed; waiting for the NAS does not count as a try."""
    failed = wire.Failed(code=ErrorCode.VERIFY_FAILED, sentence="differs")
    done = TaskResult(42, 0, Task.ASSEMBLE, failed)
    tried = job(Status.ASSEMBLING, error_code="verify_failed", batches=(row(),))
    (again,) = wants(state(snapshot(replace(tried, attempts=3)), done=done))
    (last,) = wants(state(snapshot(replace(tried, attempts=4)), done=done))
    waited = replace(tried, attempts=400, error_code="nas_unavailable")
    (first,) = wants(state(snapshot(waited), done=done))
    assert isinstance(again, Postpone)
    assert isinstance(last, Advance)
    assert last.to_status is Status.FAILED
    assert isinstance(first, Postpone), "waiting for the NAS is no try of a copy"


def test_a_merge_from_before_the_job_was_taken_back_is_not_used() -> None:
    """A client took the job back, discarded a batch and finished again, all between two looks."""
    assembling = job(Status.ASSEMBLING, entered=9, batches=(row(),), nas_staging_path=STAGED)
    here = state(snapshot(assembling), pages=pages(assembling))
    old = replace(here, done=TaskResult(42, 7, Task.ASSEMBLE, MERGED))
    (send,) = wants(old)
    assert isinstance(send, Send)
    still_running = replace(here, courier=courier(Task.ASSEMBLE, entered=7))
    assert wants(still_running) == [KillCourier(ErrorCode.INTERRUPTED)]


def test_finish_commit_goes_on_from_the_first_preview_only() -> None:
    """After a reopening, or a commit that was taken back, only clients commit."""
    commit = settings(finish="commit")
    fresh = job(Status.PREVIEW, entered_from="assembling", page_count=4)
    (step,) = wants(state(snapshot(fresh, asked=commit)))
    assert isinstance(step, Advance)
    assert step.to_status is Status.COMMITTING
    for held in (
        replace(fresh, reopened=True),  # so is one that was merged again with another title
        replace(fresh, entered_from="committing"),
        replace(fresh, error_code="staged_file_gone"),
    ):
        assert wants(state(snapshot(held, asked=commit))) == []
    assert wants(state(snapshot(fresh))) == []


@pytest.mark.parametrize(
    ("said", "goes_on"), [({}, False), ({"on_jam": "discard"}, False), ({"on_jam": "keep"}, True)]
)
def test_a_document_in_pieces_goes_on_only_where_on_jam_is_said(said: dict[str, str], goes_on: bool) -> None:
    """Where a batch is kept by default, somebody may have fed the whole stack again: a person looks first."""
    pieces = (replace(row(1), error_code="feeder_jammed"), row(2))
    here = snapshot(
        job(Status.PREVIEW, entered_from="assembling", batches=pieces),
        asked=settings(finish="commit", **said),
    )
    assert bool(wants(state(here))) is goes_on
    over = replace(
        here, job=job(Status.PREVIEW, entered_from="assembling", batches=(row(1, kept=False), row(2)))
    )
    assert wants(state(over)), "who has started over has no pieces"


def test_a_site_that_commits_by_itself_is_left_alone() -> None:
    """With `commit.by = "client"` the agent stops at preview."""
    limits = Limits(commits=False)
    fresh = job(Status.PREVIEW, entered_from="assembling")
    assert wants(state(snapshot(fresh, asked=settings(finish="commit")), limits=limits)) == []
    assert wants(state(snapshot(job(Status.COMMITTING)), limits=limits)) == []


def test_publishing_waits_for_the_row() -> None:
    """The courier names the file, the row gets the name, and only then `Go` is sent."""
    committing = job(Status.COMMITTING, nas_staging_path=STAGED)
    here = state(snapshot(committing))
    after, actions = decide(here, Tick(), NOW)
    assert actions == [Send(Task.PUBLISH, 42, job=committing)]
    named = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    after, actions = decide(after, CourierSaid(named), NOW)
    assert actions == [LookAgain()]
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [Name(42, named)]
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == []
    published = wire.Published(inbox_path="Inbox/T.pdf", sha256=SHA)
    after, _ = decide(after, CourierSaid(published), NOW)
    after, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [Commit(42, published)]


def test_another_name_needs_another_go() -> None:
    """If the first name was taken meanwhile, the row gets the second one before the courier gets `Go`."""
    first = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    second = wire.Named(inbox_path="Inbox/T (2).pdf", sha256=SHA)
    here = state(snapshot(job(Status.COMMITTING)), courier=courier(Task.PUBLISH, named=first, go_given=True))
    after, _ = decide(here, CourierSaid(second), NOW)
    _, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [Name(42, second)]


def test_a_document_that_may_be_published_never_fails_for_its_settings() -> None:
    """The row has a name, so only the courier can say whether the file is in the Inbox."""
    refusal = BadData("no", ErrorCode.BAD_SETTINGS)
    named = job(Status.COMMITTING, nas_staging_path=STAGED, inbox_path="Inbox/T.pdf", file_hash=SHA)
    assert wants(state(snapshot(named, asked=refusal))) == [Send(Task.PUBLISH, 42, job=named)]


def test_go_is_sent_again_after_an_outage() -> None:
    """Whether the row got the name is unknown, and writing it twice does no harm."""
    named = wire.Named(inbox_path="Inbox/T.pdf", sha256=SHA)
    here = state(snapshot(job(Status.COMMITTING)), courier=courier(Task.PUBLISH, named=named, go_given=True))
    after, _ = decide(here, DatabaseLost(), NOW)
    after, _ = decide(after, LookDue(), NOW)
    _, actions = decide(after, Looked(here.snapshot), NOW)
    assert actions == [Name(42, named)]


def test_a_staged_file_that_is_gone_refuses_the_commit() -> None:
    """The job returns to preview, with the reason."""
    failed = wire.Failed(code=ErrorCode.STAGED_FILE_GONE, sentence="gone")
    (step,) = wants(state(snapshot(job(Status.COMMITTING)), done=TaskResult(42, 0, Task.PUBLISH, failed)))
    assert isinstance(step, Advance)
    assert (step.to_status, step.error) == (Status.PREVIEW, "gone")


def test_a_silent_client_is_timed_out() -> None:
    """It holds the scanner no longer than commit.client_timeout, unless the agent itself has begun to publish."""
    limits = Limits(commits=False, client_timeout=60.0)
    waiting = job(Status.COMMITTING, idle=59.0)
    assert wants(state(snapshot(waiting), limits=limits)) == []
    gone = replace(waiting, idle=60.0)
    (step,) = steps(wants(state(snapshot(gone), limits=limits)))
    assert (step.to_status, step.code) == (Status.PREVIEW, ErrorCode.CLIENT_TIMEOUT)
    assert wants(state(snapshot(gone), limits=replace(limits, client_timeout=None))) == []
    assert wants(state(snapshot(gone), limits=limits, stopping=True)) == [Exit()]


def test_a_publication_that_the_agent_has_begun_it_ends() -> None:
    """The config may say by = "client" by now; the document may be in the Inbox already."""
    row_ = {"nas_staging_path": STAGED, "inbox_path": "Inbox/T.pdf", "file_hash": SHA}
    named = job(Status.COMMITTING, idle=1e6, **row_)
    assert wants(state(snapshot(named), limits=Limits(commits=False))) == [Send(Task.PUBLISH, 42, job=named)]
