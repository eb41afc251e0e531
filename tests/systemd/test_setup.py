"""`scand setup` on a host with systemd, and what `scand doctor` tells each user there."""

from __future__ import annotations

import json
import textwrap
import tomllib
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

from scand.cli.host.sandbox import drop_in, opened
from tests.systemd.box import until
from tests.systemd.host import UNIT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.systemd.conftest import NewHost
    from tests.systemd.host import ScanHost

_DROP_IN = f"etc/systemd/system/{UNIT}.d/nas.conf"
_HANGS = """
    import ctypes, os, time
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    assert ctypes.CDLL(None).mount(b"nas", b"/srv/nas", b"fuse.nas", 0, options) == 0
    time.sleep(1000)
    """


@pytest.fixture
def fresh(host: ScanHost) -> ScanHost:
    """A newly installed scan host with two people and a NAS that can be mounted at /srv/nas."""
    (host.box.root / "var/lib/scand/nas-volume").unlink()
    for name in ("kim", "lee"):
        host.box.run("useradd", "--create-home", name)
    host.box.run("mkdir", "/srv/nas", "/run/volume")
    host.box.run("mount", "-t", "tmpfs", "-o", "mode=775,uid=scand,gid=scand", "nas", "/run/volume")
    host.nas = host.box.root / "srv/nas"
    return host


@pytest.fixture(scope="module")
def resting(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host whose service is never started, with a person who is in none of its groups."""
    with new_host() as host:
        host.box.run("useradd", "--create-home", "lee")
        yield host


def _mount(host: ScanHost) -> None:
    host.box.run("mount", "--bind", "/run/volume", "/srv/nas")


def _setup(host: ScanHost, *options: str, status: int = 0) -> str:
    said = host.box.run("scand", "setup", *options, check=False, timeout=120)
    assert said.returncode == status, said.stdout + said.stderr
    return said.stdout + said.stderr


def _doctor(host: ScanHost, user: str = "") -> dict[str, dict[str, Any]]:
    said = host.box.run("scand", "doctor", "--json", user=user, check=False)
    assert "Traceback" not in said.stderr
    return {check["name"]: check for check in json.loads(said.stdout)}


def _wrong(checks: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, check in checks.items() if not check["ok"]]


def _state(host: ScanHost) -> list[object]:
    """What a second setup must not touch."""
    files = [host.box.root / path for path in ("etc/scand/scand.toml", _DROP_IN, "etc/group")]
    return [host.pid(), *((path.stat().st_mtime_ns, path.read_text()) for path in files)]


def test_a_host_is_set_up_for_a_household(fresh: ScanHost) -> None:
    """By flags, with the NAS outside /mnt: a member reads preview and document, also after a restart of it all."""
    host = fresh
    host.plug_in("--count=1")
    _mount(host)
    assert {"service", "nas", "sandbox"} & set(_wrong(_doctor(host))) == {"service", "nas"}
    _setup(host, "--nas-root", "/srv/nas", "--user", "kim")
    config = host.box.root / "etc/scand/scand.toml"
    assert (
        host.box.run("stat", "--format=%A %U:%G", "/etc/scand/scand.toml").stdout == "-rw-r----- root:scand\n"
    )
    assert '#inbox = "PKM/Inbox"' in config.read_text()
    assert 'ReadWritePaths="-/srv/nas"' in (host.box.root / _DROP_IN).read_text()
    assert host.box.show(UNIT, "UnitFileState")["UnitFileState"] == "enabled"
    assert host.box.show("scand-scan.path", "ActiveState")["ActiveState"] == "active"
    assert _wrong(_doctor(host)) == []
    before = _state(host)
    _setup(host, "--user", "kim")
    assert _state(host) == before

    settings = '{"scan": "auto", "finish": "preview"}'
    (row,) = host.sql(
        "INSERT INTO scan_jobs (title, settings, status) VALUES ('Letter', %s, 'queued') RETURNING id",
        settings,
    )
    staged = host.wait(row["id"], "preview")["nas_staging_path"]
    assert host.box.run("head", "-c5", f"/srv/nas/{staged}", user="kim").stdout == "%PDF-"
    assert host.box.run("head", "-c5", f"/srv/nas/{staged}", user="lee", check=False).returncode
    host.box.run("scand", "commit", str(row["id"]), user="kim")
    host.wait(row["id"], "committed")

    host.box.run("systemctl", "stop", "scand")
    host.box.run("umount", "/srv/nas")
    host.start()
    _mount(host)
    host.refill()
    host.wait(host.submit("After the restart"), "committed")
    host.box.run("systemctl", "restart", "scand")
    host.refill()
    host.wait(host.submit("And another"), "committed")
    for name in ("Letter", "After the restart", "And another"):
        said = host.box.run("head", "-c5", f"/srv/nas/PKM/Inbox/{name}.pdf", user="kim")
        assert said.stdout == "%PDF-"


def test_a_nas_outside_the_sandbox_is_told_before_it_breaks(fresh: ScanHost) -> None:
    """NAS5: mounted after the start it works, and doctor has a cross already; setup mends it."""
    host = fresh
    host.plug_in("--count=1")
    config = host.box.root / "etc/scand/scand.toml"
    config.write_text(config.read_text().replace('root = "/mnt/nas"', 'root = "/srv/nas"'))
    host.start()
    _mount(host)
    host.box.run("scand", "nas", "init", user="scand")
    host.wait(host.submit("Still"), "committed")
    checks = _doctor(host)
    assert "sandbox" in _wrong(checks)
    assert checks["sandbox"]["mend"] == "scand setup"
    assert "ProtectSystem=strict" in checks["sandbox"]["detail"]
    _setup(host)
    assert _wrong(_doctor(host)) == []
    host.box.run("systemctl", "restart", "scand")
    host.refill()
    host.wait(host.submit("Now"), "committed")
    # What scand had made for itself alone is the group's by now.
    assert host.box.run("stat", "--format=%A %G", "/srv/nas/PKM/Inbox").stdout == "drwxrwx--- scand-users\n"


def test_setup_says_how_to_mount(fresh: ScanHost) -> None:
    """75, and fstab lines that findmnt takes; as such an automount, the NAS is found, marked and written to."""
    host = fresh
    host.plug_in("--count=1")
    said = _setup(host, "--nas-root", "/srv/nas", status=75)
    lines = [line for line in said.splitlines() if "x-systemd.automount" in line]
    assert [line.split()[2] for line in lines] == ["cifs", "nfs"]
    for line in lines:
        host.box.write("/etc/fstab", f"{line}\n")
        host.box.run("systemctl", "daemon-reload")
        checked = host.box.run("findmnt", "--verify", "--verbose")
        assert "Success, no errors or warnings detected" in checked.stdout
    assert host.box.show(UNIT, "ActiveState")["ActiveState"] == "inactive"

    # The same line for a file system that this kernel has.
    own = [part for part in lines[0].split()[3].split(",") if part.split("=")[0] in {"uid", "gid"}]
    rest = lines[1].split()[3]
    host.box.write("/etc/fstab", f"nas /srv/nas tmpfs {','.join(own)},mode=770,{rest} 0 0\n")
    for command in said.splitlines()[-4:]:
        if command.strip().startswith("systemctl"):
            host.box.run(*command.split())
    assert host.box.show("srv-nas.automount", "ActiveState")["ActiveState"] == "active"
    _setup(host)
    assert host.box.show("srv-nas.mount", "ActiveState")["ActiveState"] == "active"
    host.box.run("systemctl", "restart", "scand")
    host.wait(host.submit("On demand"), "committed")


def test_a_nas_that_hangs_does_not_hold_up_the_start(fresh: ScanHost) -> None:
    """The drop-in for a network file system names the directory above its mountpoint, where systemd can look."""
    host = fresh
    path = opened(PurePath("/srv/nas"), PurePath("/srv/nas"), "fuse.nas")
    host.drop_in("nas", drop_in([path]))
    host.box.run("mknod", "/dev/fuse", "c", "10", "229")
    host.box.write("/run/hangs.py", textwrap.dedent(_HANGS))
    host.box.run("systemd-run", "--quiet", "--unit=hangs", "python3", "/run/hangs.py")
    until(lambda: "/srv/nas" in host.box.run("cat", "/proc/mounts").stdout, "it is mounted")
    try:
        host.box.run("systemctl", "start", "scand", timeout=30)
        assert host.box.show(UNIT, "ActiveState")["ActiveState"] == "active"
    finally:
        host.box.run("systemctl", "kill", "--signal=KILL", "hangs")


def test_a_plain_directory_is_made_when_asked(fresh: ScanHost) -> None:
    """Refused without the flag; back below /mnt, the drop-in goes; an administrator's own drop-in stays."""
    host = fresh
    host.plug_in()
    config = host.box.root / "etc/scand/scand.toml"
    before = config.read_text()
    refused = _setup(host, "--nas-root", "/srv/plain", "--no-require-mount", status=78)
    assert "--create-root" in refused
    assert config.read_text() == before
    assert not (host.box.root / "srv/plain").exists()
    _setup(host, "--nas-root", "/srv/plain", "--no-require-mount", "--create-root")
    assert host.box.run("stat", "--format=%A %U:%G", "/srv/plain").stdout == "drwxr-x--- scand:scand-users\n"
    host.box.run("mkdir", "/mnt/plain")
    host.box.run("chown", "scand", "/mnt/plain")
    _setup(host, "--nas-root", "/mnt/plain")
    assert not (host.box.root / _DROP_IN).exists()
    own = "[Service]\nReadWritePaths=-/data\n"
    host.drop_in("nas", own)
    refused = _setup(host, "--nas-root", "/srv/plain", status=78)
    assert "was not written by scand setup" in refused
    assert (host.box.root / _DROP_IN).read_text() == own


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--nas-root", "/home/kim/nas"), "does not see /home/kim/nas (ProtectHome=yes)"),
        (("--nas-root", "srv/nas"), "must be absolute"),
        (("--inbox", "../Inbox"), "nas.inbox"),
        (("--group", "famly"), "groupadd --system famly"),
        (("--user", "kin"), "no user kin"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(
    resting: ScanHost, options: tuple[str, ...], says: str
) -> None:
    """One sentence that names the thing; config and groups as they were."""
    files = [resting.box.root / path for path in ("etc/scand/scand.toml", "etc/group")]
    before = [path.read_text() for path in files]
    said = _setup(resting, *options, status=78)
    assert says in said
    assert "Traceback" not in said
    assert [path.read_text() for path in files] == before


def _run(host: ScanHost, *command: str, user: str = "") -> subprocess.CompletedProcess[str]:
    return host.box.run("scand", *command, user=user, check=False)


def test_another_users_staging_is_not_touched(resting: ScanHost) -> None:
    """Root and a stranger: run, nas init and setup are refused with the command that is meant; nothing is made."""
    before = resting.box.run("ls", "-lanR", "/var/lib/scand").stdout
    for command, user, mend in (
        (("run",), "", "`systemctl start scand`"),
        (("nas", "init"), "", "`scand setup`"),
        (("run",), "lee", "`sudo systemctl start scand`"),
        (("nas", "init"), "lee", "`sudo scand setup`"),
        (("setup",), "lee", "`sudo scand setup`"),
    ):
        said = _run(resting, *command, user=user)
        assert (said.returncode, said.stdout) == (78, ""), said
        assert mend in said.stderr
        assert len(said.stderr.splitlines()) == 1
    _doctor(resting)
    assert resting.box.run("ls", "-lanR", "/var/lib/scand").stdout == before


def test_doctor_tells_everybody_what_they_can_know(served: ScanHost) -> None:
    """Root and the daemon's user see everything, a member the service, a stranger how to become a member."""
    box = served.box
    for name in ("kim", "lee"):
        box.run("useradd", "--create-home", name)
    served.plug_in("--count=1")
    _setup(served, "--user", "kim")
    everything = _doctor(served)
    assert _wrong(everything) == []
    assert set(_doctor(served, "scand")) == set(everything)
    member = _doctor(served, "kim")
    assert list(member) == ["service", "member", "database", "agent", "parked", "rest"]
    assert _wrong(member) == []
    stranger = _doctor(served, "lee")
    assert _wrong(stranger) == ["member", "database"]
    assert stranger["member"]["mend"] == "sudo usermod -aG scand-users lee"


def test_doctor_finds_what_the_service_would_trip_over(served: ScanHost) -> None:
    """A hook in a home, a group that the daemon lacks, a folder closed to the readers, an unreadable config."""
    box = served.box
    config = box.root / "etc/scand/scand.toml"
    good = config.read_text()
    box.write("/home/hook", "#!/bin/sh\n", 0o755)
    box.run("groupadd", "family")
    box.run("install", "-d", "-o", "scand", "-g", "scand", "-m", "0700", "/mnt/nas/PKM")
    changed = good.replace('#on_event = ""', 'on_event = "/home/hook"')
    config.write_text(changed.replace('#group = ""', 'group = "family"').replace('"scand-users"', '"family"'))
    checks = _doctor(served)
    assert checks["hook"]["mend"] == "install -m 0755 /home/hook /usr/local/bin/"
    assert checks["groups"]["mend"].startswith("usermod -aG family scand")
    assert "/mnt/nas/PKM" in checks["readers"]["detail"]
    # The daemon has made its own folder when it first looked whether it can write there.
    assert checks["readers"]["mend"].startswith("chgrp family /mnt/nas/.scan-staging /mnt/nas/PKM &&")
    box.run("sh", "-c", checks["readers"]["mend"])
    assert "readers" not in _wrong(_doctor(served))
    config.chmod(0o600)
    unreadable = _doctor(served)
    assert list(unreadable) == ["config"]
    box.run("sh", "-c", unreadable["config"]["mend"])
    assert "config" not in _wrong(_doctor(served))
    config.write_text(good)


def test_questions_on_a_terminal(fresh: ScanHost) -> None:
    """Each is asked with its default; a wrong answer is asked again, an empty one keeps what is there."""
    host = fresh
    host.plug_in("--count=1")
    _mount(host)
    answers = ["", "nas", "/srv/nas", "", "Paper/In", "nobodys", "", "kim"]
    typed = " ".join(f"'{answer}'" for answer in answers)
    said = host.box.run(
        "sh",
        "-c",
        f"printf '%s\\n' {typed} | script --quiet --return --command 'scand setup' /dev/null",
        timeout=120,
    ).stdout
    assert "net:127.0.0.42:sim" in said
    assert "must be an absolute path" in said
    assert "has no group nobodys" in said
    config = tomllib.loads((host.box.root / "etc/scand/scand.toml").read_text())
    assert config["nas"] == {"root": "/srv/nas", "inbox": "Paper/In", "group": "scand-users"}
    assert "kim" in host.box.run("id", "--name", "--groups", "kim").stdout
    assert _wrong(_doctor(host, "kim")) == []
    host.wait(host.submit("By hand"), "committed")
    assert (host.nas / "Paper/In/By hand.pdf").exists()


def test_a_staging_folder_beside_the_root_is_in_the_same_mount(fresh: ScanHost) -> None:
    """For a consumer's folder: one path above both is opened, since a rename does not go from mount to mount."""
    host = fresh
    host.plug_in("--count=1")
    host.box.run(
        "install",
        "-d",
        "-o",
        "scand",
        "-g",
        "scand-users",
        "/srv/paper",
        "/srv/paper/in",
        "/srv/paper/staged",
    )
    config = host.box.root / "etc/scand/scand.toml"
    text = config.read_text()
    text = text.replace('#staging = ".scan-staging"', 'staging = "/srv/paper/staged"')
    config.write_text(text.replace('#inbox = "PKM/Inbox"', 'inbox = "."'))
    _setup(host, "--nas-root", "/srv/paper/in", "--no-require-mount")
    assert 'ReadWritePaths="-/srv/paper"' in (host.box.root / _DROP_IN).read_text()
    host.wait(host.submit("Consumed"), "committed")
    assert (host.box.root / "srv/paper/in/Consumed.pdf").exists()
    assert _wrong(_doctor(host)) == []
