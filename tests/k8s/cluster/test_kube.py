"""Objects are asked for, made and removed by the paths, pages and checks of the API server."""

from __future__ import annotations

import json

from experiment.outage import Patience
from k8s.cluster.kube import Kube
from k8s.cluster.transport import Transport
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
    once = Patience(seconds=0, say=print)
    server = Server(*answers)
    made = Kube(Transport(lambda: server, first=once, later=once), "lab")
    made.asked = server.asked
    return made


def test_lists_are_read_page_by_page_and_name_their_kind():
    first = {"apiVersion": "batch/v1", "items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "more"}}
    last = {"apiVersion": "batch/v1", "items": [{"metadata": {"name": "b"}}], "metadata": {}}
    found = kube(first, last)

    assert [(i["kind"], i["metadata"]["name"]) for i in found.list("Job", "a=b")] == [("Job", "a"), ("Job", "b")]
    assert found.asked[1][2]["continue"] == "more"


def test_everything_that_is_created_is_judged_strictly():
    found = kube({}, {}, {})
    found.create({"kind": "Job"}, dry_run=True)
    found.create({"kind": "Job"})
    found.apply({"kind": "Namespace", "metadata": {"name": "lab"}})

    (_, path, dry, _), (_, _, real, _), (method, applied, forced, _) = found.asked
    assert (path, dry["fieldValidation"], dry["dryRun"]) == ("/apis/batch/v1/namespaces/lab/jobs", "Strict", "All")
    assert "dryRun" not in real
    assert (method, applied, forced["force"]) == ("PATCH", "/api/v1/namespaces/lab", "true")


def test_deleting_what_is_gone_is_no_error():
    assert kube({}).delete("Job", "j")
    assert not kube(refusal(404)).delete("Job", "j")
