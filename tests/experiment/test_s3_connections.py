"""libcurl does on the way to a server what the S3 client's own session does, and gives whole answers only."""

from __future__ import annotations

import http.server
import threading

import pycurl
import pytest
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from experiment.s3_connections import Connections, parse_headers, read_options
from tests.served import Served

URL = "https://server.example/bucket/"
TIMES = {"timeout": (5, 30)}


class Echo(Served, http.server.ThreadingHTTPServer):
    """Answers with the target of the request; counts connections and requests through it as a proxy."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.connections = 0
        self.seen: list[tuple[str, dict[str, str]]] = []

    def get_request(self):
        self.connections += 1
        return super().get_request()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def log_message(self, *_) -> None:
        """The test says what matters."""

    def do_GET(self) -> None:
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        body = self.path.encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body) + ("torn" in self.path)))
        self.send_header("X-Amz-Checksum-SHA256", "a:b=")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = "torn" in self.path


@pytest.fixture
def echo():
    with Echo() as server:
        yield server


def ask(connections, base, *paths, **headers):
    """The answers to requests for these paths."""
    return connections.get([AWSRequest("GET", base + p, headers=headers) for p in paths])


def connect(url, **settings):
    """Connections as a client's session with these settings would make them."""
    return Connections(read_options(URLLib3Session(**TIMES, **settings), url))


def test_answers_come_whole_and_in_order_over_connections_that_stay_open(echo):
    connections = connect(echo.url)
    for _ in range(3):
        answers = ask(connections, echo.url, *(f"/{i}" for i in range(8)))
        assert [(a.status, a.body) for a in answers] == [(200, b"/%d" % i) for i in range(8)]
    assert echo.connections <= 8
    assert ask(connections, echo.url) == []
    [answer] = ask(connections, echo.url, "/missing")
    assert (answer.status, answer.headers["x-amz-checksum-sha256"]) == (404, "a:b=")


def test_what_came_in_part_or_not_at_all_is_none_and_the_others_are_there(echo):
    connections = connect(echo.url)
    answers = ask(connections, echo.url, "/a", "/torn", "/b")
    assert [a and a.body for a in answers] == [b"/a", None, b"/b"]
    assert ask(connections, "http://127.0.0.1:9", "/a") == [None]
    assert ask(connections, echo.url, "/c")[0].body == b"/c"


def test_the_path_and_the_headers_are_sent_as_they_were_signed(echo):
    [answer] = ask(connect(echo.url), echo.url, "/b/../a/./%7E%20x", Authorization=b"signed", **{"X-Amz-Date": "now"})
    assert answer.body == b"/b/../a/./%7E%20x"
    [(_, headers)] = echo.seen
    assert (headers["authorization"], headers["x-amz-date"]) == ("signed", "now")
    assert headers["host"] == echo.url.removeprefix("http://")


def test_a_proxy_of_the_session_is_used_and_no_other(echo, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert ask(connect(echo.url), echo.url, "/direct")[0].body == b"/direct"

    far = "http://server.example/bucket/"
    [answer] = ask(connect(far, proxies={"http": echo.url}), far, "k")
    assert answer.body == b"http://server.example/bucket/k"


def test_certificates_are_those_of_the_session(secure_server):
    url, certificate = secure_server
    assert ask(connect(url), url, "/k") == [None]
    for verify in (str(certificate), False):
        [answer] = ask(connect(url, verify=verify), url, "/k")
        assert answer.status == 404


def test_options_hold_the_session_s_time_limits_certificates_and_proxy():
    usual = read_options(URLLib3Session(**TIMES), URL)
    assert (usual[pycurl.CONNECTTIMEOUT_MS], usual[pycurl.LOW_SPEED_TIME]) == (5000, 30)
    assert usual[pycurl.CAINFO].endswith(".pem")
    assert (usual[pycurl.SSL_VERIFYPEER], usual[pycurl.SSL_VERIFYHOST], usual[pycurl.PROXY]) == (1, 2, "")

    own = {"verify": "/own.pem", "client_cert": ("/c.pem", "/k.pem"), "proxies": {"https": "http://me:word@proxy:3128"}}
    options = read_options(URLLib3Session(**TIMES, **own), URL)
    assert options[pycurl.CAINFO] == "/own.pem"
    assert (options[pycurl.SSLCERT], options[pycurl.SSLKEY]) == ("/c.pem", "/k.pem")
    assert options[pycurl.PROXY] == "http://me:word@proxy:3128"


def test_a_server_that_stops_sending_ends_at_the_session_s_time_limit(echo, monkeypatch):
    monkeypatch.setattr(_Handler, "do_GET", lambda _: threading.Event().wait(10))
    connections = Connections(read_options(URLLib3Session(timeout=(1, 1)), echo.url))

    assert ask(connections, echo.url, "/k") == [None]


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length:2\r\n\r\n", {"a": "1", "content-length": "2"}),
        (b"HTTP/1.1 100 Continue\r\nA: 0\r\n\r\nHTTP/1.1 200 OK\r\na: b: c\r\n\r\n", {"a": "b: c"}),
        (b"HTTP/1.1 200 OK\r\n\r\n", {}),
        (b"HTTP/1.1 200 \xff\r\nA: \xff\r\n\r\n", {"a": "\xff"}),
    ],
)
def test_headers_are_those_of_the_last_answer(head, headers):
    assert parse_headers(head) == headers
