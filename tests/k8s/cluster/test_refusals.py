"""Every refusal of the API server becomes the error that says what to do."""

from __future__ import annotations

import ssl

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import SSLError

from experiment.errors import InvalidInput, Misconfigured, NotFound, Transient
from k8s.cluster.refusals import AlreadyExists, LoggedOut, translate_error
from tests.k8s.factories import refusal


@pytest.mark.parametrize(
    ("status", "method", "kind", "said"),
    [
        (401, "GET", LoggedOut, "log in again"),
        (403, "POST", InvalidInput, "ask who keeps the cluster's rules"),
        (404, "GET", NotFound, "k8s.setup"),
        (409, "POST", AlreadyExists, "said"),
        (409, "PATCH", Transient, "give it some minutes"),
        (410, "GET", Transient, "begun again"),
        (422, "POST", InvalidInput, "correct the settings"),
    ],
)
def test_every_refusal_says_what_to_do(status, method, kind, said):
    found = translate_error(refusal(status, "said\nso"), f"{method} /path")

    assert type(found) is kind
    assert said in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize("body", [b"not json", "not json", None, b'{"message": "m"}'], ids=repr)
def test_a_body_of_any_type_is_understood(body):
    error = ApiException(status=422, reason="r")
    error.body = body

    assert isinstance(translate_error(error, "POST /path"), InvalidInput)


RIGHTS = "ask for the role ensemble-launcher"
QUOTA = "free or raise the quota"
RULE = "settings that this rule of the cluster allows"


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ('User "ann" cannot create resource "jobs" in API group "batch" in the namespace "x"', Misconfigured, RIGHTS),
        ('User "ann" cannot get path "/version"', Misconfigured, RIGHTS),
        ('User "system:anonymous" cannot list resource "jobs"', LoggedOut, "log in again"),
        (
            "exceeded quota: none, requested: count/jobs.batch=1, used: count/jobs.batch=1, limited: 1",
            InvalidInput,
            QUOTA,
        ),
        ("failed quota: cpus: must specify limits.cpu for: trainer", InvalidInput, QUOTA),
        (
            "unable to create new content in namespace x because it is being terminated",
            InvalidInput,
            "namespace is gone",
        ),
        ('admission webhook "images.example" denied the request: not from our registry', InvalidInput, RULE),
        ("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", InvalidInput, RULE),
        ("maximum memory usage per Container is 1Gi, but limit is 12Gi", InvalidInput, RULE),
    ],
)
def test_what_is_forbidden_is_told_apart_by_the_words_of_the_server(said, kind, advice):
    found = translate_error(refusal(403, f"jobs.batch is forbidden: {said}"), "POST /path")

    assert type(found) is kind
    assert advice in str(found)
    assert (RIGHTS in str(found)) == (advice == RIGHTS)


def handshake(cause):
    """The client's error for a failed handshake."""
    error = ApiException(status=0, reason="SSLError")
    error.__context__ = SSLError(cause)
    return error


def test_a_handshake_that_was_cut_off_is_an_outage_and_a_wrong_certificate_is_not():
    cut = translate_error(handshake(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")), "GET /path")
    wrong = translate_error(handshake(ssl.SSLCertVerificationError(1, "certificate verify failed")), "GET /path")

    assert (type(cut), type(wrong)) == (Transient, Misconfigured)
    assert "certificate-authority" in str(wrong)


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), (None, 0.0)])
def test_the_time_that_a_busy_server_asks_for_is_kept(asked, seconds):
    error = refusal(429, "slow down")
    error.headers = {"Retry-After": asked} if asked else None

    assert translate_error(error, "GET /path").after == seconds
