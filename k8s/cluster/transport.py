"""The way to the API server. Every call goes through here, and here an outage of the server is waited out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from experiment.errors import ExperimentError, InvalidInput, Transient, describe_error
from experiment.outage import Patience
from k8s.cluster.refusals import LoggedOut, translate_error

T = TypeVar("T")
JSON = "application/json"
TIMEOUT = (5.0, 60.0)  # seconds to connect, and to wait for the next part of an answer


class Transport:
    """Requests to one API server.

    Args:
        log_in: makes the client anew, with the credentials of the moment.
        first: how long the server's first answer is waited for.
        later: how long an outage is waited out once the server has answered.
    """

    def __init__(
        self,
        log_in: Callable[[], Any],
        *,
        first: Patience,
        later: Patience,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self._log_in, self._first, self._later, self._timeout = log_in, first, later, timeout
        self._client, self._answered = log_in(), False

    def close(self) -> None:
        """Closes the connections."""
        self._client.rest_client.pool_manager.clear()

    def ask(self, operation: Callable[[], T]) -> T:
        """Returns the result of an operation of one or more requests, which is repeated while the API server is away.

        Raises:
            Outlasted: the server was away for too long.
        """
        return (self._later if self._answered else self._first).wait_out(lambda: self._try(operation))

    def _try(self, operation: Callable[[], T]) -> T:
        try:
            result = operation()
        except LoggedOut:
            self._renew_credentials()
            raise
        except ExperimentError as error:
            self._answered = self._answered or not isinstance(error, Transient)
            raise
        self._answered = True
        return result

    def _renew_credentials(self) -> None:
        try:
            renewed = self._log_in()
        except InvalidInput as error:  # the plugin or the file says better what is missing than the server did
            raise LoggedOut(describe_error(error)) from error
        self.close()
        self._client = renewed

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any = None, content: str = JSON) -> bytes:
        """Returns the server's answer to one request, which is not repeated here."""
        with _translated(f"{method} {path}"):
            data: bytes = self._call(method, path, query, body, content).data
        return data

    def stream(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yields the events of a watch until the server ends it.

        Raises:
            Transient: the stream broke, or the server has forgotten where it was: list, and watch from there.
        """
        request = f"GET {path}"
        with _translated(request):
            answer = self._call("GET", path, {**query, "watch": "1"}, None, JSON)
        with contextlib.closing(answer), _translated(request):
            for event in map(json.loads, answer):
                if event["type"] == "ERROR":
                    refused = ApiException(status=event["object"].get("code"))
                    refused.body = json.dumps(event["object"])
                    raise refused
                yield event

    def _call(self, method: str, path: str, query: Mapping[str, str], body: Any, content: str) -> Any:
        return self._client.call_api(
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


@contextlib.contextmanager
def _translated(request: str) -> Iterator[None]:
    try:
        yield
    except (ApiException, urllib3.exceptions.HTTPError) as error:
        raise translate_error(error, request) from error
