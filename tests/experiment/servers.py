"""Small servers in the place of an S3 server: one that always gives the same answer, one that ignores conditions."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults import Proxy


def error_body(code: str, message: str = "") -> str:
    """The body by which an S3 server tells an error."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message or code}</Message></Error>"


class Answering(ThreadingHTTPServer):
    """Answers every request with one status and body."""

    daemon_threads = True

    def __init__(self, status: int, body: str, form: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.form = status, body.encode(), form
        self.seen: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def log_message(self, *_) -> None:
        """The test says what matters."""

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(self.command)
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.form)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815, http.server's own names


class WithoutConditions(Proxy):
    """An S3 server that ignores If-None-Match, as older ones do: it stands before one that honours it."""

    dropped = frozenset({"if-none-match"})
