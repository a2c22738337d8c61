"""The API server's objects as plain dicts, and the verbs on them."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any, Self

from experiment.errors import Misconfigured, NotFound
from k8s.cluster.refusals import AlreadyExists
from k8s.cluster.transport import JSON, Transport
from k8s.manifests.names import Manifest

PAGE = 500
GLANCE = 4 * PAGE  # objects of which a glance reads no more
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
MANAGER = "collaborative-ensembles"
GROUPS = {  # kind -> (path before the namespace, plural, whether it lives in a namespace)
    "Job": ("/apis/batch/v1", "jobs", True),
    "Pod": ("/api/v1", "pods", True),
    "Node": ("/api/v1", "nodes", False),
    "Event": ("/api/v1", "events", True),
    "Workload": ("/apis/kueue.x-k8s.io/v1beta2", "workloads", True),
    "EarlierWorkload": ("/apis/kueue.x-k8s.io/v1beta1", "workloads", True),  # of Kueue before 0.15
    "Namespace": ("/api/v1", "namespaces", False),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "ResourceQuota": ("/api/v1", "resourcequotas", True),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
}


class Kube:
    """One namespace of one API server."""

    def __init__(self, transport: Transport, namespace: str) -> None:
        self.namespace, self._transport = namespace, transport

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.close()

    def path(self, kind: str, name: str = "") -> str:
        """Returns the path of an object, or of all of a kind."""
        group, plural, spaced = GROUPS[kind]
        return "/".join(filter(None, (group, f"namespaces/{self.namespace}" if spaced else "", plural, name)))

    def get(self, kind: str, name: str) -> Manifest:
        """Returns one object. Raises NotFound."""
        return self._object("GET", self.path(kind, name))

    def list(self, kind: str, selector: str) -> list[Manifest]:
        """Returns all objects of a kind that a label selector picks."""
        # All pages are one operation, because the server forgets those of an older list.
        return self._transport.ask(lambda: list(self._pages(kind, selector)))

    def glance(self, kind: str, fields: str = "") -> Sequence[Manifest]:
        """Returns objects of a kind that a field selector picks; asks once, for a few pages: no work depends on the answer."""
        return tuple(itertools.islice(self._pages(kind, "", {"fieldSelector": fields} if fields else {}), GLANCE))

    def _pages(self, kind: str, selector: str, fields: dict[str, str] | None = None) -> Iterator[Manifest]:
        more: dict[str, str] = {}
        while True:
            query = {"labelSelector": selector, "limit": str(PAGE), **(fields or {}), **more}
            page = self._fetch("GET", self.path(kind), query)
            if "items" not in page or "metadata" not in page:
                raise _foreign(f"GET {self.path(kind)}", json.dumps(page).encode())
            common = {"apiVersion": page.get("apiVersion", ""), "kind": kind}  # the items of a list leave them out
            yield from ({**common, **item} for item in page["items"])
            if not page["metadata"].get("continue"):
                return
            more = {"continue": page["metadata"]["continue"]}

    def watch(self, query: dict[str, str]) -> Iterator[Manifest]:
        """Yields the events of pods until the server ends the stream. Raises Transient where it breaks: list, and watch again."""
        yield from self._transport.stream(self.path("Pod"), query)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Creates an object; the server refuses fields that it does not know. Raises AlreadyExists."""
        kind, sent = manifest["kind"], []

        def post() -> Manifest:
            sent.append(kind)
            return self._fetch("POST", self.path(kind), _strict(dry_run), manifest)

        try:
            return self._transport.ask(post)
        except AlreadyExists:
            if len(sent) == 1 or dry_run:
                raise
        # An earlier try whose answer was lost made it; the caller compares.
        return self.get(kind, manifest["metadata"]["name"])

    def apply(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Creates an object, or changes an existing one to it (server-side apply)."""
        query = {**_strict(dry_run), "force": "true"}
        path = self.path(manifest["kind"], manifest["metadata"]["name"])
        return self._object("PATCH", path, query, manifest, APPLY)

    def patch(self, kind: str, name: str, change: Manifest) -> Manifest:
        """Merges a change into an object."""
        return self._object("PATCH", self.path(kind, name), _strict(False), change, MERGE)

    def delete(self, kind: str, name: str) -> bool:
        """Deletes an object and, in the background, what belongs to it; returns False if it was not there."""
        try:
            self.request("DELETE", self.path(kind, name), {"propagationPolicy": "Background"})
        except NotFound:
            return False
        return True

    def log(self, pod: str, container: str, since: str = "") -> str:
        """Returns the lines that a container has written, each after its time and a blank; asks once: the node may be gone.

        Args:
            since: a line's time, from which on they are wanted; that of the last line is among them.
        """
        query = {"container": container, "timestamps": "true", **({"sinceTime": since} if since else {})}
        data = self._transport.answer("GET", f"{self.path('Pod', pod)}/log", query)
        return data.decode(errors="replace")

    def request(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None, content: str = JSON
    ) -> bytes:
        """Returns the answer to a request."""
        return self._transport.ask(lambda: self._transport.answer(method, path, query or {}, body, content))

    def _object(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None, content: str = JSON
    ) -> Manifest:
        return self._transport.ask(lambda: self._fetch(method, path, query, body, content))

    def _fetch(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None, content: str = JSON
    ) -> Manifest:
        """Returns the object or list that answers one request.

        Raises:
            Misconfigured: the answer is neither: it comes from a login page or from a server that is not an API server.
        """
        data = self._transport.answer(method, path, query or {}, body, content)
        with contextlib.suppress(ValueError):
            found = json.loads(data)
            if isinstance(found, dict):
                return found
        raise _foreign(f"{method} {path}", data)


def _foreign(request: str, data: bytes) -> Misconfigured:
    said = " ".join(data.decode(errors="replace").split())[:80]
    advice = "correct the server of the kubeconfig context, or log in to the proxy before it"
    return Misconfigured(f"{request} was answered with {said!r}, which is not an API server's answer; {advice}")


def _strict(dry_run: bool) -> dict[str, str]:
    return {"fieldValidation": "Strict", "fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})}
