"""What an error of the staging disk means, with the errors that a real file system gives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scand.errors import ScandError, TryAgain
from scand.faults import ErrorCode
from scand.spool.disk import disk_errors

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_may_have_room_later() -> None:
    """ENOSPC is worth another try: `/dev/full` gives it for every write."""
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(TryAgain) as caught, disk_errors():
            os.write(fd, b"page")
    finally:
        os.close(fd)
    assert caught.value.code is ErrorCode.STAGING_FULL
    assert caught.value.sentence == "The staging disk is full: make room there."


def test_any_other_error_says_what_the_disk_said(tmp_path: Path) -> None:
    """The sentence holds the system's own words."""
    with pytest.raises(ScandError) as caught, disk_errors():
        (tmp_path / "missing").read_bytes()
    assert caught.value.code is ErrorCode.STAGING_FULL
    assert "No such file or directory" in caught.value.sentence
