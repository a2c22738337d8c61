"""The API server's objects as plain dicts, through the official client, whose errors become the suite's."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from experiment.errors import InvalidInput, NotFound
from experiment.retry import retry_transient
from k8s.cluster.refusals import translate_error
from k8s.manifests.names import Manifest

ATTEMPTS = 5
PAGE = 500
JSON, APPLY, MERGE = "application/json", "application/apply-patch+yaml", "application/merge-patch+json"
MANAGER = "collaborative-ensembles"
GROUPS = {  # kind -> (path before the namespace, plural, whether it lives in a namespace)
    "Job": ("/apis/batch/v1", "jobs", True),
    "Pod": ("/api/v1", "pods", True),
    "Namespace": ("/api/v1", "namespaces", False),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "ResourceQuota": ("/api/v1", "resourcequotas", True),
    "Role": ("/apis/rbac.authorization.k8s.io/v1", "roles", True),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
}


class Kube:
    """One namespace of one API server.

    Args:
        attempts: tries of a request while the server cannot be reached or is busy.
        timeout: seconds to connect, and to wait for the next part of an answer.
    """

    def __init__(
        self,
        api: Any,
        namespace: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        attempts: int = ATTEMPTS,
        timeout: tuple[float, float] = (5.0, 60.0),
    ) -> None:
        self.namespace = namespace
        self._api, self._sleep, self._attempts, self._timeout = api, sleep, attempts, timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._api.rest_client.pool_manager.clear()

    def path(self, kind: str, name: str = "") -> str:
        """Returns the path of an object, or of all of a kind."""
        group, plural, spaced = GROUPS[kind]
        return "/".join(filter(None, (group, f"namespaces/{self.namespace}" if spaced else "", plural, name)))

    def get(self, kind: str, name: str) -> Manifest:
        """Returns one object. Raises NotFound."""
        return self._object("GET", self.path(kind, name))

    def list(self, kind: str, selector: str) -> list[Manifest]:
        """Returns all objects of a kind that a label selector picks."""
        return list(self._pages(kind, selector))

    def _pages(self, kind: str, selector: str) -> Iterator[Manifest]:
        more = ""
        while True:
            query = {"labelSelector": selector, "limit": str(PAGE), **({"continue": more} if more else {})}
            page = self._object("GET", self.path(kind), query)
            if "items" not in page or "metadata" not in page:
                raise _foreign(f"GET {self.path(kind)}", json.dumps(page).encode())
            common = {"apiVersion": page.get("apiVersion", ""), "kind": kind}  # the items of a list leave them out
            yield from ({**common, **item} for item in page["items"])
            more = page["metadata"].get("continue", "")
            if not more:
                return

    def watch(self, query: dict[str, str]) -> Iterator[Manifest]:
        """Yields the events of pods until the server ends the stream."""
        answer = self._call("GET", self.path("Pod"), {**query, "watch": "1"}, None, JSON)
        with contextlib.closing(answer):
            yield from (json.loads(line) for line in answer)

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Creates an object; the server refuses fields that it does not know. Raises AlreadyExists."""
        return self._object("POST", self.path(manifest["kind"]), _strict(dry_run), manifest)

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

    def log(self, pod: str, container: str) -> str:
        """Returns what a container has written; asks once: the node may be gone, and the store has the log as well."""
        data = self._translated("GET", f"{self.path('Pod', pod)}/log", {"container": container}, None, JSON)
        return data.decode(errors="replace")

    def request(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None, content: str = JSON
    ) -> bytes:
        """Returns the answer to a request, repeated while the server cannot be reached or is busy."""
        return retry_transient(
            lambda: self._translated(method, path, query or {}, body, content),
            attempts=self._attempts,
            longest_pause=5,
            sleep=self._sleep,
        )

    def _object(
        self, method: str, path: str, query: dict[str, str] | None = None, body: Any = None, content: str = JSON
    ) -> Manifest:
        """Returns the object or list that answers a request.

        Raises:
            InvalidInput: the answer is neither: it comes from a login page or from a server that is not an API server.
        """
        data = self.request(method, path, query, body, content)
        with contextlib.suppress(ValueError):
            found = json.loads(data)
            if isinstance(found, dict):
                return found
        raise _foreign(f"{method} {path}", data)

    def _translated(self, method: str, path: str, query: dict[str, str], body: Any, content: str) -> bytes:
        try:
            return self._request(method, path, query, body, content)
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise translate_error(error, f"{method} {path}") from error

    def _request(self, method: str, path: str, query: dict[str, str], body: Any, content: str) -> bytes:
        data: bytes = self._call(method, path, query, body, content).data
        return data

    def _call(self, method: str, path: str, query: dict[str, str], body: Any, content: str) -> Any:
        return self._api.call_api(
            path,
            method,
            query_params=list(query.items()),
            header_params={"Accept": "application/json, */*", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _return_http_data_only=True,
            _request_timeout=self._timeout,
        )


def _foreign(request: str, data: bytes) -> InvalidInput:
    said = " ".join(data.decode(errors="replace").split())[:80]
    advice = "correct the server of the kubeconfig context, or log in to the proxy before it"
    return InvalidInput(f"{request} was answered with {said!r}, which is not an API server's answer; {advice}")


def _strict(dry_run: bool) -> dict[str, str]:
    return {"fieldValidation": "Strict", "fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})}
