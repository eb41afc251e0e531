"""Other scanners than the simulator: Debian's saned with libsane's test backend, and that backend itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from tests.support.site import Site, own_address, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEN_PAGES = {"sides": "simplex", "scan": "auto", "finish": "preview", "page_size": "100x150mm"}


@pytest.fixture
def saned(tmp_path: Path) -> Iterator[Path]:
    """A real saned on a loopback address of its own; gives the SANE_CONFIG_DIR that finds it."""
    address = own_address()
    server, client = tmp_path / "saned", tmp_path / "client"
    for directory in (server, client):
        directory.mkdir()
    (server / "dll.conf").write_text("test\n")
    (server / "saned.conf").write_text(f"{address}\n127.0.0.1\n")
    (server / "test.conf").write_text("number_of_devices 1\n")
    (client / "dll.conf").write_text("net\n")
    (client / "net.conf").write_text(f"{address}\n")
    program = shutil.which("saned", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "saned is in Debian's sane-utils"
    process = subprocess.Popen(
        [program, "-l", "-b", address, "-e"],
        env=os.environ | {"SANE_CONFIG_DIR": str(server)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((address, 6566)) == 0:
                break
        time.sleep(0.05)
    yield client
    process.kill()
    process.wait()


def ten_pages(site: Site, **settings: Any) -> int:
    """Scan the ten sheets of the test backend's feeder, and check that they have the size that was asked for."""
    site.serving()
    job = site.submit(**TEN_PAGES, **settings)
    row = site.wait(job, "preview")
    assert row["page_count"] == 10
    assert [b["page_count"] for b in site.batches(job)] == [10]
    with pikepdf.open(site.nas / row["nas_staging_path"]) as pdf:
        for page in pdf.pages:
            _, _, width, height = map(float, page.mediabox)
            assert abs(width - 100 / 25.4 * 72) < 1.5
            assert abs(height - 150 / 25.4 * 72) < 1.5
    return job


def test_ten_pages_from_a_real_saned(tmp_path: Path, migrated_url: str, saned: Path) -> None:
    """Ten pages arrive through the real network daemon and the real net backend."""
    with closing(Site(tmp_path, migrated_url, saned)) as site:
        ten_pages(site)


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A SANE_CONFIG_DIR that finds libsane's test backend, without a network."""
    config = tmp_path / "sane"
    config.mkdir()
    (config / "dll.conf").write_text("test\n")
    (config / "test.conf").write_text("number_of_devices 1\n")
    return config


def test_ten_pages_from_the_test_backend_itself(tmp_path: Path, migrated_url: str, backend: Path) -> None:
    """Ten pages arrive from the test backend without a network."""
    with closing(Site(tmp_path, migrated_url, backend, device="test:0")) as site:
        ten_pages(site)


def test_what_the_test_backend_makes_difficult_through_the_daemon(
    tmp_path: Path, migrated_url: str, backend: Path
) -> None:
    """Difficult options scan correctly or are refused; tests/integration/feeder/test_device.py has all of them."""
    difficult = {"read-limit": True, "read-limit-size": 100, "fuzzy-parameters": True, "non-blocking": True}
    with closing(Site(tmp_path, migrated_url, backend, device="frontend-tester")) as site:
        site.step(ten_pages(site, options=difficult), "canceled")
        job = site.submit(**TEN_PAGES, options={"three-pass": True}, mode="color")
        row = site.wait(job, "failed")
        assert row["error_code"] == "unsupported_settings"
        assert "several passes" in row["error"]
        job = site.submit(**TEN_PAGES, options={"read-return-value": "SANE_STATUS_JAMMED"})
        until(lambda: site.job(job)["error_code"], "the jam")
        assert (site.job(job)["status"], site.job(job)["error_code"]) == ("ready", "feeder_jammed")
        assert site.batches(job) == []
