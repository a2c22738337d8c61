"""What the API server's refusals mean: what can never work, what may work later, and what to do."""

from __future__ import annotations

import json
from typing import Any

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from experiment.errors import InvalidInput, NotFound, Transient

NO_CREDENTIALS = "log in again, or run the credential plugin of the kubeconfig's user by hand to see what it lacks"
ANONYMOUS = 'User "system:anonymous"'


class AlreadyExists(InvalidInput):
    """The server has an object of this kind and name."""


def translate_error(error: Exception, request: str) -> Exception:
    """Returns the suite's error for an error of the client; ``request`` is method and path."""
    if not isinstance(error, ApiException) or not error.status:
        return _unreachable(error)
    said = _message(error.body) or request
    if error.status == 404:
        return NotFound(f"the cluster does not have it: {said}; python -m k8s.setup makes the namespace")
    if error.status == 409 and request_method(request) == "POST":
        return AlreadyExists(said)
    if error.status == 401 or (error.status == 403 and ANONYMOUS in said):
        return InvalidInput(f"the API server got no valid credentials ({said}); {NO_CREDENTIALS}")
    if error.status == 403:
        advice = "ask for the role ensemble-launcher that python -m k8s.setup makes"
        return InvalidInput(f"the API server refuses: {said}; {advice}")
    if error.status in (409, 429) or error.status >= 500:
        return Transient(f"the API server is busy: {error.status} {said}; try again")
    return InvalidInput(f"the API server refuses {request}: {said}; correct the settings")


def _unreachable(error: Exception) -> Exception:
    cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason else error
    said = " ".join(str(cause).split())[:200]
    if isinstance(cause, urllib3.exceptions.SSLError):
        advice = "get a fresh kubeconfig of this cluster, or correct its server and certificate-authority"
        return InvalidInput(f"the kubeconfig does not fit the API server's certificate ({said}); {advice}")
    advice = "check the network and the kubeconfig context, then try again"
    return Transient(f"the API server cannot be reached ({said}); {advice}")


def request_method(request: str) -> str:
    """Returns the method of a request's description."""
    return request.partition(" ")[0]


def _message(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        return " ".join(str(json.loads(text)["message"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:300]
