"""How strace's lines become steps: by what each can be hit again, and which calls are not steps."""

from __future__ import annotations

from pathlib import Path

from tests.crash.enumeration import every_fault, spread
from tests.crash.faults import ERRORS, CallFault
from tests.crash.steps import Names, Step, calls, steps, without_repetition

NAMES = Names(Path("/r"), 7)
BATCH = "{root}/staging/jobs/{job}/batch-0001"


def read(*lines: str) -> list[Step]:
    """The steps in these lines, as those of a feeder."""
    return list(steps("feeder", 1, lines, NAMES))


def test_a_step_has_the_file_name_of_its_call_or_the_path_of_its_descriptor() -> None:
    """The argument of -P is the name in the call, or for a call on a descriptor the path of the open file."""
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
    """A call on a file with a random name is counted among those on all files."""
    found = read(
        "5 fsync(4</elsewhere>) = 0",
        "5 fsync(4</r/nas/.scan-staging/job-7/.0123456789abcdef.part>) = 0",
    )
    (only,) = found
    assert (only.file, only.when, only.on_nas) == (None, 2, True)


def test_reads_failed_calls_and_calls_that_would_hit_another_thread_are_not_steps() -> None:
    """Threads are counted separately, and neither a read, a close after it nor a failed call is a step."""
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


def test_a_name_that_another_thread_used_is_replaced_by_the_directory() -> None:
    """A page of the second batch, which has its own thread, is identified by its directory."""
    found = read(
        '5 openat(3</r/staging/jobs/7/batch-0001>, "p", O_RDWR|O_CREAT, 0600) = 4</r/staging/jobs/7/batch-0001/p>',
        '6 openat(3</r/staging/jobs/7/batch-0002>, "p", O_RDWR|O_CREAT, 0600) = 4</r/staging/jobs/7/batch-0002/p>',
    )
    assert [(step.file, step.when) for step in found] == [
        ("p", 1),
        ("{root}/staging/jobs/{job}/batch-0002", 1),
    ]


def test_a_call_in_which_the_process_was_killed_is_seen() -> None:
    """A call in which its process was killed is unanswered, even if another thread's line comes in between."""
    killed = calls(
        ["5 fsync(3</a> <unfinished ...>", "6 +++ killed by SIGKILL +++", "5 <... fsync resumed>) = ?"]
    )
    assert [(call.name, call.unanswered) for call in killed] == [("fsync", True)]
    (call,) = calls(['5 write(3</a>, ""..., 9) = -1 EIO (Input/output error) (INJECTED)'])
    assert (call.injected, call.unanswered) == (True, False)


def test_many_writes_into_one_file_are_three_steps() -> None:
    """Of nine writes into a file, the first two and the last are steps."""
    one = Step("courier", 1, "write", "f", 1, "{root}/nas/f")
    many = [Step("courier", 1, "write", "f", when, "{root}/nas/f") for when in range(1, 10)]
    assert [step.when for step in without_repetition([*many, one])] == [1, 2, 9]


def test_a_spread_has_every_sort_before_it_has_one_twice() -> None:
    """A spread takes one fault of each group before it takes a second one, and is always the same."""
    found = [
        Step("courier", 1, call, "f", when, f"{{root}}/{place}/f")
        for call in ("write", "fsync")
        for place in ("nas", "staging")
        for when in (1, 2)
    ]
    faults = every_fault(found, [])
    assert sum(isinstance(fault, CallFault) and fault.error in ERRORS for fault in faults) == 4 * len(ERRORS)
    groups = {fault.group for fault in faults}
    assert {fault.group for fault in spread(faults, len(groups))} == groups
    assert spread(faults, 5) == spread(faults, 5)
