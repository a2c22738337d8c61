"""A proxy between an S3 client and an S3 server that breaks chosen requests the way networks and servers do."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.served import Served

_ANSWERS = {
    "SlowDown": (503, "SlowDown"),
    "InternalError": (500, "InternalError"),
    "ConditionalRequestConflict": (409, "ConditionalRequestConflict"),
    "AccessDenied": (403, "AccessDenied"),
    "ExpiredToken": (400, "ExpiredToken"),
    "NotImplemented": (501, "NotImplemented"),
    "PreconditionFailed": (412, "PreconditionFailed"),
}


class Proxy(Served, ThreadingHTTPServer):
    """Forwards to ``target``. ``faults`` maps a method to what befalls its next requests in turn; None lets one pass.

    A fault is the name of an error to answer with, or: ``gone`` (no server answers), ``lost`` (done by the server, the
    answer never arrives), ``cut`` (the body ends early), ``corrupt`` (a byte of the body changes).
    """

    dropped: frozenset[str] = frozenset()  # headers of requests that the server does not get
    outage: str | None = None  # the fault of every request, while it is set

    def __init__(self, target: str, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.target = urlsplit(target).netloc
        self.url = f"http://{host}:{self.server_address[1]}"
        self.faults: dict[str, list[str | None]] = {}
        self.seen: list[str] = []
        self.refused: Counter[str] = Counter()  # requests that outages of each kind have met
        self._lock = threading.Lock()

    def next_fault(self, method: str) -> str | None:
        with self._lock:
            self.seen.append(method)
            if self.outage:
                self.refused[self.outage] += 1
                return self.outage
            waiting = self.faults.get(method)
            return waiting.pop(0) if waiting else None

    def handle_error(self, request, address) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_) -> None:
        """The test says what matters."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault(self.command)
        if fault in _ANSWERS:
            status, code = _ANSWERS[fault]
            self._answer(status, {}, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())
            return
        if fault == "gone":
            self.close_connection = True
            return
        status, headers, answer = self._forward(body)
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "corrupt":
            answer = bytes([answer[0] ^ 1]) + answer[1:]
        self._answer(status, headers, answer, cut=fault == "cut")

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815, http.server's own names

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        server = http.client.HTTPConnection(self.server.target, timeout=30)
        try:
            dropped = {"expect", "connection", *self.server.dropped}
            headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            return answer.status, dict(answer.headers.items()), answer.read()
        finally:
            server.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        length = headers.pop("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body))
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut
