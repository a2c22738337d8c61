"""What the API server's refusals mean: what can never work, what may work later, and what to do."""

from __future__ import annotations

import json
from typing import Any

from kubernetes.client.exceptions import ApiException

from experiment.errors import InvalidInput, NotFound, Transient


class AlreadyExists(InvalidInput):
    """The server has an object of this kind and name."""


def translate_error(error: Exception, request: str) -> Exception:
    """Returns the suite's error for an error of the client; ``request`` is method and path."""
    if not isinstance(error, ApiException) or not error.status:
        cause = " ".join(str(error).split())[:200]
        advice = "check the network and the kubeconfig context, then try again"
        return Transient(f"the API server cannot be reached ({cause}); {advice}")
    said = _message(error.body)
    if error.status == 404:
        return NotFound(f"the cluster does not have it: {said or request}; python -m k8s.setup makes the namespace")
    if error.status == 409 and request_method(request) == "POST":
        return AlreadyExists(said)
    if error.status in (401, 403):
        advice = "ask for the role ensemble-launcher that python -m k8s.setup makes"
        return InvalidInput(f"the API server refuses: {said or request}; {advice}")
    if error.status in (409, 429) or error.status >= 500:
        return Transient(f"the API server is busy: {error.status} {said}; try again")
    return InvalidInput(f"the API server refuses {request}: {said}; correct the settings")


def request_method(request: str) -> str:
    """Returns the method of a request's description."""
    return request.partition(" ")[0]


def _message(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        return " ".join(str(json.loads(text)["message"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:300]
