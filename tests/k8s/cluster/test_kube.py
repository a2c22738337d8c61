"""The API server's answers become the suite's errors, and what may work later is tried again."""

from __future__ import annotations

import json

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from experiment.errors import InvalidInput, Transient
from k8s.cluster.kube import Kube, connect_cluster
from tests.k8s.factories import refusal


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


def test_lists_are_read_page_by_page_and_name_their_kind():
    first = {"apiVersion": "batch/v1", "items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}}
    last = {"apiVersion": "batch/v1", "items": [{"metadata": {"name": "b"}}], "metadata": {}}
    found = kube(first, last)

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
        connect_cluster("elsewhere", "lab")
