"""`[commit] by = "client"`: a web application puts the document into its place, and scand reads it back there."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.markdown import CHECKOUT, Document
from tests.support.site import Site, numbers, sha256, until

if TYPE_CHECKING:
    from typing import Any

CLIENT = '[commit]\nby = "client"\n'
_SECTION = Document(CHECKOUT / "docs" / "database.md").section("A client that commits by itself")
RECIPE = [
    (kind, line.strip())
    for kind, block in re.findall(r"```(sql|sh)\n(.*?)```", _SECTION, re.DOTALL)
    for line in ([" ".join(block.split())] if kind == "sql" else block.strip().splitlines())
]
"""The recipe's lines in order, each "sql" or "sh"."""
_EXAMPLE_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_EXAMPLE_STAGED = ".scan-staging/1a2b3c4d/job-42-57/merged.pdf"


@pytest.fixture
def clients(site: Site) -> Site:
    """A site whose clients commit, with a folder for their documents."""
    site.configure(CLIENT)
    site.scand("migrate", "--commit-by", "client")
    (site.nas / "documents").mkdir()
    return site


def keep(site: Site, duration: str) -> None:
    """Set staging.keep; after `configure`, and before the daemon starts."""
    site.config.write_text(
        site.config.read_text().replace("[staging]\n", f'[staging]\nkeep = "{duration}"\n')
    )


def follow(site: Site, job: int, file_hash: str, lines: int = len(RECIPE)) -> None:
    """Follow the recipe for so many lines, and be killed then; step 2 says whether to go on at all."""
    shell, staged = [], ""
    for number, (kind, text) in enumerate(RECIPE[:lines], 1):
        line = text.replace(_EXAMPLE_STAGED, staged).replace(_EXAMPLE_HASH, file_hash)
        line = re.sub(r"\b42\b", str(job), line)
        if kind == "sh":
            shell.append(line)
            if number < lines and RECIPE[number][0] == "sh":
                continue
            script = "\n".join(["set -e", *shell, "kill -9 $$" if number < len(RECIPE) - 1 else ""])
            ended = subprocess.run(["sh", "-c", script], cwd=site.nas, check=False, stderr=subprocess.PIPE)
            assert ended.returncode == (-9 if number < len(RECIPE) - 1 else 0), ended.stderr
        elif line.startswith("SELECT"):
            if not (answer := site.sql(line)):
                return
            staged = answer[0]["nas_staging_path"]
        else:
            site.sql(line)


def documents(site: Site) -> list[str]:
    """What is in the clients' folder."""
    return sorted(path.name for path in (site.nas / "documents").iterdir())


def previewed(site: Site, **settings: Any) -> dict[str, Any]:
    """The row of a new job that has come to preview."""
    return site.wait(site.submit(scan="auto", finish="commit", **settings), "preview")


def test_the_recipe_is_followed_and_crashed_at_each_line(clients: Site) -> None:
    """However often the client dies, there is one document, the previewed one; then pages and preview go."""
    keep(clients, "1s")
    daemon = clients.serving()
    row = previewed(clients)
    job, staged = row["id"], clients.nas / row["nas_staging_path"]
    assert row["file_hash"] == sha256(staged)
    assert row["inbox_path"] is None
    assert len(RECIPE) == 11
    for lines in range(1, len(RECIPE)):
        follow(clients, job, row["file_hash"], lines)
        assert clients.job(job)["status"] == "committing"
        assert len([name for name in documents(clients) if not name.startswith(".")]) == (lines >= 8)
    for _ in range(2):
        follow(clients, job, row["file_hash"])
        assert clients.job(job)["status"] == "committed"
        assert documents(clients) == [f"job {job}.pdf"]
    document = clients.nas / "documents" / f"job {job}.pdf"
    assert sha256(document) == row["file_hash"]
    assert numbers(document) == list(range(1, 7))

    until(lambda: clients.job(job)["read_back"], "the agent reads it back")
    assert not staged.parent.exists()
    assert clients.job(job)["nas_staging_path"] is None
    until(lambda: not (clients.staging / "jobs" / str(job)).exists(), "the pages go")
    (committed,) = until(lambda: daemon.said("committed"), "it is told")
    assert (committed["job"], committed["path"]) == (job, f"documents/job {job}.pdf")
    assert daemon.said("job_canceled") == []
    assert len(daemon.said("read_back")) == 1


def test_a_silent_client_gives_the_scanner_free_and_may_come_late(clients: Site) -> None:
    """After client_timeout the job is in preview, says why, and its client's commit is not taken; again, it is."""
    clients.configure(CLIENT + 'client_timeout = "1s"')
    daemon = clients.serving()
    row = previewed(clients)
    job = row["id"]
    late = "UPDATE scan_jobs SET status = 'committed', inbox_path = %s WHERE id = %s AND status = %s"
    follow(clients, job, row["file_hash"], len(RECIPE) - 1)
    back = clients.wait(job, "preview")
    assert back["error_code"] == "client_timeout"
    assert back["error"].startswith("The client that commits by itself was silent for too long.")
    assert (back["file_hash"], back["nas_staging_path"]) == (row["file_hash"], row["nas_staging_path"])
    (refused,) = until(lambda: daemon.said("refused"), "it is told")
    assert refused["code"] == "client_timeout"
    clients.sql(late, f"documents/job {job}.pdf", job, "committing")
    assert clients.job(job)["status"] == "preview"
    daemon.kill()
    follow(clients, job, row["file_hash"])
    clients.serving()
    done = clients.wait(job, "committed")
    assert (done["error"], done["error_code"]) == (None, None)
    assert documents(clients) == [f"job {job}.pdf"]
    until(lambda: clients.job(job)["read_back"], "the agent reads it back")


def test_a_document_that_is_not_found_keeps_its_pages(clients: Site) -> None:
    """Another file in its place is told after some tries; pages and preview stay until they are purged."""
    keep(clients, "1s")
    daemon = clients.serving()
    row = previewed(clients)
    job, staged = row["id"], clients.nas / row["nas_staging_path"]
    (clients.nas / "documents" / "other.pdf").write_bytes(b"%PDF-1.7 another")
    clients.step(job, "committing")
    clients.sql(
        "UPDATE scan_jobs SET status = 'committed', inbox_path = 'documents/other.pdf' WHERE id = %s", job
    )
    until(lambda: clients.job(job)["attempts"] >= 2, "it was looked for")
    assert clients.job(job)["error"] is None
    with clients.connection.transaction():  # the minutes that follow
        clients.sql("SET LOCAL scand.actor = 'agent'")
        clients.sql("UPDATE scan_jobs SET attempts = 8, next_attempt_at = now() WHERE id = %s", job)
    until(lambda: clients.job(job)["error_code"] == "not_read_back", "it is told")
    assert "sudo scand purge --not-read-back" in clients.job(job)["error"]
    (said,) = until(lambda: daemon.said("not_read_back"), "the log has it")
    assert said["job"] == job
    doctor = clients.scand("doctor", check=False)
    assert f"job {job}. Their pages are kept." in " ".join(doctor.stdout.split())
    clients.scand("purge")
    assert staged.exists()
    assert (clients.staging / "jobs" / str(job) / "merged.pdf").exists()
    clients.scand("purge", "--not-read-back")
    assert not (clients.staging / "jobs" / str(job)).exists()


def test_config_and_database_that_disagree_start_no_daemon(site: Site) -> None:
    """Neither both nor nobody commits: the daemon and doctor say which command mends it, and that one runs."""
    for config, by in ((CLIENT, "client"), ("", "agent")):
        site.configure(config)
        daemon = site.start()
        assert daemon.process.wait(30) == 78
        said = re.search(r"`scand (?:--config \S+ )?(migrate --commit-by \w+)`", daemon.log_path.read_text())
        assert said is not None, daemon.log_path.read_text()
        assert said[1] == f"migrate --commit-by {by}"
        if by == "client":
            assert said[1] in " ".join(site.scand("doctor", check=False).stdout.split())
        site.scand(*said[1].split())
        assert site.serving().stop() == 0
