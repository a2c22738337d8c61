"""The API server's answers become the suite's errors, and what may work later is tried again."""

from __future__ import annotations

import json

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from experiment.errors import InvalidInput, NotFound, Transient
from k8s.cluster.kube import Kube, connect
from k8s.cluster.refusals import AlreadyExists, translate


class Server:
    """Answers one after the other, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def call_api(self, path, method, **rest):
        self.asked.append((method, path, dict(rest["query_params"]), rest["body"]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return type("Answer", (), {"data": json.dumps(answer).encode()})


def refusal(status, message=""):
    error = ApiException(status=status, reason="r")
    error.body = json.dumps({"message": message})
    return error


def kube(*answers):
    return Kube(Server(*answers), "lab", sleep=lambda _: None)


@pytest.mark.parametrize(
    "trouble",
    [refusal(503), refusal(429), refusal(500), HTTPError("connection refused"), ApiException(status=0)],
    ids=str,
)
def test_a_busy_or_absent_server_is_asked_again(trouble):
    assert kube(trouble, trouble, {"kind": "Job"}).get("Job", "j") == {"kind": "Job"}
    with pytest.raises(Transient, match="try again"):
        kube(*[trouble] * 5).get("Job", "j")


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
    found = translate(refusal(status, "said\nso"), f"{method} /path")

    assert type(found) is kind
    assert said in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize("body", [b"not json", "not json", None, b'{"message": "m"}'], ids=repr)
def test_a_body_of_any_type_is_understood(body):
    error = ApiException(status=422, reason="r")
    error.body = body

    assert isinstance(translate(error, "POST /path"), InvalidInput)


def test_lists_are_read_page_by_page_and_name_their_kind():
    pages = [{"apiVersion": "batch/v1", "items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}},
             {"apiVersion": "batch/v1", "items": [{"metadata": {"name": "b"}}], "metadata": {}}]  # fmt: skip
    found = kube(*pages)

    assert [(i["kind"], i["metadata"]["name"]) for i in found.list("Job", "a=b")] == [("Job", "a"), ("Job", "b")]
    assert found._api.asked[1][2]["continue"] == "more"


def test_everything_that_is_created_is_judged_strictly():
    found = kube({}, {}, {})
    found.create({"kind": "Job"}, dry_run=True)
    found.create({"kind": "Job"})
    found.apply({"kind": "Namespace", "metadata": {"name": "lab"}})

    (_, path, dry, _), (_, _, real, _), (method, applied, forced, _) = found._api.asked
    assert (path, dry["fieldValidation"], dry["dryRun"]) == ("/apis/batch/v1/namespaces/lab/jobs", "Strict", "All")
    assert "dryRun" not in real
    assert (method, applied, forced["force"]) == ("PATCH", "/api/v1/namespaces/lab", "true")


def test_deleting_what_is_gone_is_no_error():
    assert kube({}).delete("Job", "j")
    assert not kube(refusal(404)).delete("Job", "j")


def test_a_context_that_does_not_exist_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))

    with pytest.raises(InvalidInput, match="'elsewhere'"):
        connect("elsewhere", "lab")
