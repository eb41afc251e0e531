"""A client's control connection: remote procedure calls come in, replies go out.

Source: SANE Standard, "Network Protocol", remote procedure calls; saned.c where the standard leaves things open.
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

_HANDLE = 1  # a client opens the device once at most, so one handle is enough


class Session:
    """One client, from connecting to disconnecting.

    Attributes:
        control: its control connection.
        closed: whether the connection is closed.
        transfer: the image that is being sent; None: there is none.
    """

    def __init__(self, control: socket.socket, scanner: Scanner, pace: Pace) -> None:
        self.control = control
        self.closed = False
        self.transfer: Transfer | None = None
        self._scanner = scanner
        self._pace = pace
        self._options: Options | None = None
        self._received = bytearray()

    def receive(self) -> None:
        """Read from the control connection and answer the complete requests."""
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
        """Continue the transfer: accept the client's data connection, or send more of the image."""
        transfer = self.transfer
        if transfer is None:
            return
        try:
            if not transfer.connected:
                transfer.accept()
                return
            finished = transfer.send(time.monotonic())
        except OSError:  # the client has disconnected, and its control connection will show that, too
            self._cancel()
            return
        if finished:
            self._scanner.finished(transfer.scan)
            if isinstance(transfer.scan.ending, Ending):
                self.close(reset=transfer.scan.ending is Ending.RESET)
            else:
                self._drop_transfer()

    def close(self, *, reset: bool = False) -> None:
        """Disconnect and close the device; with `reset` by a TCP reset."""
        self._drop_transfer(reset=reset)
        self._close_device()
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

    def _close_device(self) -> None:
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
        except NoReplyError as error:
            if error.ending is not Ending.HANG:
                self.close(reset=error.ending is Ending.RESET)

    def _reply(self, request: Request) -> bytes:
        reply = xdr.word(0)  # an empty acknowledgement
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
                self._close_device()
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
                value = self._open_options().get(control.option)
            elif control.action is Action.SET_VALUE:
                value, info = self._settable_options().set(control.option, control.value)
            else:
                info = self._settable_options().set_auto(control.option)
        except StatusError as error:
            return xdr.control_reply(error.status, Info.NONE, control, control.value)
        return xdr.control_reply(Status.GOOD, info, control, value)

    def _get_parameters(self) -> bytes:
        try:
            parameters = (
                self.transfer.scan.parameters
                if self.transfer
                else request.area(self._open_options()).parameters
            )
        except StatusError as error:
            return xdr.parameters_reply(error.status, Parameters(Frame.GRAY, 0, 0, 0, 0))
        return xdr.parameters_reply(Status.GOOD, parameters)

    def _start(self) -> bytes:
        try:
            scan = self._scanner.start(self._settable_options())
        except StatusError as error:
            return xdr.start_reply(error.status, 0)
        address = self.control.getsockname()[0]
        period = max(self._pace.period, scan.period)
        self.transfer = Transfer(scan, address, self._pace.begin(time.monotonic()), period)
        return xdr.start_reply(Status.GOOD, self.transfer.port)

    def _open_options(self) -> Options:
        if self._options is None:
            raise StatusError(Status.INVAL)
        return self._options

    def _settable_options(self) -> Options:
        if self.transfer:
            raise StatusError(Status.DEVICE_BUSY)
        return self._open_options()
