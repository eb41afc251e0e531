"""The same commands as ever work on a parked job, in the very moment of parking, too."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from scand.queue.intents import ClientQueue
from tests.shell import beat, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shell import Connection, Shell

ROADS = {
    "assembling": ["ready", "assembling"],
    "preview": ["ready", "assembling", "preview"],
    "committing": ["ready", "assembling", "preview", "committing"],
}
AGAIN = "; it was parked, and waits for the scanner again, with the batches that it has"
LOOKS = (
    "; the agent looks into the Inbox first: if the document is there, the job is committed, "
    "else it goes back to its preview"
)
ON = "; it is parked, and goes on by itself once the NAS is well"
ANSWER = "; it is parked: as it should be: scand commit 1 · not yet: scand reopen 1"


def active(shell: Shell, agent: Connection, status: str, inbox_path: str | None = None) -> int:
    """A job that is brought to a status."""
    beat(agent)
    job = int(shell.json("submit", "a")["id"])
    for taken in ROADS[status]:
        step(agent, job, taken)
    agent.execute("UPDATE scan_jobs SET inbox_path = %s WHERE id = %s", (inbox_path, job))
    return job


def parked(shell: Shell, agent: Connection, status: str, inbox_path: str | None = None) -> int:
    """A job that is parked."""
    job = active(shell, agent, status, inbox_path)
    step(agent, job, "queued")
    return job


@pytest.mark.parametrize(
    ("status", "command", "said"),
    [
        ("preview", "commit", f"job 1: preview → committing{ON}"),
        ("preview", "reopen", f"job 1: preview → queued{AGAIN}"),
        ("preview", "cancel", "job 1: preview → canceled"),
        ("assembling", "finish", f"job 1 is assembling already{ON}"),
        ("assembling", "reopen", f"job 1: assembling → queued{AGAIN}"),
        ("committing", "commit", f"job 1 is committing already{ON}"),
        ("committing", "reopen", f"job 1: committing → preview{ANSWER}"),
        ("committing", "cancel", "job 1: committing → canceled"),
    ],
)
def test_the_same_commands_as_ever(
    shell: Shell, agent: Connection, status: str, command: str, said: str
) -> None:
    """What they print is where the job goes on, and when."""
    parked(shell, agent, status)
    assert shell.run(command, "1")[0] == f"{said}\n"


def in_between(patch: pytest.MonkeyPatch, name: str, happens: Callable[[], object]) -> None:
    """Let something happen once, just before a method of the client's queue writes."""
    write = getattr(ClientQueue, name)

    def moved(queue: ClientQueue, *values: object) -> object:
        patch.undo()
        happens()
        return write(queue, *values)

    patch.setattr(ClientQueue, name, moved)


@pytest.mark.parametrize(
    ("command", "stage"),
    [("commit", "committing"), ("reopen", "queued"), ("cancel", "canceled"), ("rename", "assembling")],
)
def test_in_the_very_moment_of_parking(
    shell: Shell, agent: Connection, monkeypatch: pytest.MonkeyPatch, command: str, stage: str
) -> None:
    """A job that is parked between the command's look and its write does what was asked for."""
    active(shell, agent, "preview")
    method = "rename" if command == "rename" else "step"
    in_between(monkeypatch, method, lambda: step(agent, 1, "queued"))
    status, said = shell.typed(command, "1", *(["b"] if command == "rename" else []))
    assert status == os.EX_OK, said
    shown = shell.json("show", "1")
    assert (shown["resumes_in"] or shown["status"]) == stage


@pytest.mark.parametrize(
    ("command", "said"), [("reopen", "committing → preview"), ("cancel", "scand reopen 1")]
)
def test_in_the_very_moment_of_being_taken_up(
    shell: Shell, agent: Connection, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    """A parked job that goes on meanwhile: what is asked for is done, or it is told what can be done."""
    parked(shell, agent, "committing")
    in_between(monkeypatch, "step", lambda: step(agent, 1, "committing"))
    status, told = shell.typed(command, "1")
    assert (status, said in told) == (os.EX_OK if command == "reopen" else os.EX_DATAERR, True), told


def test_what_may_be_in_the_inbox_is_asked_for(shell: Shell, agent: Connection) -> None:
    """Active or parked: the agent looks first. It cannot be canceled, and the sentence says what can be done."""
    for make in (active, parked):
        agent.execute("UPDATE scan_jobs SET inbox_path = NULL")
        agent.execute("TRUNCATE scan_jobs RESTART IDENTITY CASCADE")
        make(shell, agent, "committing", "Inbox/a.pdf")
        said = shell.refused("cancel", "1", status=os.EX_DATAERR)
        assert "scand reopen 1 takes it back if it is not" in said
        assert said.endswith("sudo scand cancel --unpublished 1")
        assert shell.run("reopen", "1")[0] == f"job 1 is committing{LOOKS}\n"
        answer = shell.json("reopen", "1")
        assert (answer["to_status"], answer["withdraw"]) == ("committing", "preview")
        assert "looks into the Inbox first" in shell.run("show", "1")[0]


def test_what_failed_on_its_way_begins_with_a_look(shell: Shell, agent: Connection) -> None:
    """The retry says so."""
    active(shell, agent, "committing", "Inbox/a.pdf")
    step(agent, 1, "failed", error_code="publication_unknown", error="unknown")
    assert shell.run("retry", "1")[0] == f"job 1: failed → committing{LOOKS}\n"


def test_another_title_of_a_parked_preview(shell: Shell, agent: Connection) -> None:
    """It is merged again, later; on its way into the Inbox the title is fixed, parked or not."""
    parked(shell, agent, "preview")
    said = "job 1: a → b: it is merged again once the NAS is well (scand watch 1)\n"
    assert shell.run("rename", "1", "b")[0] == said
    other = parked(shell, agent, "committing")
    assert f"scand reopen {other}" in shell.refused("rename", str(other), "c", status=os.EX_DATAERR)


def test_without_a_job_the_only_preview_is_meant(shell: Shell, agent: Connection) -> None:
    """Whoever holds the scanner; where there are two, one has to be named. What throws away names its job."""
    first = parked(shell, agent, "preview")
    other = int(shell.json("submit", "b")["id"])
    step(agent, other, "ready")
    assert "No job" in shell.refused("retry", status=os.EX_DATAERR)
    assert shell.json("commit")["id"] == first
    step(agent, other, "assembling")
    step(agent, other, "preview")
    assert shell.json("reopen", str(first))["to_status"] == "preview"
    assert f"({other}, {first})" in shell.refused("commit", status=os.EX_DATAERR)
    assert shell.json("cancel")["id"] == other
    assert "No job holds the scanner" in shell.refused("cancel", status=os.EX_DATAERR)


def test_a_job_is_told_to_be_parked_and_for_what(shell: Shell, agent: Connection) -> None:
    """By list, show and their JSON; it can be asked for."""
    parked(shell, agent, "preview")
    parked(shell, agent, "assembling")
    agent.execute("UPDATE scan_jobs SET error = 'away', error_code = 'nas_unavailable' WHERE id = 2")
    shell.run("submit", "c")
    fields = [line.split("\t") for line in shell.run("list")[0].splitlines()]
    assert [(row[0], row[1], row[5]) for row in fields] == [
        ("3", "queued", ""),
        ("2", "parked", "waits for the NAS: nas_unavailable"),
        ("1", "parked", "its preview waits for an answer"),
    ]
    asked = shell.json("list", "--status", "parked")
    assert [(job["id"], job["status"], job["resumes_in"]) for job in asked] == [
        (2, "queued", "assembling"),
        (1, "queued", "preview"),
    ]
    assert len(shell.json("list", "--status", "queued")) == 3
    shown = shell.run("show", "1")[0]
    assert shown.startswith("job 1  parked  a\nas it should be: scand commit 1")
    assert "its preview waits for an answer; it goes on in preview" in shown
    assert "preview → queued (parked)" in shown


def test_watch_follows_it_to_its_end(shell: Shell, agent: Connection) -> None:
    """A parked preview rests; what waits for the NAS goes on, and is followed."""
    parked(shell, agent, "preview")
    out = shell.run("watch", "1")[0]
    assert "job 1  parked" in out
    assert "parked: its preview waits for an answer" in out
    shell.run("commit", "1")
    process = shell.start("watch", "--json")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert (first["job"]["status"], first["job"]["resumes_in"]) == ("queued", "committing")
    assert first["progress"]["next"] == "goes on by itself once the NAS is well"
    step(agent, 1, "committing")
    step(agent, 1, "committed", inbox_path="Inbox/a.pdf")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (os.EX_OK, "")
    assert json.loads(out.splitlines()[-1])["job"]["status"] == "committed"


def test_an_operator_gives_it_up(host: Shell, agent: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what may be in the Inbox; a household member is told who can."""
    job = parked(host, agent, "committing", "Inbox/a.pdf")
    host.refused("cancel", "--unpublished", status=os.EX_USAGE)
    (host.home / "staging").mkdir()
    said = host.run("cancel", "--unpublished", "1")[0]
    assert said.startswith("job 1 is given up: it fails now with publication_unknown")
    assert said.endswith("scand retry 1 begins with a look there\n")
    assert host.json("show", "1")["withdraw"] == "failed"
    other = parked(host, agent, "preview")
    assert "scand cancel 2 stops it" in host.refused(
        "cancel", "--unpublished", str(other), status=os.EX_DATAERR
    )
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    status, refused = host.typed("cancel", "--unpublished", str(job))
    assert (status, refused.endswith("sudo scand cancel --unpublished 1")) == (os.EX_CONFIG, True)


def test_a_member_of_the_clients_role_cannot(shell: Shell, agent: Connection) -> None:
    """What it writes there is left unwritten, or refused."""
    job = parked(shell, agent, "committing", "Inbox/a.pdf")
    assert "scand_client" in shell.run("migrate", "--roles")[0]
    agent.execute("SET ROLE scand_client")
    with pytest.raises(Exception, match="permission denied"):
        agent.execute("UPDATE scan_jobs SET withdraw = 'failed' WHERE id = %s", (job,))


def test_doctor_says_how_many_wait(host: Shell, agent: Connection) -> None:
    """For the NAS, and for an answer."""
    for status in ("preview", "assembling", "committing"):
        parked(host, agent, status)
    found = json.loads(host.run("doctor", "--json", status=os.EX_CONFIG)[0])
    [line] = [check for check in found if check["name"] == "parked"]
    assert line["detail"] == "waiting for the NAS: 2 jobs; for an answer to their preview: 1 job"
