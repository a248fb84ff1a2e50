"""A web server on loopback that answers as a test tells it: with a status, slowly, never, or by closing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], None]


@dataclass
class WebServer:
    """Answers each connection with the next of its answers, the last one again and again."""

    answers: list[Answer]
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """First line, headers in small letters, body."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    def serve(self, listening: socket.socket, ended: threading.Event, tls: ssl.SSLContext | None) -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            try:
                connection = connection if tls is None else tls.wrap_socket(connection, server_side=True)
            except OSError:  # whoever asked does not trust the certificate
                connection.close()
                continue
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            with connection:
                connection.settimeout(10)
                self.requests.append(read_request(connection))
                try:
                    answer(connection)
                except OSError:
                    continue


def read_request(connection: socket.socket) -> tuple[str, dict[str, str], bytes]:
    with connection.makefile("rb") as file:
        first = file.readline().decode().strip()
        headers = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return first, headers, file.read(int(headers.get("content-length", 0)))


def status(code: int, *headers: str) -> Answer:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {code} X", *headers, "Content-Length: 0", ""))
    return lambda connection: connection.sendall(head.encode())


def closing(connection: socket.socket) -> None:
    """Close without a word."""


def hanging(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    connection.recv(1)


def dripping(connection: socket.socket) -> None:
    """Send a byte of endless headers now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    ended = threading.Event()
    while not ended.wait(0.02):
        connection.sendall(b"x")


def babbling(connection: socket.socket) -> None:
    """Answer with something that is no HTTP."""
    connection.sendall(b"220 mail.example ESMTP\r\n")


@contextmanager
def web_server(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Run one until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = WebServer([*answers], port=listening.getsockname()[1])
        ended = threading.Event()
        thread = threading.Thread(target=server.serve, args=(listening, ended, tls), daemon=True)
        thread.start()
        yield server
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
