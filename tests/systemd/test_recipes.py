"""The recipes of docs/operating.md, run as printed in the shipped unit."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from tests.systemd.box import until
from tests.systemd.conftest import CHECKOUT
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    from tests.systemd.host import ScanHost

_DOCUMENT = (CHECKOUT / "docs/operating.md").read_text()


def section(heading: str) -> str:
    """The text below a heading of the document."""
    rest = _DOCUMENT.split(f"\n### {heading}\n")[1]
    return rest.split("\n### ")[0]


def blocks(heading: str, language: str) -> list[str]:
    """The code of one language below a heading, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section(heading), flags=re.MULTILINE | re.DOTALL)


_SUDO = """\
#!/bin/sh
# As sudo does it, as far as the recipes go: the box has none.
user=root
if [ "$1" = -u ]; then user=$2; shift 2; fi
[ "$user" != root ] || exec "$@"
exec setpriv --reuid="$user" --regid="$user" --init-groups --reset-env -- "$@"
"""


def follow(host: ScanHost, heading: str) -> None:
    """Follow a recipe: install its program, set its config keys, run its commands, all as printed."""
    host.box.write("/usr/local/bin/sudo", _SUDO, mode=0o755)
    places = re.findall(r"as\s+`(/usr/local/bin/[a-z-]+)`", section(heading))
    for place, program in zip(places, blocks(heading, "python"), strict=True):
        host.box.write(place, program)
    for table in blocks(heading, "toml"):
        configure(host, table)
    for commands in blocks(heading, "sh"):
        host.box.run("sh", "-e", "-c", commands)


def configure(host: ScanHost, table: str) -> None:
    """Write the keys of a table over those that the installed config has."""
    config = host.box.root / "etc/scand/scand.toml"
    text = config.read_text()
    name, *keys = table.strip().splitlines()
    assert f"\n{name}\n" in text
    for line in keys:
        key = line.split(" = ")[0]
        (written,) = re.findall(rf"(?m)^#?{key} = .*$", text.split(f"\n{name}\n")[1].split("\n[")[0])
        text = text.replace(f"\n{written}\n", f"\n{line}\n", 1)
    config.write_text(text)


_RECEIVER = """
    import http.server, json, sys

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with open("/run/received", "a") as file:
                file.write(json.dumps({"path": self.path, **json.loads(body)}) + "\\n")
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    http.server.ThreadingHTTPServer(("127.0.0.1", 80), Receiver).serve_forever()
"""


@pytest.fixture
def telephone(host: ScanHost) -> ScanHost:
    """A scan host, and an HTTP server with the name ntfy.lan."""
    hosts = host.box.root / "etc/hosts"
    hosts.write_text(hosts.read_text() + "\n127.0.0.1 ntfy.lan\n")
    host.box.write("/run/receiver.py", textwrap.dedent(_RECEIVER))
    host.box.run("systemd-run", "--quiet", "--unit=receiver", "/usr/bin/python3", "/run/receiver.py")
    listening = ("/usr/bin/python3", "-c", "import socket; socket.create_connection(('ntfy.lan', 80))")
    until(lambda: host.box.run(*listening, check=False).returncode == 0, "the receiver listens")
    host.mount_nas()
    host.plug_in("--count=3")
    host.start()
    host.serves()
    return host


def received(host: ScanHost) -> list[dict[str, Any]]:
    """The messages that have come, in order."""
    file = host.box.root / "run/received"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_message_to_the_telephone(telephone: ScanHost) -> None:
    """A try by hand; then a commit and a jam, each with the document's title and its pages."""
    host = telephone
    follow(host, "A message to your telephone")
    assert {"path": "/", "topic": "scans", "title": "here", "message": "a try"} in received(host)
    until(lambda: host.said("config_reloaded"), "the hook is known")
    job = host.submit("Bills of “2026”, Büro")
    host.wait(job, "committed")
    until(lambda: len(received(host)) == 3, "the try, the preview and the commit are told")
    host.plug_in("--count=3", "--fault=jam@2")
    jammed = host.submit("Jammed")
    host.wait(jammed, "ready")
    until(lambda: len(received(host)) >= 4, "the jam is told")
    told = received(host)[1:]
    # The two programs of one job run side by side.
    messages = {one["message"]: one["title"] for one in told}
    committed = "job 1: committed: PKM/Inbox/Bills of '2026', Büro.pdf"
    assert messages[next(one for one in messages if "committed" in one)] == "Bills of “2026”, Büro (6 pages)"
    assert committed.split(":", maxsplit=1)[0] in next(one for one in messages if "committed" in one)
    assert [title[:8] for one, title in messages.items() if "jammed" in one] == ["Jammed ("], messages
    assert host.said("hook_failed") == []


def test_a_hook_that_is_killed_is_told(telephone: ScanHost) -> None:
    """In the journal, with the signal."""
    host = telephone
    host.box.write("/usr/local/bin/hook", "#!/bin/sh\nkill -KILL $$\n", mode=0o755)
    configure(host, '[hooks]\non_event = "/usr/local/bin/hook"')
    host.box.run("systemctl", "reload", "scand")
    host.plug_in("--count=1")
    host.wait(host.submit(), "committed")
    (said, *_) = until(lambda: host.said("hook_failed"), "the journal says so")
    assert said["MESSAGE"] == "hooks.on_event: ended by SIGKILL"


# What opens a device as the unit would, in the place of the daemon; ENXIO: no driver has it.
_PROBE = "/opt/scand/bin/python /src/tests/systemd/probe.py "


def _opened(host: ScanHost, device: str) -> str:
    """What becomes of opening a device in the unit's sandbox."""
    tries = json.dumps([["read", device]])
    host.drop_in(
        "zz-probe",
        f"[Service]\nType=exec\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart={_PROBE}'{tries}'\n",
    )
    before = len(host.messages("SYSLOG_IDENTIFIER=python"))
    host.box.run("systemctl", "start", "scand")
    said = until(lambda: host.messages("SYSLOG_IDENTIFIER=python")[before:], "the probe has ended")
    host.box.run("systemctl", "stop", "scand")
    (host.box.root / f"etc/systemd/system/{UNIT}.d/zz-probe.conf").unlink()
    host.box.run("systemctl", "daemon-reload")
    outcome: str = json.loads(said[0])["outcome"][f"read {device}"]
    return outcome


def test_a_beep_needs_the_drop_in(host: ScanHost) -> None:
    """Without it the sound card is closed to the unit; with it, it is open: nothing is missing but the card."""
    # A kernel that knows ALSA, as a machine with a sound card has; and the device, as udev makes it.
    known = (host.box.root / "proc/devices").read_text().replace("\n\nBlock", "\n116 alsa\n\nBlock")
    host.box.write("/run/devices", known)
    host.box.run("mount", "--bind", "/run/devices", "/proc/devices")
    host.box.run("mkdir", "/dev/snd")
    host.box.run("mknod", "--mode=666", "/dev/snd/controlC0", "c", "116", "0")
    host.mount_nas()
    host.plug_in("--count=1")
    assert _opened(host, "/dev/snd/controlC0") == "EPERM"  # not by its permissions: everybody may open it
    host.box.run("chgrp", "audio", "/dev/snd/controlC0")
    host.box.run("chmod", "660", "/dev/snd/controlC0")
    follow(host, "A beep at the scanner")
    assert (host.box.root / f"etc/systemd/system/{UNIT}.d/beep.conf").exists()
    host.serves()
    # The program runs in the unit: for a jam it plays, and fails for want of a card; for a commit it does nothing.
    host.wait(host.submit(), "committed")
    assert host.said("hook_failed") == []
    host.plug_in("--count=3", "--fault=jam@2")
    host.wait(host.submit(), "ready")
    until(lambda: host.said("hook_failed"), "there is no sound card")
    assert {one["MESSAGE"] for one in host.said("hook_failed")} == {"hooks.on_event: exit status 1"}
    host.box.run("systemctl", "stop", "scand")
    assert _opened(host, "/dev/snd/controlC0") == "ENXIO"


# Takes every file below the consume folder the moment it appears, hidden ones, too, as no consumer would.
_CONSUMER = """
    import os
    while True:
        for directory, _, names in os.walk("/srv/paperless/consume"):
            for name in names:
                os.rename(f"{directory}/{name}", "/srv/paperless/taken/" + name.replace("/", "_"))
"""


def test_paperless_takes_the_documents(host: ScanHost) -> None:
    """It gets each document whole, once, readable by its group, and nothing else."""
    box = host.box
    box.run("useradd", "--system", "--user-group", "paperless")
    box.run("install", "-d", "-o", "paperless", "-g", "paperless", "/srv/paperless")
    for folder in ("consume", "taken"):
        box.run("install", "-d", "-o", "paperless", "-g", "paperless", f"/srv/paperless/{folder}")
    (box.root / "var/lib/scand/nas-volume").unlink()
    host.start()
    follow(host, "paperless-ngx takes the documents")
    assert (box.root / "srv/paperless/scan-staging/.scand-volume").exists()
    host.serves(times=2)
    box.write("/run/consumer.py", textwrap.dedent(_CONSUMER))
    box.run(
        "systemd-run", "--quiet", "--unit=consumer", "--uid=paperless", "--gid=paperless",
        "/usr/bin/python3", "/run/consumer.py",
    )  # fmt: skip
    host.plug_in("--count=2")
    jobs = []
    for number in range(3):
        jobs.append(host.submit(f"Letter {number}"))
        assert host.wait(jobs[-1], "committed")["inbox_path"] == f"Letter {number}.pdf"
        host.refill()
    taken = sorted((box.root / "srv/paperless/taken").iterdir())
    assert [path.name for path in taken] == [f"Letter {number}.pdf" for number in range(3)]
    for path in taken:
        with pikepdf.open(path) as document:
            assert len(document.pages) == 4
        box.run("test", "-r", f"/srv/paperless/taken/{path.name}", user="paperless")
    owners = box.run(
        "stat", "--format=%A %U:%G", *(f"/srv/paperless/taken/{path.name}" for path in taken)
    ).stdout
    assert set(owners.splitlines()) == {"-rw-r----- scand:paperless"}
    staged = [path for path in (box.root / "srv/paperless/scan-staging").rglob("*") if path.is_file()]
    assert [path.name for path in staged] == [".scand-volume"]
    # A folder of a job's own, which paperless makes tags of.
    settings = '{"scan": "auto", "finish": "commit", "inbox": "Tax"}'
    (row,) = host.sql(
        "INSERT INTO scan_jobs (title, settings, status) VALUES ('Own', %s, 'queued') RETURNING id", settings
    )
    assert host.wait(row["id"], "committed")["inbox_path"] == "Tax/Own.pdf"
