"""What a launch will need is asked for, judged, and never changed."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from k8s.cluster.connect import connect_cluster
from k8s.cluster.examination import REVIEWS, RIGHT, UNKNOWN, WRONG, examine_cluster
from tests.k8s.factories import settings

ROOM = {"cpu": "4", "memory": "12Gi"}


@pytest.fixture
def asked(api, monkeypatch):
    """Examines the namespace ``ensembles`` of the small API server, whose user may do what ``may`` says."""
    answer = api.answer

    def review(method, path, query, body):
        if path == REVIEWS:
            attributes = body["spec"]["resourceAttributes"]
            verb = f"{attributes['verb']} {attributes['resource']} {attributes['subresource']}".strip()
            return 201, {"status": {"allowed": verb not in asked.denied}}
        if method == "GET" and path.rpartition("/")[2] in ("resourcequotas", "nodes"):
            items = [o for p, o in api.objects.items() if p.rpartition("/")[0] == path]
            return 200, {"items": items, "metadata": {}}
        return answer(method, path, query, body)

    def asked(**given):
        with connect_cluster("", "ensembles") as kube:
            found = list(examine_cluster(kube, settings(**{**ROOM, **given})))
        return {(f.topic, f.state, f.seen): f.advice for f in found}

    asked.denied = set()
    monkeypatch.setattr(api, "answer", review)
    return asked


def add(api, kind, name, path="/api/v1", **more):
    api.objects[f"{path}/{kind}/{name}"] = {"metadata": {"name": name, **more.pop("metadata", {})}, **more}


def states(found, topic):
    return [state for t, state, _ in found if t == topic]


def test_a_namespace_that_was_not_set_up_lacks_everything_and_is_told_what_to_do(asked):
    found = asked()

    assert states(found, "namespace") == [WRONG]
    assert states(found, "accounts") == [WRONG, WRONG]
    assert all("k8s.setup" in advice for (topic, *_), advice in found.items() if topic in ("namespace", "accounts"))


def test_a_namespace_that_was_set_up_has_what_a_launch_needs(api, asked):
    add(api, "namespaces", "ensembles")
    for account in ("ensemble-trainer", "ensemble-collector"):
        add(api, "namespaces/ensembles/serviceaccounts", account)
    gpu = {"cpu": "8", "nvidia.com/gpu": "1"}
    add(api, "nodes", "a", metadata={"labels": {"kubernetes.io/arch": "amd64"}}, status={"allocatable": gpu})

    found = asked()

    assert {state for _, state, _ in found} == {RIGHT}
    assert [seen for topic, _, seen in found if topic == "nodes"] == [
        "1 of the nodes kubernetes.io/arch=amd64 have 1 nvidia.com/gpu"
    ]


def test_rights_that_lack_are_named(asked):
    asked.denied = {"create jobs", "get pods log"}

    wrong = [seen for topic, state, seen in asked() if topic == "rights" and state == WRONG]

    assert wrong == ["you may not create jobs", "you may not get pods/log"]


def test_the_right_to_list_events_lacks_in_a_namespace_of_an_earlier_version(asked):
    asked.denied = {"list events"}

    assert ("rights", WRONG, "you may not list events") in asked()


@pytest.mark.parametrize(
    ("hard", "used", "state", "words"),
    [
        ({"requests.nvidia.com/gpu": "0"}, {}, WRONG, "0 of 0 requests.nvidia.com/gpu used, a pod needs 1"),
        ({"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": "3"}, RIGHT, "3 of 4"),
        ({"requests.memory": "16Gi"}, {"requests.memory": "5000Mi"}, WRONG, "5000Mi of 16Gi requests.memory"),
        ({"requests.cpu": "4500m"}, {"requests.cpu": "500m"}, RIGHT, "500m of 4500m"),
        ({"limits.cpu": "100"}, {}, WRONG, "wants limits.cpu of every pod"),
    ],
)
def test_a_quota_that_has_no_room_for_one_pod_is_named(api, asked, hard, used, state, words):
    add(api, "namespaces/ensembles/resourcequotas", "q", spec={"hard": hard}, status={"hard": hard, "used": used})

    (found,) = [(s, seen) for topic, s, seen in asked() if topic == "quotas"]

    assert found[0] == state
    assert words in found[1]


def test_without_a_fitting_node_the_labels_are_named_and_an_autoscaler_may_make_one(api, asked):
    add(api, "nodes", "a", metadata={"labels": {"kubernetes.io/arch": "arm64"}}, status={"allocatable": {"cpu": "8"}})

    ((key, advice),) = [(k, advice) for k, advice in asked(capacity="spot").items() if k[0] == "nodes"]

    assert key[1] == UNKNOWN
    assert "kubernetes.io/arch=amd64, karpenter.sh/capacity-type=spot has 1 nvidia.com/gpu now (0 have" in key[2]
    assert "autoscaler" in advice


def test_what_the_user_may_not_look_at_is_unknown(asked, monkeypatch):
    def refuse(self, kind, selector):
        raise InvalidInput(f"{kind} is forbidden")

    monkeypatch.setattr("k8s.cluster.kube.Kube.list", refuse)
    found = asked()

    assert states(found, "nodes") == states(found, "quotas") == [UNKNOWN]
    assert ("nodes", UNKNOWN, "Node is forbidden") in found
