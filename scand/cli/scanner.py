"""`scand devices` and `scand probe`: a feeder of their own asks libsane; needs neither database nor NAS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from scand import wire
from scand.cli.params import profile_option, set_option
from scand.cli.submit import asked
from scand.cli.tables import table
from scand.cli.terminal import console, echo_json, json_option, visible
from scand.config import Config
from scand.jobs.settings import resolve
from scand.wire.ask import ask_feeder

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


@click.command()
@json_option
def devices(*, as_json: bool) -> None:
    """The scanners that SANE finds; scanner.device in the config may be a NAME or a pattern for one."""
    found = ask_feeder(wire.ListDevices(), wire.Devices).devices
    if as_json:
        echo_json([device.model_dump() for device in found])
        return
    out = console()
    if not found:
        out.print("SANE finds no scanner: is it on, plugged in, and its backend named in dll.conf?")
        return
    made = table("name", "vendor", "model", "type")
    for device in found:
        made.add_row(*(visible(text) for text in (device.name, device.vendor, device.model, device.type)))
    out.print(made)


@click.command()
@click.option("--device", help="A SANE name or a pattern.  [default: scanner.device of the config]")
@profile_option
@set_option
@json_option
@click.pass_obj
def probe(config: Path | None, /, device: str | None, *, as_json: bool, **wishes: Any) -> None:
    """Which SANE options a profile becomes on a device, in the order in which they are set.

    No paper moves. What the device cannot do is refused with what it offers instead, as a job's settings
    would be.
    """
    # A URL that is not used, so that a config without [database], or none at all, will do.
    settings = Config.load(config, {"SCAND_DATABASE_URL": "embedded", **os.environ}, need="client")
    task = wire.Probe(
        device=settings.scanner.device if device is None else device,
        settings=resolve(asked(**wishes), settings.presets),
    )
    probed = ask_feeder(task, wire.Probed, settings.scanner.page_timeout)
    if as_json:
        echo_json(probed.model_dump(mode="json", exclude={"say"}))
    else:
        _print_probed(console(), probed)


def _print_probed(out: Console, probed: wire.Probed) -> None:
    out.print(Text(visible(probed.device), "bold"))
    out.print()
    made = table("option", "asked", "set to")
    for name, wanted, got in probed.assignments:
        differs = got is not None and got != wanted
        made.add_row(visible(name), _value(wanted), Text(_value(got), "yellow" if differs else ""))
    out.print(made if probed.assignments else "every option is as it must be already")
    out.print()
    width, height = probed.page_size_mm
    size = f"{width:g} \N{MULTIPLICATION SIGN} {height:g} mm"
    facts = [probed.source, probed.sides, probed.mode, f"{probed.resolution:g} dpi", size]
    out.print(" · ".join(visible(fact) for fact in facts if fact))
    for warning in probed.warnings:
        out.print(Text(visible(warning), "yellow"))


def _value(value: object) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else visible(str(value))
