"""From strace's lines to steps: with what they are hit again, and what is no step at all."""

from __future__ import annotations

from pathlib import Path

from tests.crash.blows import ERRORS, Strike
from tests.crash.enumeration import every_blow, spread
from tests.crash.steps import Names, Step, calls, steps, without_repetition

NAMES = Names(Path("/r"), 7)
BATCH = "{root}/staging/jobs/{job}/batch-0001"


def read(*lines: str) -> list[Step]:
    """The steps of one feeder."""
    return list(steps("feeder", 1, lines, NAMES))


def test_a_file_is_told_by_the_name_it_is_opened_by_and_the_path_it_is_open_at() -> None:
    """What -P is told for a call that names a file, and for one on a descriptor."""
    found = read(
        '5 openat(3</r/staging/jobs/7/batch-0001>, ".p.part", O_RDWR|O_CREAT, 0600) = 4</r/staging/jobs/7/x>',
        '5 write(4</r/staging/jobs/7/batch-0001/.p.part>, ""..., 100) = 100',
        '5 renameat(3</r/staging/jobs/7/batch-0001>, ".p.part", 3</r/staging/jobs/7/batch-0001>, "p") = 0',
        '5 rename("/r/staging/jobs/.7.new", "/r/staging/jobs/7") = 0',
    )
    assert found == [
        Step("feeder", 1, "openat", ".p.part", 1, f"{BATCH}/.p.part"),
        Step("feeder", 1, "write", f"{BATCH}/.p.part", 1, f"{BATCH}/.p.part"),
        Step("feeder", 1, "renameat", ".p.part", 1, f"{BATCH}/.p.part"),
        Step("feeder", 1, "rename", "{root}/staging/jobs/.{job}.new", 1, "{root}/staging/jobs/.{job}.new"),
    ]
    assert NAMES.special(found[3].place) == "/r/staging/jobs/.7.new"


def test_a_random_name_is_counted_among_all_calls() -> None:
    """Also among those on other files, which strace counts as well."""
    found = read(
        "5 fsync(4</elsewhere>) = 0",
        "5 fsync(4</r/nas/.scan-staging/job-7/.0123456789abcdef.part>) = 0",
    )
    (only,) = found
    assert (only.file, only.when, only.on_nas) == (None, 2, True)


def test_reading_is_no_step_and_a_call_that_another_would_be_taken_for_is_none() -> None:
    """strace counts each thread apart; a file that is only read or closed changes nothing."""
    path = "/r/staging/jobs/7/pages.jsonl"
    found = read(
        f'5 openat(AT_FDCWD</>, "{path}", O_RDONLY|O_CLOEXEC) = 3<{path}>',
        f"5 close(3<{path}>) = 0",
        f"5 fsync(3<{path}> <unfinished ...>",
        f"6 fsync(3<{path}>) = 0",
        "5 <... fsync resumed>) = 0",
        f"6 fsync(3<{path}>) = 0",
        f"6 unlink({path!r}) = -1 ENOENT (No such file or directory)".replace("'", '"'),
    )
    assert [step.when for step in found] == [1, 2]


def test_where_the_name_was_met_in_another_thread_the_directory_tells() -> None:
    """A page of the second batch, which has a thread of its own, is not taken for one of the first."""
    found = read(
        '5 openat(3</r/staging/jobs/7/batch-0001>, "p", O_RDWR|O_CREAT, 0600) = 4</r/staging/jobs/7/batch-0001/p>',
        '6 openat(3</r/staging/jobs/7/batch-0002>, "p", O_RDWR|O_CREAT, 0600) = 4</r/staging/jobs/7/batch-0002/p>',
    )
    assert [(step.file, step.when) for step in found] == [
        ("p", 1),
        ("{root}/staging/jobs/{job}/batch-0002", 1),
    ]


def test_a_call_in_which_the_process_was_killed_is_seen() -> None:
    """Whether another thread's line comes in between or not."""
    killed = calls(
        ["5 fsync(3</a> <unfinished ...>", "6 +++ killed by SIGKILL +++", "5 <... fsync resumed>) = ?"]
    )
    assert [(call.name, call.unanswered) for call in killed] == [("fsync", True)]
    (call,) = calls(['5 write(3</a>, ""..., 9) = -1 EIO (Input/output error) (INJECTED)'])
    assert (call.injected, call.unanswered) == (True, False)


def test_many_writes_into_one_file_are_three_steps() -> None:
    """The first two and the last."""
    one = Step("courier", 1, "write", "f", 1, "{root}/nas/f")
    many = [Step("courier", 1, "write", "f", when, "{root}/nas/f") for when in range(1, 10)]
    assert [step.when for step in without_repetition([*many, one])] == [1, 2, 9]


def test_a_spread_has_every_sort_before_it_has_one_twice() -> None:
    """And is always the same."""
    found = [
        Step("courier", 1, call, "f", when, f"{{root}}/{place}/f")
        for call in ("write", "fsync")
        for place in ("nas", "staging")
        for when in (1, 2)
    ]
    blows = every_blow(found, [])
    assert sum(isinstance(blow, Strike) and blow.error in ERRORS for blow in blows) == 4 * len(ERRORS)
    sorts = {blow.sort for blow in blows}
    assert {blow.sort for blow in spread(blows, len(sorts))} == sorts
    assert spread(blows, 5) == spread(blows, 5)
