"""A web server that behaves, or misbehaves, as it is told: the far end of every download in these tests."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """One odd answer: a status in place of the file, or the file cut short, without ranges, or of a wrong length."""

    status: int = 0
    cut: int = -1  # bytes sent before the connection ends, although all were announced
    ranges: bool = True
    announce: bool = True  # whether the length is said
    content: bytes | None = None
    content_range: str | None = None


@dataclass
class Site:
    """What the server serves: ``files`` by path; ``script`` holds the odd answers that come first."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    script: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    on_request: Callable[[], object] = lambda: None

    def folder(self, name: str, files: dict[str, bytes]) -> str:
        """Serves files in a folder; its URL."""
        self.files |= {f"/{name}/{file}": data for file, data in files.items()}
        return f"{self.url}/{name}/"

    def asked(self, path: str) -> list[str | None]:
        """The Range headers with which a path was asked for, in order."""
        return [wanted for p, wanted in self.requests if p == path]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what some tests are about."""


def serve(site_of: list[Site]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site, wanted = site_of[0], self.headers["Range"]
            path = self.path.partition("?")[0]
            site.requests.append((path, wanted))
            site.on_request()
            odd = site.script[path].pop(0) if site.script[path] else Answer()
            data = odd.content if odd.content is not None else site.files.get(path)
            if odd.status or data is None:
                self.send_error(odd.status or 404)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and odd.ranges else 0
            if wanted and odd.ranges and start >= len(data):
                self.send_error(416)
                return
            self.send_response(206 if wanted and odd.ranges else 200)
            if wanted and odd.ranges:
                self.send_header("Content-Range", odd.content_range or f"bytes {start}-{len(data) - 1}/{len(data)}")
            if odd.announce:
                self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start:] if odd.cut < 0 else data[start : start + odd.cut])

        def log_message(self, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server
