"""The CloudFormation template: what its linter says, what outlives it, and that no key of the store is forgotten by its policies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cfnlint import decode
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from experiment import keys

STACK = Path(__file__).parents[2] / "deploy" / "aws" / "stack.yaml"


@pytest.fixture(scope="module")
def resources():
    """The template's resources, intrinsic functions in their long form."""
    template, problems = decode.decode(str(STACK))
    assert problems == []
    return json.loads(json.dumps(template))["Resources"]


def found_by_linter(path):
    return [str(match) for match in lint_file(path, ManualArgs(regions=["us-east-1", "eu-west-1"]))]


def documents(resource):
    """The policy documents of a resource."""
    properties = resource["Properties"]
    return [properties.get("PolicyDocument") or p["PolicyDocument"] for p in properties.get("Policies", [properties])]


def norm(statement):
    """A statement with the bucket and prefix of the policy files, and lists for what may be one value."""
    text = json.dumps(statement)
    for ours, theirs in (
        ('{"Fn::GetAtt": ["Store", "Arn"]}', '"arn:aws:s3:::BUCKET"'),
        ("${Store.Arn}", "arn:aws:s3:::BUCKET"),
        ("${Prefix}", "PREFIX"),
    ):
        text = text.replace(ours, theirs)
    plain = json.loads(re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", text))
    return {k: sorted(v) if isinstance(v, list) else [v] for k, v in plain.items()}


def test_the_linter_finds_nothing():
    assert found_by_linter(STACK) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("ImageTagMutability: IMMUTABLE", "ImageTagMutability: NEVER"), ("RoleArn: !GetAtt ClusterRole.Arn", "Role: x")],
)
def test_the_linter_would_find_a_wrong_property(tmp_path, right, wrong):
    spoiled = tmp_path / "stack.yaml"
    spoiled.write_text(STACK.read_text().replace(right, wrong))

    assert found_by_linter(spoiled) != []


def test_the_store_outlives_the_stack_and_nothing_paid_for_expires(resources):
    store = resources["Store"]
    rules = store["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {
        r["Prefix"]["Fn::Sub"].removeprefix("${Prefix}/")
        for r in rules
        if "ExpirationInDays" in r and r["Id"] != "queries"
    }

    assert store["DeletionPolicy"] == store["UpdateReplacePolicy"] == "Retain"
    assert expiring == {keys.CHECKPOINTS, keys.PROGRESS, keys.LEASES}


# The template's policies beside those of deploy/policies, which are tried on a real server.
POLICIES = {
    "StorePolicy": "bucket",
    "TrainerRole": "trainer",
    "CollectorRole": "collector",
    "LauncherPolicy": "launcher",
}
BESIDE = {"OnlyEncrypted", "Reach"}  # of AWS alone: no access without TLS, and the cluster's address


@pytest.mark.parametrize(("resource", "policy"), POLICIES.items())
def test_the_policies_are_those_that_are_tried_on_a_real_server(resources, resource, policy):
    (found,) = documents(resources[resource])
    tried = json.loads((STACK.parents[1] / "policies" / f"{policy}.json").read_text())

    ours = {s["Sid"]: norm(s) for s in found["Statement"] if s["Sid"] not in BESIDE}
    assert ours == {s["Sid"]: norm(s) for s in tried["Statement"]}
