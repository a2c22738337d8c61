"""The node pools of deploy/aws on a real API server with Karpenter's own resource definitions, whose rules (CEL) it applies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cluster.parts import BIN, Parts, kubectl

pytestmark = pytest.mark.cluster
FOLDER = Path(__file__).parents[2] / "deploy" / "aws"
DEFINITIONS = BIN / "karpenter-manifests"  # from its Go module, put there by build.sh
FILES = ("node-pools-auto-mode.yaml", "node-pools-karpenter.yaml")


@pytest.fixture(scope="module")
def pools(simulated_cluster):
    """The home of a cluster that knows NodePool and EC2NodeClass."""
    if not DEFINITIONS.is_dir():
        pytest.skip(f"no {DEFINITIONS}: make cluster puts them there")
    kubectl(simulated_cluster, "apply", "--server-side", "-f", DEFINITIONS)
    Parts(simulated_cluster).wait_for_definitions()
    return simulated_cluster


def documents(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text().replace("CLUSTER", "own").replace("NODE_ROLE", "role")))


def judge(home, document):
    """Has the server check a manifest strictly; raises CalledProcessError where it refuses."""
    kubectl(home, "create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(document))


@pytest.mark.parametrize("name", FILES)
def test_the_server_accepts_each_document(pools, name):
    for document in documents(name):
        judge(pools, document)


SPOILED = {
    "unknown field": lambda spec: spec.update(consolidation="never"),
    "unknown policy": lambda spec: spec["disruption"].update(consolidationPolicy="Never"),
    "no node class": lambda spec: spec["template"]["spec"].pop("nodeClassRef"),
    "a restricted label (CEL)": lambda spec: spec["template"]["metadata"].update(labels={"karpenter.sh/nodepool": "x"}),
    "a requirement without values (CEL)": lambda spec: spec["template"]["spec"]["requirements"][0].update(values=[]),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("what", SPOILED)
def test_the_server_refuses_what_is_wrong(pools, name, what):
    (pool, *_) = documents(name)
    SPOILED[what](pool["spec"])

    with pytest.raises((subprocess.CalledProcessError, RuntimeError)):
        judge(pools, pool)


@pytest.mark.parametrize("name", FILES)
def test_the_settings_find_the_nodes_and_tolerate_their_taints(name):
    import tomllib

    settings = tomllib.loads((FOLDER / "cluster.toml").read_text())
    template = documents(name)[0]["spec"]["template"]

    assert settings["node_selector"].items() <= template["metadata"]["labels"].items()
    assert {f"{t['key']}:{t['effect']}" for t in template["spec"]["taints"]} == set(settings["tolerations"])
