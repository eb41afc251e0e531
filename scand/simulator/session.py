"""A client's control connection: remote procedure calls in, replies out.

Source: SANE Standard, "Network Protocol", remote procedure calls; saned.c for what it leaves open.
"""

import socket
import time

from scand.simulator import request, xdr
from scand.simulator.device import Scanner
from scand.simulator.faults import Ending, NoReplyError
from scand.simulator.options import Options
from scand.simulator.standard import Action, Frame, Info, Parameters, Status, StatusError
from scand.simulator.transfer import Pace, Transfer, hang_up
from scand.simulator.xdr import Control, Procedure, Request

_HANDLE = 1  # a client holds the device once or not at all


class Session:
    """One client, from its connection until it leaves; `closed` when it has."""

    def __init__(self, control: socket.socket, scanner: Scanner, pace: Pace) -> None:
        self.control = control
        self.closed = False
        self.transfer: Transfer | None = None
        self._scanner = scanner
        self._pace = pace
        self._options: Options | None = None
        self._received = bytearray()

    def receive(self) -> None:
        """Read from the control connection, and answer the requests that are complete."""
        try:
            data = self.control.recv(1 << 16)
            self._received += data
            while data and not self.closed:
                request, length = xdr.decode_request(self._received)
                del self._received[:length]
                self._answer(request)
        except xdr.IncompleteError:
            return
        except (OSError, xdr.ProtocolError):
            data = b""
        if not data:
            self.close()

    def feed(self) -> None:
        """Move the image under way: accept the client's data connection, or send more of it."""
        transfer = self.transfer
        if transfer is None:
            return
        try:
            if not transfer.connected:
                transfer.accept()
                return
            sent = transfer.send(time.monotonic())
        except OSError:  # the client has left; its control connection will say so too
            self._cancel()
            return
        if sent:
            self._scanner.sent(transfer.scan)
            if isinstance(transfer.scan.ending, Ending):
                self.close(reset=transfer.scan.ending is Ending.RESET)
            else:
                self._drop_transfer()

    def close(self, *, reset: bool = False) -> None:
        """Hang up, and let go of the device."""
        self._drop_transfer(reset=reset)
        self._let_go()
        hang_up(self.control, reset=reset)
        self.closed = True

    def _drop_transfer(self, *, reset: bool = False) -> None:
        if self.transfer:
            hang_up(self.transfer.socket, reset=reset)
            self.transfer = None

    def _cancel(self) -> None:
        if self._options:
            self._drop_transfer()
            self._scanner.cancel()

    def _let_go(self) -> None:
        if self._options:
            self._cancel()
            self._options = None
            self._scanner.close()

    def _answer(self, request: Request) -> None:
        if request.procedure is Procedure.EXIT:  # the one call without a reply
            self.close()
            return
        try:
            self.control.sendall(self._reply(request))
        except NoReplyError as silence:
            if silence.ending is not Ending.HANG:
                self.close(reset=silence.ending is Ending.RESET)

    def _reply(self, request: Request) -> bytes:
        reply = xdr.word(0)  # an acknowledgement that says nothing
        match request.procedure:
            case Procedure.INIT:
                reply = xdr.init_reply()
            case Procedure.GET_DEVICES:
                reply = xdr.devices_reply([self._scanner.device])
            case Procedure.OPEN:
                reply = self._open(request.name)
            case Procedure.GET_OPTION_DESCRIPTORS:
                reply = xdr.options_reply(self._options.descriptors() if self._options else ())
            case Procedure.CONTROL_OPTION if request.control:
                reply = self._control_option(request.control)
            case Procedure.GET_PARAMETERS:
                reply = self._get_parameters()
            case Procedure.START:
                reply = self._start()
            case Procedure.CANCEL:
                self._cancel()
            case Procedure.CLOSE:
                self._let_go()
        return reply

    def _open(self, name: str) -> bytes:
        try:
            self._options = self._scanner.open(name)
        except StatusError as error:
            return xdr.open_reply(error.status, 0)
        return xdr.open_reply(Status.GOOD, _HANDLE)

    def _control_option(self, control: Control) -> bytes:
        value, info = control.value, Info.NONE
        try:
            if control.action is Action.GET_VALUE:
                value = self._held().get(control.option)
            elif control.action is Action.SET_VALUE:
                value, info = self._idle().set(control.option, control.value)
            else:
                info = self._idle().set_auto(control.option)
        except StatusError as error:
            return xdr.control_reply(error.status, Info.NONE, control, control.value)
        return xdr.control_reply(Status.GOOD, info, control, value)

    def _get_parameters(self) -> bytes:
        try:
            parameters = (
                self.transfer.scan.parameters if self.transfer else request.area(self._held()).parameters
            )
        except StatusError as error:
            return xdr.parameters_reply(error.status, Parameters(Frame.GRAY, 0, 0, 0, 0))
        return xdr.parameters_reply(Status.GOOD, parameters)

    def _start(self) -> bytes:
        try:
            scan = self._scanner.start(self._idle())
        except StatusError as error:
            return xdr.start_reply(error.status, 0)
        address = self.control.getsockname()[0]
        period = max(self._pace.period, scan.period)
        self.transfer = Transfer(scan, address, self._pace.begin(time.monotonic()), period)
        return xdr.start_reply(Status.GOOD, self.transfer.port)

    def _held(self) -> Options:
        if self._options is None:
            raise StatusError(Status.INVAL)
        return self._options

    def _idle(self) -> Options:
        if self.transfer:
            raise StatusError(Status.DEVICE_BUSY)
        return self._held()
