"""The config while the daemon runs: no change is lost, and a bad file is told once."""

from __future__ import annotations

import ctypes
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from scand.agent import reload as watch
from scand.agent.log.journal import Journal, configure
from scand.agent.log.reporter import Reporter
from scand.agent.reload import ConfigWatch, LiveConfig
from scand.config import Config
from tests.support.isolated import isolated

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = '[database]\nurl = "embedded"\n[nas]\nroot = "/mnt/nas"\n[scanner]\ndevice = "{device}"\n'


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The log as JSON on standard error, and again as it was."""
    configure("info", "json")
    yield
    structlog.reset_defaults()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A config."""
    path = tmp_path / "scand.toml"
    path.write_text(TEXT.format(device="first"))
    return path


def live(path: Path) -> LiveConfig:
    """The config, read and not yet watched."""

    def read() -> Config:
        return Config.load(path, {}, need="daemon")

    return LiveConfig(read(), read, Reporter(Journal(), ""))


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged since the last call."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def changed(config: LiveConfig, within: float = 5.0) -> bool:
    """Whether a change is told, and then no other."""
    end = time.monotonic() + within
    while not config.changed():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_change_between_reading_and_watching_counts(path: Path) -> None:
    """The daemon reads, and watches only then: what is saved in between is seen all the same."""
    config = live(path)
    path.write_text(TEXT.format(device="second"))
    config.watch(lambda: None)
    try:
        assert changed(config)
        assert config.reload()
        assert config.now.scanner.device == "second"
        assert not changed(config, 1.0)
    finally:
        config.close()


def test_without_a_change_nothing_is_read_again(path: Path) -> None:
    """Starting to watch is no change, nor is reading."""
    config = live(path)
    config.watch(lambda: None)
    try:
        path.read_text()
        assert not changed(config, 1.0)
    finally:
        config.close()


def test_a_change_while_one_is_taken_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FIELD H15: one that falls between looking and taking note of it was lost."""
    watched = ConfigWatch(path, lambda: None)
    try:
        clock = time.monotonic
        watched.note()
        time.sleep(watch.SETTLING_TIME + 0.1)

        def meanwhile() -> float:
            """Somebody saves just while the clock is read."""
            monkeypatch.setattr(time, "monotonic", clock)
            saving = threading.Thread(target=watched.note)
            saving.start()
            saving.join()
            return clock()

        monkeypatch.setattr(time, "monotonic", meanwhile)
        watched.settled()
        time.sleep(watch.SETTLING_TIME + 0.1)
        assert watched.settled()
        assert not watched.settled()
    finally:
        watched.close()


def test_a_bad_file_is_told_once_and_kept_in_mind(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Saved again as it is: not told again; told when somebody asks; forgotten when it is mended."""
    config = live(path)
    path.write_text(TEXT.format(device="x") + "[agnet]\n")
    assert not config.reload(asked=False)
    assert [line["event"] for line in said(capsys)] == ["config_refused"]
    assert f"{path}:7: agnet is not a key" in config.refused
    assert not config.reload(asked=False)
    assert said(capsys) == []
    assert not config.reload()
    assert [line["event"] for line in said(capsys)] == ["config_refused"]
    assert config.now.scanner.device == "first"
    path.write_text(TEXT.format(device="x"))
    assert config.reload(asked=False)
    assert (config.refused, config.now.scanner.device) == ("", "x")


def test_warnings_are_told_when_the_config_is_taken(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Allowed, and probably not meant."""
    config = live(path)
    path.write_text(
        TEXT.format(device="x").replace("[scanner]", 'group = "root"\nfile_mode = "0600"\n[scanner]')
    )
    assert config.reload()
    warning = said(capsys)[-1]
    assert (warning["event"], warning["level"]) == ("config_warning", "warning")
    assert "group root cannot read" in warning["message"]


def without_inotify(_: str) -> None:
    """As a user who has used up the inotify instances: limits are by user, and this one is nobody else."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        path = Path(directory) / "scand.toml"
        path.write_text(TEXT.format(device="first"))
        os.seteuid(54_321)
        libc = ctypes.CDLL(None, use_errno=True)
        taken = []
        while (fd := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
            taken.append(fd)
        configure("info", "json")
        config = live(path)
        read_end, write_end = os.pipe()
        os.dup2(write_end, 2)
        config.watch(lambda: None)
        (line,) = os.read(read_end, 65536).splitlines()
        event = json.loads(line)
        assert event["event"] == "config_unwatched"
        assert "systemctl reload scand" in event["message"]
        assert not config.changed()
        assert config.reload()
        config.close()
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_without_inotify_the_daemon_serves(tmp_path: Path) -> None:
    """FIELD H14: used-up instances ended it at the start; now it says how a change is taken."""
    isolated(without_inotify, tmp_path)
