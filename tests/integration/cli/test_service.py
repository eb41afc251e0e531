"""`scand run`, `scand setup` and `scand nas init`: what is refused, and what is left on the NAS."""

from __future__ import annotations

import grp
import os
import stat
from typing import TYPE_CHECKING

import pytest

from scand.spool.directories import Spool
from scand.spool.records import JobRecord

if TYPE_CHECKING:
    from tests.shell import Shell


def test_nas_init_marks_the_nas_and_remembers_it(host: Shell) -> None:
    """The second time the mark is found and kept; a NAS that is not there is refused."""
    said = host.run("nas", "init")[0]
    marker = (host.home / "nas" / ".scand-volume").read_text().strip()
    assert marker in said
    assert (host.home / "staging" / "nas-volume").read_text().strip() == marker
    assert host.run("nas", "init")[0] == said
    (host.home / "nas").rename(host.home / "gone")
    assert str(host.home / "nas") in host.refused("nas", "init", status=os.EX_UNAVAILABLE)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a directory another user's")
def test_nas_init_is_for_the_daemons_user(host: Shell) -> None:
    """Another user is refused: the daemon could not read what that user writes."""
    (host.home / "staging").mkdir()
    os.chown(host.home / "staging", 4711, 4711)
    for words in (("nas", "init"), ("run",)):
        sentence = host.refused(*words, status=os.EX_CONFIG)
        assert f"sudo -u '#4711' scand --config {host.config} {' '.join(words)}" in sentence
    [staging] = [check for check in host.json("doctor", status=os.EX_CONFIG) if check["name"] == "staging"]
    assert staging["mend"] == "sudo -u '#4711' scand doctor"
    assert list((host.home / "nas").iterdir()) == []
    assert list((host.home / "staging").iterdir()) == []


def test_nas_init_gives_the_group_what_scand_made(host: Shell) -> None:
    """Folders of staging and Inbox and its own previews; not those of another installation on the same NAS."""
    staging = host.home / "nas" / ".scan-staging"
    job, others = staging / "1a2b3c4d" / "job-7-9", staging / "9f9f9f9f" / "job-7-9"
    for place in (job, others):
        place.mkdir(parents=True)
        (place / "merged.pdf").write_bytes(b"%PDF")
        (place / "merged.pdf").chmod(0o600)
        for path in (place, place.parent, staging):
            path.chmod(0o700)
    database = "1a2b3c4d-0000-4000-8000-000000000000"
    record = JobRecord(id=7, created_at="2026-01-01T00:00:00+00:00", database=database)
    Spool(host.home / "staging").job(record)
    inbox = host.home / "nas" / "PKM" / "Inbox"
    inbox.mkdir(parents=True)
    (inbox / "Old.pdf").write_bytes(b"%PDF")
    (inbox / "Old.pdf").chmod(0o600)
    inbox.parent.chmod(0o700)
    group = grp.getgrgid(os.getegid()).gr_name
    host.config.write_text(
        host.config.read_text().replace("require_mount", f'group = "{group}"\nrequire_mount')
    )
    host.run("nas", "init")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (job.parent, job, job / "merged.pdf")}
    assert list(modes.values()) == [0o750, 0o750, 0o640]
    kept = {
        path: stat.S_IMODE(path.stat().st_mode) for path in (others.parent, others, others / "merged.pdf")
    }
    assert list(kept.values()) == [0o700, 0o700, 0o600]
    assert stat.S_IMODE(inbox.parent.stat().st_mode) == 0o770
    assert stat.S_IMODE((inbox / "Old.pdf").stat().st_mode) == 0o600


def test_run_refuses_a_config_that_it_cannot_serve(host: Shell, database_url: str) -> None:
    """78, so that systemd does not start it again and again: a missing key, a schema that is not there."""
    whole = host.config.read_text()
    host.config.write_text(whole.replace(host.url, database_url))
    host.url = ""
    _out, err = host.run("run", status=os.EX_CONFIG)
    assert "scand migrate" in err
    host.config.write_text(whole.replace("root =", "rot ="))
    _out, err = host.run("run", status=os.EX_CONFIG)
    missing, unknown = err.splitlines()
    assert "nas.root is missing" in missing
    assert 'nas.rot is not a key (did you mean "root"?)' in unknown


def test_setup_wants_an_installed_service(shell: Shell) -> None:
    """78 and how to install it, or who may run it; no traceback where systemd does not run."""
    sentence = shell.refused("setup", "--yes", status=os.EX_CONFIG)
    wanted = "make install" if os.geteuid() == 0 else "sudo scand setup"
    assert wanted in sentence
