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


class ApiServer:
    """Objects by path, requests as they came, and a refusal or a silence for all of them if one is set."""

    def __init__(self) -> None:
        self.objects: dict[str, dict] = {}
        self.requests: list[tuple[str, str]] = []
        self.refusal: tuple[int, str] | None = None
        self.silent = False
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
        if method == "POST":
            return self._create(f"{path}/{body['metadata']['name']}", body, dry_run="dryRun" in query)
        if path in self.objects:
            found = self.objects[path]
            if method == "DELETE":
                del self.objects[path]
            if method == "PATCH":
                found["spec"] = found["spec"] | body["spec"]
            return 200, found
        inside = [o for p, o in self.objects.items() if p.rpartition("/")[0] == path]
        if method == "GET" and (inside or path.rpartition("/")[2] in ("jobs", "pods")):
            wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
            items = [o for o in inside if wanted.items() <= o["metadata"].get("labels", {}).items()]
            return 200, {"apiVersion": "batch/v1", "items": items, "metadata": {}}
        return 404, {"message": f"{path} not found"}

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
        status, found = self.api.answer(self.command, parts.path, query, body)
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PATCH = _handle  # noqa: N815 - the names of http.server

    def log_message(self, *_: object) -> None:
        pass
