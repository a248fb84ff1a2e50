"""A subscriber of a real event socket, with a deadline."""

import json
import socket

from detector.wire.address import UnixAddress, parse_address
from detector.wire.message import HelloBody
from tests.support.fakes import LONG
from tests.support.wire_messages import make_message


def hello():
    return HelloBody(version="0", model="yamnet", labels=("Dog",), source="Mic", run_id="run")


class Client:
    """A subscriber with a deadline."""

    def __init__(self, sink, request=None, receive_buffer=None):
        address = parse_address(sink.uri)
        unix = isinstance(address, UnixAddress)
        self.socket = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        self.socket.settimeout(LONG)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address.path if unix else (address.host, address.port))
        self.lines = self.socket.makefile("rb")
        if request is not None:
            self.send(request)
        self.hello = self.read()

    def send(self, request):
        self.socket.sendall(request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n")

    def read(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def seqs(self, count):
        return [self.read()["seq"] for _ in range(count)]

    def rest(self):
        return list(iter(self.read, None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()


def write(sink, *numbers, **changes):
    for seq in numbers:
        sink.write(make_message(seq, **changes))
