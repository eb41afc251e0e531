"""`scand probe` on every scanner of the facts file: simulated, and read through libsane's net backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.devices.outcomes import OUTCOMES
from tests.support.devices.scanners import FACTS, FILE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import MakeSimulator

SETTINGS = (
    {"sides": "duplex", "mode": "color", "resolution": 300, "page_size": "a4"},
    {"sides": "simplex", "mode": "gray", "resolution": 200, "page_size": "a4"},
)
A4 = (210.0, 297.0)


def probe(directory: Path, sane_config: Path, settings: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Run `scand probe --json`, and return its exit status and its answer."""
    config = directory / "scand.toml"
    config.touch()
    sets = [f"--set={key}={value}" for key, value in settings.items()]
    done = subprocess.run(
        [sys.executable, "-m", "scand.cli", "--config", str(config), "probe", "--json", *sets],
        env=os.environ | {"SANE_CONFIG_DIR": str(sane_config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_described_device_is_set_as_in_the_table(
    simulate: MakeSimulator, tmp_path: Path, name: str
) -> None:
    """The assignments and what the driver made of them are as in the table, or else the refusal is."""
    simulator = simulate("--as", str(FILE), "--name", name)
    for settings, outcome in zip(SETTINGS, OUTCOMES[name], strict=True):
        status, answer = probe(tmp_path, simulator.config, settings)
        if isinstance(outcome, str):
            assert status == os.EX_DATAERR
            assert answer["error"].startswith(outcome)
            assert answer["error_code"] == "unsupported_settings"
            assert answer.get("offers", {}) == offers(name)
            continue
        assert status == os.EX_OK, answer
        assert answer["device"].startswith(f"net:{simulator.address}:")
        assert [(option, rounded(asked)) for option, asked, _ in answer["assignments"]] == outcome
        for option, asked, got in answer["assignments"]:
            assert got == pytest.approx(asked, abs=tolerance(name, option)) if numeric(got) else got == asked
        assert answer["sides"] == settings["sides"]
        told = [warning for warning in answer["warnings"] if warning.startswith("page_size: asked a4")]
        assert told or answer["page_size_mm"] == pytest.approx(A4, abs=0.5)


def offers(name: str) -> dict[str, Any]:
    """What a refusal should offer: the choices of these options, as the driver describes them."""
    telling = {"source", "mode", "resolution", "x-resolution", "depth", "duplex", "adf-mode"}
    return {
        fact["name"]: fact.get("list") or fact.get("range") or [False, True]
        for fact in FACTS[name]["options"]
        if fact["name"] in telling
    }


def numeric(value: object) -> bool:
    """Whether a value is a number, which drivers may round."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def rounded(value: Any) -> Any:
    """A length, rounded to a hundredth of a millimetre."""
    return round(value, 2) if isinstance(value, float) else value


def tolerance(name: str, option: str) -> float:
    """Half of the driver's step, and the resolution of SANE_Fixed."""
    (fact,) = (fact for fact in FACTS[name]["options"] if fact["name"] == option)
    return float(fact["range"][2] / 2 if "range" in fact else 0) + 0.01
