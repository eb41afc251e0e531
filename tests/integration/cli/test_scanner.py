"""`scand devices` and `scand probe`, on SANE's test backend."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.shell import NOBODY_LISTENS

if TYPE_CHECKING:
    from tests.shell import Shell


def test_devices_are_listed(host: Shell) -> None:
    """As libsane names them; none is an empty list and a hint, not a failure."""
    assert {
        "name": "test:0",
        "vendor": "Noname",
        "model": "frontend-tester",
        "type": "virtual device",
    } in host.json("devices")
    assert "test:0" in host.run("devices")[0]
    (host.home / "dll.conf").write_text("")
    assert host.json("devices") == []
    assert "dll.conf" in host.run("devices")[0]


def test_probe_says_what_a_profile_becomes(host: Shell) -> None:
    """Without a database; the options in order, as asked and as read back."""
    host.url = NOBODY_LISTENS
    probed = host.json("probe")
    assert list(probed) == [
        "device", "assignments", "sides", "source", "mode", "resolution", "page_size_mm", "warnings",
    ]  # fmt: skip
    assert (probed["device"], probed["sides"], probed["mode"]) == ("test:0", "simplex", "Gray")
    assert probed["source"] == "Automatic Document Feeder"
    assert ["source", "Automatic Document Feeder", "Automatic Document Feeder"] in probed["assignments"]
    assert "Automatic Document Feeder" in host.run("probe", "--set", "resolution=200")[0]


def test_probe_needs_no_config(shell: Shell) -> None:
    """A device and the defaults will do."""
    (shell.home / "dll.conf").write_text("test\n")
    shell.url = ""
    asked = ("probe", "--device", "test:0", "--set", "sides=simplex", "--set", "page_size=max")
    assert shell.json(*asked)["device"] == "test:0"


def test_probe_refuses_as_a_job_would_be(host: Shell) -> None:
    """What nobody can do, what this device cannot do, and a device that is not there."""
    assert host.json("probe", "--set", "sides=both", status=os.EX_DATAERR)["error_code"] == "bad_settings"
    refusal = host.json("probe", "--set", "sides=duplex", status=os.EX_DATAERR)
    assert refusal["error_code"] == "unsupported_settings"
    assert "source" in refusal["offers"]
    refusal = host.json("probe", "--device", "nothing:1", status=os.EX_UNAVAILABLE)
    assert refusal["error_code"] == "device_not_found"
