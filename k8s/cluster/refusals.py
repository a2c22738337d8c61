"""What the API server's refusals mean: what can never work, what may work later, and what to do."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from typing import Any

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException

from experiment.errors import ExperimentError, InvalidInput, Misconfigured, NotFound, Transient

NO_CREDENTIALS = "log in again, or run the credential plugin of the kubeconfig's user by hand to see what it lacks"
ANONYMOUS = 'User "system:anonymous"'
LACKS_RIGHTS = re.compile(r" cannot \w+ (resource|path) ")  # the words of the server's authorizer
# What else is forbidden was refused by admission, in these words; rights would not help. The first entry that fits counts.
ADMISSION = (
    (re.compile("exceeded quota|must specify "), "free or raise the quota that it names, or ask for less"),
    (re.compile("being terminated"), "wait until the namespace is gone, then make it again with python -m k8s.setup"),
    (
        re.compile(r"admission webhook|ValidatingAdmissionPolicy|(maximum|minimum) \S+ usage|PodSecurity"),
        "give settings that this rule of the cluster allows, or ask who keeps the rule",
    ),
)
# A handshake that a server, or a balancer before it, has cut off says nothing of certificates.
CUT_OFF = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)


class AlreadyExists(InvalidInput):
    """The server has an object of this kind and name."""


class LoggedOut(Misconfigured):
    """The API server does not know this user, or the kubeconfig gives no credentials."""


def translate_error(error: Exception, request: str) -> ExperimentError:
    """Returns the suite's error for an error of the client; ``request`` is method and path."""
    if not isinstance(error, ApiException) or not error.status:
        return _unreachable(error)
    said = _message(error.body) or request
    if error.status == 404:
        return NotFound(f"the cluster does not have it: {said}; python -m k8s.setup makes the namespace")
    if error.status == 409 and request_method(request) == "POST":
        return AlreadyExists(said)
    if error.status == 401 or (error.status == 403 and ANONYMOUS in said):
        return LoggedOut(f"the API server got no valid credentials ({said}); {NO_CREDENTIALS}")
    if error.status == 403:
        return _forbidden(said, request_method(request))
    if error.status == 410:
        return Transient(f"the API server has forgotten where a list or a watch was ({said}); it is begun again")
    if error.status in (408, 409, 429) or error.status >= 500:
        busy = Transient(f"the API server is busy ({error.status} {said}); give it some minutes")
        busy.after = _seconds_asked(error)
        return busy
    return InvalidInput(f"the API server refuses {request}: {said}; correct the settings")


def _forbidden(said: str, method: str) -> ExperimentError:
    if method == "GET" or LACKS_RIGHTS.search(said):  # admission judges changes only
        advice = "ask for the role ensemble-launcher that python -m k8s.setup makes"
        return Misconfigured(f"the API server refuses: {said}; {advice}")
    advice = next((advice for words, advice in ADMISSION if words.search(said)), "ask who keeps the cluster's rules")
    return InvalidInput(f"the API server refuses: {said}; {advice}")


def _seconds_asked(error: ApiException) -> float:
    """Returns the seconds of the answer's Retry-After; 0 where there is none, or a date."""
    asked = str((error.headers or {}).get("Retry-After", ""))
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def _unreachable(error: Exception) -> ExperimentError:
    causes = tuple(_causes(error))
    cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason else error
    said = " ".join(str(cause).split())[:200]
    handshake = any(isinstance(c, ssl.SSLError | urllib3.exceptions.SSLError) for c in causes)
    if handshake and not any(isinstance(c, CUT_OFF) for c in causes):
        advice = "get a fresh kubeconfig of this cluster, or correct its server and certificate-authority"
        return Misconfigured(f"the kubeconfig does not fit the API server's certificate ({said}); {advice}")
    advice = "check the network and the kubeconfig context"
    return Transient(f"the API server does not answer ({said}); {advice}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and what it wraps: the client's errors hold theirs as reason or first argument."""
    while isinstance(error, BaseException):
        yield error
        held = getattr(error, "reason", None) or next(iter(error.args), None)
        error = held if isinstance(held, BaseException) else error.__cause__ or error.__context__


def request_method(request: str) -> str:
    """Returns the method of a request's description."""
    return request.partition(" ")[0]


def _message(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        return " ".join(str(json.loads(text)["message"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:300]
