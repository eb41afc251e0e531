"""`scand simulate`: puts the simulator together from its command-line options and runs it."""

import errno
import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from scand.simulator.area import PAGE_SIZES
from scand.simulator.device import Scanner
from scand.simulator.facts import DEFAULT, read_facts
from scand.simulator.faults import Fault, Faults, parse_fault
from scand.simulator.feeder import Feeder
from scand.simulator.operator import Operator
from scand.simulator.server import Server
from scand.simulator.sheets import DrawnSheets, ImageSheets
from scand.simulator.standard import Device
from scand.simulator.transfer import Pace

PORT = 6566
"""The port of SANE's network protocol, and the only one that libsane's net backend uses."""


@dataclass(frozen=True)
class SimulatorOptions:
    """What to simulate.

    Attributes:
        listen: IP address.
        port: TCP port.
        sheets: a directory of images, instead of drawn sheets.
        count: drawn sheets in a stack.
        blank_backs: draw nothing on the backs.
        source: what a client scans from unless it sets another; None: the device's own default.
        page_size: a key of `PAGE_SIZES`.
        ppm: images per minute; None: as fast as possible.
        facts_file: describes devices to pose as (see `facts`).
        name: the device in `facts_file`; without such a file, the SANE name of the simulator's own device.
        vendor: for the device list, like `model`; None: the device's own.
        faults: those that will occur.
        reload: the control file (see `Operator`).
        log: gets a line of JSON for each side that was delivered: number, sheet, side, and time in seconds since
            the epoch.
        net_config: a directory that becomes a SANE_CONFIG_DIR for clients.
    """

    listen: str = "127.0.0.42"
    port: int = PORT
    sheets: Path | None = None
    count: int = 10
    blank_backs: bool = False
    source: str | None = None
    page_size: str = "a4"
    ppm: float | None = None
    facts_file: Path | None = None
    name: str | None = None
    vendor: str | None = None
    model: str | None = None
    faults: tuple[Fault, ...] = ()
    reload: Path | None = None
    log: Path | None = None
    net_config: Path | None = None


def serve(options: SimulatorOptions) -> None:
    """Be the scanner until SIGTERM or SIGINT, in a process of its own; prints a line as soon as it listens.

    Raises:
        OSError: it cannot listen, read or write where it should.
        ValueError: `sheets` has no usable images, or `facts_file` has no such device.
    """
    sheets = (
        ImageSheets(options.sheets, options.page_size)
        if options.sheets
        else DrawnSheets(options.count, options.page_size, blank_backs=options.blank_backs)
    )
    facts = read_facts(options.facts_file, options.name) if options.facts_file else read_facts(DEFAULT)
    facts = facts.starting_from(options.source) if options.source else facts
    name = facts.device if options.facts_file else options.name or facts.device
    vendor, model = options.vendor or facts.vendor, options.model or facts.model
    device = Device(name, vendor, model, "virtual device")
    pace = Pace(60 / options.ppm if options.ppm else 0.0)
    with options.log.open("a", encoding="utf-8") if options.log else nullcontext() as log:
        faults = Faults(options.faults)
        operator = Operator(Feeder(sheets.stack_size), faults, options.reload)
        scanner = Scanner(device, sheets, faults, facts.options, operator, log)
        server = Server(scanner, (options.listen, options.port), pace)
        if options.net_config:
            write_net_config(options.net_config, options.listen)
        click.echo(f"listening on {options.listen}:{options.port} as net:{options.listen}:{name}")
        server.run()


def write_net_config(directory: Path, address: str) -> None:
    """Make `directory` a SANE_CONFIG_DIR with which libsane finds the scanners at `address` and no others."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "dll.conf").write_text("net\n", "utf-8")
    (directory / "net.conf").write_text(f"{address}\n", "utf-8")


class _Unavailable(click.ClickException):
    exit_code = os.EX_UNAVAILABLE


class _FaultType(click.ParamType[Fault]):
    name = "SPEC"

    def convert(self, value: str | Fault, param: click.Parameter | None, ctx: click.Context | None) -> Fault:
        if isinstance(value, Fault):
            return value
        try:
            return parse_fault(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)


@click.command()
@click.option(
    "--listen", default=SimulatorOptions.listen, show_default=True, help="Loopback address to listen on."
)
@click.option("--port", default=PORT, show_default=True, help="libsane's net backend knows no other.")
@click.option(
    "--sheets", type=_DIRECTORY, help="Scan this directory's images: front, back, front, back … by name."
)
@click.option("--count", type=click.IntRange(0), help="Drawn sheets in a stack.  [default: 10]")
@click.option("--blank-backs", is_flag=True, help="Draw nothing on the backs.")
@click.option(
    "--as",
    "facts_file",
    type=_FILE,
    help="Pose as a device that this file describes: the one called --name (below).",
)
@click.option("--source", help="What a client scans from unless it sets another.  [default: ADF Front]")
@click.option(
    "--page-size",
    type=click.Choice(list(PAGE_SIZES)),
    default="a4",
    show_default=True,
    help="Of the sheets in the feeder.",
)
@click.option(
    "--ppm",
    type=click.FloatRange(0, min_open=True),
    help="Images per minute.  [default: as fast as possible]",
)
@click.option("--name", help="The device's SANE name; with --as, its name in the file.  [default: sim]")
@click.option("--vendor", help="[default: scand]")
@click.option("--model", help="[default: simulated scanner]")
@click.option(
    "--fault", "faults", type=_FaultType(), multiple=True, help="What goes wrong: jam@3, io@2:back … (below)"
)
@click.option(
    "--reload", type=_PATH, help="Control file: reloads the feeder when it appears, as SIGHUP does (below)."
)
@click.option("--log", type=_PATH, help="Append a line of JSON for each side that was delivered.")
@click.option(
    "--net-config", type=_PATH, help="Write a SANE_CONFIG_DIR with which libsane finds the simulator."
)
def simulate(count: int | None, **options: Any) -> None:
    """Be a virtual scanner on the SANE network protocol, until stopped (SIGTERM, Ctrl-C).

    Any SANE program can scan from it, through libsane's own net backend:

    \b
        scand simulate --net-config /tmp/sim &
        SANE_CONFIG_DIR=/tmp/sim scanimage -L

    SIGHUP reloads the feeder: sheets that were not scanned completely go in again first; if none are left, a new
    stack goes in, whose numbers continue. The file of --reload does the same when it appears (write it elsewhere
    and rename it). It is removed once it was read, and may have commands, one a line: "12" (put 12 new sheets
    below what is left), "from 7" (load again from sheet 7 on), "empty" (take all sheets out) or "fault jam@7"
    (make that fault occur).

    --as takes a JSON list of devices, {"name", "device", "options"}, as their drivers describe them: the simulator
    then has that SANE name and those options, with the driver's own ranges, steps and words.

    \b
        scand simulate --as scanners.json --name "Fujitsu fi-7260" --net-config /tmp/sim &
        SANE_CONFIG_DIR=/tmp/sim scand probe

    Faults, by the sheet at which they occur (or one side of it: jam@3:back); each occurs once:

    \b
        jam@3, cover@3   refused from start, until the feeder is reloaded
        double@3, io@3   jammed, or an I/O error, in the middle of a page
        empty-read@3     start succeeds, then the feeder is empty
        truncate@3       the page ends after half of its lines
        slow@3           the page takes 5 s, with data coming all the time
        hang@3           the page stops coming; hang-first@3: before its first byte
        hang-start@3     start is never answered; gone@3: the connection is reset instead
        cut@3, close@3   the connections are reset, or closed, in the middle of a page
        busy@2, denied   device busy at the next 2 opens; access denied at each
        endless          the feeder is never empty; endless@9: for 9 more sheets
    """  # noqa: D301 - click needs a real backspace (\\b) to leave these lines as they are
    if options["sheets"] and (count is not None or options["blank_backs"]):
        raise click.UsageError("--sheets brings its own sheets: leave out --count and --blank-backs")
    if options["net_config"] and options["port"] != PORT:
        raise click.UsageError(f"--net-config needs port {PORT}: the net backend knows no other")
    chosen = SimulatorOptions(**options, count=SimulatorOptions.count if count is None else count)
    try:
        serve(chosen)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        reason = "another program listens there" if error.errno == errno.EADDRINUSE else error.strerror
        place = error.filename or f"{chosen.listen}:{chosen.port}"
        raise _Unavailable(f"cannot use {place}: {reason}") from error
