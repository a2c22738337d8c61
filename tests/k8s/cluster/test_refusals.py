"""Every refusal of the API server becomes the error that says what to do."""

from __future__ import annotations

import pytest
from kubernetes.client.exceptions import ApiException

from experiment.errors import InvalidInput, NotFound, Transient
from k8s.cluster.refusals import AlreadyExists, translate_error
from tests.k8s.factories import refusal


@pytest.mark.parametrize(
    ("status", "method", "kind", "said"),
    [
        (401, "GET", InvalidInput, "ask for the role ensemble-launcher"),
        (403, "POST", InvalidInput, "ask for the role ensemble-launcher"),
        (404, "GET", NotFound, "k8s.setup"),
        (409, "POST", AlreadyExists, "said"),
        (409, "PATCH", Transient, "try again"),
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
