"""A small API server over HTTP: it keeps what is created, and answers as it is told. For verbs without the real control plane."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: test
clusters:
- {{name: test, cluster: {{server: "{url}"}}}}
contexts:
- {{name: test, context: {{cluster: test, user: test}}}}
users:
- {{name: test, user: {user}}}
"""


def merge(thing: object, change: object) -> object:
    """The thing after a merge patch (RFC 7396)."""
    if not isinstance(thing, dict) or not isinstance(change, dict):
        return change
    kept = {k: v for k, v in thing.items() if k not in change}
    return kept | {k: merge(thing.get(k), v) for k, v in change.items() if v is not None}


class ApiServer:
    """Objects by path, requests as they came, and a refusal or a silence for all of them if one is set.

    ``faults`` befall the next requests in turn, whatever they ask: an answer (status, message), one with headers (status,
    message, headers), ``reset`` (the connection ends without an answer), ``lost`` (done, and the answer never arrives), or
    None. Requests whose token is not among ``tokens``, if there are any, get a 401. A list has ``page`` objects to a page.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict] = {}
        self.requests: list[tuple[str, str]] = []
        self.refusal: tuple[int, str] | None = None
        self.silent = False
        self.logs: dict[tuple[str, str], str] = {}  # by pod and container, each line after its time and a blank
        self.faults: list[tuple | str | None] = []
        self.tokens: set[str] = set()
        self.page = 500
        handler = type("Handler", (_Handler,), {"api": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def write_kubeconfig(self, path: Path, user: str = "{token: t}") -> Path:
        path.write_text(KUBECONFIG.format(url=self.url, user=user))
        return path

    def add(self, plural: str, thing: dict, group: str = "/apis/batch/v1", namespace: str = "ensembles") -> None:
        path = f"{group}/namespaces/{namespace}/{plural}/{thing['metadata']['name']}"
        thing["metadata"].setdefault("creationTimestamp", "2026-11-01T11:00:00Z")
        self.objects[path] = thing

    def names(self, plural: str) -> list[str]:
        return [path.rpartition("/")[2] for path in self.objects if f"/{plural}/" in path]

    def answer(self, method: str, path: str, query: dict[str, str], body: dict | None) -> tuple[int, object]:
        if self.refusal:
            status, message = self.refusal
            return status, {"kind": "Status", "message": message}
        if path.endswith("/selfsubjectaccessreviews"):
            return 201, {"status": {"allowed": True}}
        if method == "POST":
            return self._create(f"{path}/{body['metadata']['name']}", body, dry_run="dryRun" in query)
        if path.endswith("/log"):
            return self._log(path.split("/")[-2], query)
        if path in self.objects:
            found = self.objects[path]
            if method == "DELETE":
                del self.objects[path]
            if method == "PATCH":
                found = self.objects[path] = merge(found, body)
            return 200, found
        inside = [o for p, o in self.objects.items() if p.rpartition("/")[0] == path]
        if method == "GET" and (inside or path.rpartition("/")[2] in ("jobs", "pods")):
            wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
            items = [o for o in inside if wanted.items() <= o["metadata"].get("labels", {}).items()]
            begin = int(query.get("continue", 0))
            end = begin + self.page
            more = {"continue": str(end)} if items[end:] else {}
            return 200, {"apiVersion": "batch/v1", "items": items[begin:end], "metadata": more}
        return 404, {"message": f"{path} not found"}

    def _log(self, pod: str, query: dict[str, str]) -> tuple[int, object]:
        """Answers as a kubelet does: the lines since a time, that of the time itself among them."""
        written = self.logs.get((pod, query["container"]))
        if written is None:
            return 400, {"message": f"container {query['container']} is waiting to start"}
        return 200, "".join(line for line in written.splitlines(keepends=True) if line >= query.get("sinceTime", ""))

    def _create(self, path: str, body: dict, *, dry_run: bool) -> tuple[int, object]:
        if path in self.objects:
            return 409, {"message": f"{path} already exists"}
        if not dry_run:
            body["metadata"].setdefault("creationTimestamp", "2026-11-01T11:00:00Z")
            self.objects[path] = body
        return 201, body


class _Handler(BaseHTTPRequestHandler):
    api: ApiServer
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        self.api.requests.append((self.command, parts.path))
        while self.api.silent:
            time.sleep(0.05)
        fault = self.api.faults.pop(0) if self.api.faults else None
        status, found, headers = 401, {"message": "Unauthorized"}, {}
        if isinstance(fault, tuple):
            status, found, headers = fault[0], {"message": fault[1]}, dict(*fault[2:])
        elif fault != "reset" and self._is_known():
            status, found = self.api.answer(self.command, parts.path, query, body)
        if fault in ("reset", "lost"):
            self.close_connection = True
            return
        data = (found if isinstance(found, str) else json.dumps(found)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _is_known(self) -> bool:
        return not self.api.tokens or self.headers.get("Authorization", "").removeprefix("Bearer ") in self.api.tokens

    do_GET = do_POST = do_DELETE = do_PATCH = _handle  # noqa: N815 - the names of http.server

    def log_message(self, *_: object) -> None:
        pass
