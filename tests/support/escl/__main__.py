"""Serves eSCL (Mopria's "eSCL Technical Specification") until killed, as an MFP with a feeder does."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from scand.simulator.area import Area
from scand.simulator.sheets import DrawnSheets
from tests.support.escl.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scand.simulator.side import Side

_NAMESPACES = (
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" '
    'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
)
_MODES = {"RGB24": "Color", "Grayscale8": "Gray"}
_INPUT = f"""
<scan:MinWidth>300</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth>
<scan:MinHeight>300</scan:MinHeight><scan:MaxHeight>4200</scan:MaxHeight>
<scan:SettingProfiles><scan:SettingProfile>
 <scan:ColorModes>{"".join(f"<scan:ColorMode>{mode}</scan:ColorMode>" for mode in _MODES)}</scan:ColorModes>
 <scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:DocumentFormats>
 <scan:SupportedResolutions><scan:DiscreteResolutions>{
    "".join(
        "<scan:DiscreteResolution>"
        f"<scan:XResolution>{dpi}</scan:XResolution><scan:YResolution>{dpi}</scan:YResolution>"
        "</scan:DiscreteResolution>"
        for dpi in (75, 150, 300)
    )
}</scan:DiscreteResolutions></scan:SupportedResolutions>
</scan:SettingProfile></scan:SettingProfiles>"""
_CAPABILITIES = f"""<scan:ScannerCapabilities {_NAMESPACES}>
<pwg:Version>2.63</pwg:Version><pwg:MakeAndModel>Loopback MFP 9000</pwg:MakeAndModel>
<scan:Platen><scan:PlatenInputCaps>{_INPUT}</scan:PlatenInputCaps></scan:Platen>
<scan:Adf><scan:AdfSimplexInputCaps>{_INPUT}</scan:AdfSimplexInputCaps>
<scan:AdfDuplexInputCaps>{_INPUT}</scan:AdfDuplexInputCaps><scan:Justification>
<pwg:XImagePosition>%s</pwg:XImagePosition><pwg:YImagePosition>Top</pwg:YImagePosition>
</scan:Justification></scan:Adf></scan:ScannerCapabilities>"""
_SHEET_LEFT = {"Left": 0, "Center": 35, "Right": 70}
"""Where an A4 sheet begins in the feeder, by XImagePosition, in 1/300 inch from the left."""


@dataclass
class Mfp:
    """A scanner and its current job.

    Attributes:
        stack: in its feeder.
        justified: where a sheet that is narrower than the feeder lies, an XImagePosition.
        turned_backs: back sides are delivered upside down, as by MFPs that turn the sheet over to read it.
        gone_at: the number of the side in whose transmission it loses power; 0: never.
        log: gets a line of JSON for each side that was delivered completely.
        jobs: how many there were so far.
        area: of the current job.
        sides: of the current job, that are not delivered yet.
        sheets: what is on the paper.
    """

    stack: Stack
    justified: str
    turned_backs: bool
    gone_at: int
    log: Path
    jobs: int = 0
    area: Area | None = None
    sides: Iterator[Side] = field(default_factory=lambda: iter(()))
    sheets: DrawnSheets = field(default_factory=lambda: DrawnSheets(1, "a4"))

    def status(self) -> str:
        """The ScannerStatus document."""
        return (
            f"<scan:ScannerStatus {_NAMESPACES}><pwg:State>Idle</pwg:State>"
            f"<scan:AdfState>{self.stack.state}</scan:AdfState></scan:ScannerStatus>"
        )

    def start(self, settings: str) -> bool:
        """Begin a job with these ScanSettings; False: the feeder is empty or jammed."""
        if self.stack.state != "ScannerAdfLoaded":
            return False

        def value(name: str) -> str:
            found = re.search(rf"<(?:scan|pwg):{name}>([^<]*)<", settings)
            assert found, f"{name} is not in {settings}"
            return found[1]

        dpi = int(value("XResolution"))
        left, *region = (int(value(name)) for name in ("XOffset", "YOffset", "Width", "Height"))
        if value("InputSource") == "Feeder":
            left -= _SHEET_LEFT[self.justified]
        self.area = Area(_MODES[value("ColorMode")], dpi, *(edge * dpi // 300 for edge in (left, *region)))
        self.sides = self.stack.sides(duplex=value("Duplex") == "true")
        self.jobs += 1
        return True

    def cancel(self) -> None:
        """End the job; sheets that were not pulled stay in the feeder."""
        self.sides = iter(())

    def document(self, side: Side) -> bytes:
        """A side as JPEG."""
        assert self.area
        mode = "RGB" if self.area.mode == "Color" else "L"
        raster = b"".join(self.sheets.raster(side, self.area))
        image = Image.frombytes(mode, (self.area.width, self.area.height), raster)
        if self.turned_backs and side.name == "back":
            image = image.transpose(Image.Transpose.ROTATE_180)
        image.save(file := io.BytesIO(), "JPEG", quality=85)
        return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """One connection of an eSCL client."""

    protocol_version = "HTTP/1.1"

    def __init__(self, mfp: Mfp, *arguments: object) -> None:
        self._mfp = mfp
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer with the capabilities, the status, or the next side."""
        match self.path.removeprefix("/eSCL/").split("/"):
            case ["ScannerCapabilities"]:
                self._answer(200, (_CAPABILITIES % self._mfp.justified).encode())
            case ["ScannerStatus"]:
                self._answer(200, self._mfp.status().encode())
            case ["ScanJobs", _, "NextDocument"]:
                self._next_document()
            case _:
                self._answer(404)

    def do_POST(self) -> None:
        """Begin a job; 409 if the feeder is empty or jammed."""
        settings = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._mfp.start(settings):
            self._answer(201, location=f"/eSCL/ScanJobs/{self._mfp.jobs}")
        else:
            self._answer(409)

    def do_DELETE(self) -> None:
        """End the job."""
        self._mfp.cancel()
        self._answer(200)

    def _next_document(self) -> None:
        mfp = self._mfp
        if (side := next(mfp.sides, None)) is None:
            self._answer(404)
            return
        jpeg = mfp.document(side)
        if side.number == mfp.gone_at:
            self._answer(200, jpeg, whole=False)
            os._exit(1)
        self._answer(200, jpeg, "image/jpeg")
        with mfp.log.open("a") as log:
            log.write(json.dumps({"number": side.number}) + "\n")

    def _answer(
        self,
        status: int,
        body: bytes = b"",
        kind: str = "text/xml",
        *,
        location: str = "",
        whole: bool = True,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body if whole else body[: len(body) // 2])

    def log_message(self, *_arguments: object) -> None:
        """Keep stderr silent."""


def main() -> None:
    """Serve at an address and port, with a stack of sheets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("log", type=Path)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--jam", type=int, default=0)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--gone-at", type=int, default=0)
    parser.add_argument("--justified", choices=list(_SHEET_LEFT), default="Left")
    parser.add_argument("--turned-backs", action="store_true")
    asked = parser.parse_args()
    stack = Stack(asked.first, asked.count, 0 if asked.empty else asked.count, asked.jam, asked.slow)
    signal.signal(signal.SIGHUP, lambda *_: stack.reload())
    mfp = Mfp(stack, asked.justified, asked.turned_backs, asked.gone_at, asked.log)
    server = ThreadingHTTPServer((asked.address, asked.port), partial(Handler, mfp))
    print("listening", flush=True)  # noqa: T201 - for the process that started it
    server.serve_forever()


if __name__ == "__main__":
    main()
