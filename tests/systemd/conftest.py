"""Runs `make install` once a session; boxes in which its files are installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import Box, missing
from tests.systemd.host import ScanHost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    NewHost = Callable[[], AbstractContextManager[ScanHost]]

CHECKOUT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of this package also waits for `make install` or `make deb`: give it more time."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def wheels(testrun_uid: str) -> Iterator[Path]:
    """What both ways to install scand take from here, instead of building all of it twice."""
    build = CHECKOUT / "systemd/install.sh"
    with _made_once(
        testrun_uid, "wheels", lambda new: run("sh", str(build), "wheels", WHEELS=str(new))
    ) as made:
        yield made


@pytest.fixture(scope="session")
def installed(testrun_uid: str, wheels: Path) -> Iterator[Path]:
    """The directory into which `make install DESTDIR=…` has installed everything."""

    def make(new: Path) -> None:
        run("make", "install", f"DESTDIR={new}", WHEELS=str(wheels))

    with _made_once(testrun_uid, "root", make) as root:
        yield root


@pytest.fixture(scope="session")
def package(testrun_uid: str, wheels: Path) -> Iterator[Path]:
    """The package that `make deb` builds, uncompressed: compressing takes longer than everything else."""

    def make(new: Path) -> None:
        run("make", "deb", f"DIST={new}", WHEELS=str(wheels), DPKG_DEB_COMPRESSOR_TYPE="none")

    with _made_once(testrun_uid, "dist", make) as dist:
        yield next(dist.glob("scand_*.deb"))


@contextmanager
def _made_once(testrun_uid: str, name: str, make_it: Callable[[Path], None]) -> Iterator[Path]:
    """A directory that the first of the pytest-xdist workers makes for all, and the last removes.

    In memory, since an overlay does not take two layers of one file system, one within the other.
    """
    if why := missing():
        pytest.skip(why)
    place = Path("/dev/shm") / f"scand-{testrun_uid}-{name}"
    place.mkdir(exist_ok=True)
    with (place / "making").open("w") as making, (place / "using").open("w") as using:
        fcntl.flock(making, fcntl.LOCK_EX)
        fcntl.flock(using, fcntl.LOCK_SH)
        if not (place / name).exists():
            make_it(place / "new")
            (place / "new").rename(place / name)
        fcntl.flock(making, fcntl.LOCK_UN)
        yield place / name
        with suppress(BlockingIOError):  # another worker still uses it
            fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place)


def run(*command: str, **environment: str) -> None:
    """Run a command in the checkout, which must succeed."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | environment
    result = subprocess.run(command, cwd=CHECKOUT, env=outer, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def new_host(installed: Path) -> NewHost:
    """A function that makes a new scan host, for a `with` statement."""

    @contextmanager
    def make() -> Iterator[ScanHost]:
        with Box(installed, shown={"/src": CHECKOUT}) as box:
            yield ScanHost(box)

    return make


@pytest.fixture(scope="module")
def served(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host that serves and has its NAS, for all tests of one module; each test leaves it idle."""
    with new_host() as host:
        host.mount_nas()
        host.start()
        host.serves()
        yield host


@pytest.fixture
def host(new_host: NewHost) -> Iterator[ScanHost]:
    """A scan host for one test: scand is installed and was never started."""
    with new_host() as host:
        yield host
