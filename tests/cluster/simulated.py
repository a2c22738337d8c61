"""Simulated GPU nodes (KWOK). They run no container: pods turn Running, and tests say how they end."""

from __future__ import annotations

import json
import pathlib

from tests.cluster.parts import BIN, HERE, Parts, kubectl

ROOM = {"cpu": "96", "memory": "1Ti", "ephemeral-storage": "4Ti", "nvidia.com/gpu": "8", "pods": "110"}


def start(home: pathlib.Path, parts: Parts, count: int) -> None:
    """Starts KWOK with this project's stages for pods and its own for nodes, and makes ``count`` nodes."""
    stages = [*sorted((BIN / "stages").glob("node-*.yaml")), *sorted((HERE / "stages").glob("*.yaml"))]
    parts.start(
        "kwok",
        BIN / "kwok",
        f"--kubeconfig={home / 'admin.kubeconfig'}",
        "--manage-nodes-with-label-selector=type=kwok",
        "--node-lease-duration-seconds=40",
        *(arg for stage in stages for arg in ("--config", stage)),
    )
    add_nodes(home, range(count))


def add_nodes(home: pathlib.Path, numbers: range) -> None:
    """Makes the nodes ``gpu-N``, with 8 GPUs each."""
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"gpu-{i}",
                "labels": {"type": "kwok", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": f"gpu-{i}"},
                "annotations": {"kwok.x-k8s.io/node": "fake"},
            },
            "status": {"allocatable": ROOM, "capacity": ROOM},
        }
        for i in numbers
    ]
    kubectl(home, "create", "-f", "-", stdin="\n---\n".join(json.dumps(n) for n in nodes))
