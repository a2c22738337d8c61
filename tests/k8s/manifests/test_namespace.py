"""The manifests of a namespace: least rights, no traffic but what is needed."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import namespace
from tests.k8s.factories import settings


def by_name(**options):
    values = options.pop("settings", {})
    return {
        (m["kind"], m["metadata"]["name"]): m
        for m in namespace.namespace_manifests(settings(**values), namespace.Options(**options))
    }


def test_the_namespace_enforces_restricted_pod_security():
    labels = by_name()["Namespace", "ensembles"]["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_role_has_a_wildcard_or_reaches_secrets():
    for (kind, _), manifest in by_name().items():
        if kind == "Role":
            said = [v for rule in manifest["rules"] for k in ("apiGroups", "resources", "verbs") for v in rule[k]]
            assert "*" not in said
            assert "secrets" not in said
    assert ("ClusterRole", "ensemble-launcher") not in by_name()


@pytest.mark.parametrize(
    ("role", "on_events"), [("ensemble-collector", ["list", "create"]), ("ensemble-launcher", ["list"])]
)
def test_events_may_be_listed_and_workloads_only_where_a_queue_is_set(role, on_events):
    def verbs(**settings):
        rules = by_name(settings=settings)["Role", role]["rules"]
        return {r["resources"][0]: r["verbs"] for r in rules if r["resources"][0] in ("events", "workloads")}

    assert verbs() == {"events": on_events}
    assert verbs(queue="grids") == {"events": on_events, "workloads": ["list"]}


def test_the_port_of_whoever_is_told_the_end_is_reached():
    found = by_name(settings={"notify": "http://hooks.lab.example:8065/a?b=c"})

    assert 8065 in {p["port"] for p in found["NetworkPolicy", "ensemble-egress"]["spec"]["egress"][1]["ports"]}


def test_all_traffic_is_denied_and_the_metadata_service_never_reached():
    found = by_name(settings={"s3_endpoint": "http://10.0.0.1:9000"})
    egress = found["NetworkPolicy", "ensemble-egress"]["spec"]["egress"]

    assert found["NetworkPolicy", "ensemble-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {p["port"] for p in egress[1]["ports"]} == {443, 6443, 9000}
    for rule in egress:
        for place in rule["to"]:
            if place.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                assert place["ipBlock"]["except"] == ["169.254.169.254/32"]


def test_accounts_are_annotated_for_irsa_on_request_only():
    role = "arn:aws:iam::123456789012:role/ensembles/trainer"

    assert by_name(trainer_role=role)["ServiceAccount", "ensemble-trainer"]["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": role
    }
    assert by_name()["ServiceAccount", "ensemble-trainer"]["metadata"]["annotations"] == {}


def test_groups_and_users_get_the_launchers_role():
    subjects = by_name(groups=("ml",), users=("ann@example.org",))["RoleBinding", "ensemble-launcher"]["subjects"]

    assert [(s["kind"], s["name"]) for s in subjects] == [
        ("ServiceAccount", "ensemble-launcher"),
        ("Group", "ml"),
        ("User", "ann@example.org"),
    ]


@pytest.mark.parametrize("options", [{"trainer_role": "role"}, {"groups": ("a\nb",)}], ids=["role", "group"])
def test_what_is_no_role_or_group_is_refused(options):
    with pytest.raises(InvalidInput):
        namespace.Options(**options)
