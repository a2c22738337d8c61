"""A throwaway Kubernetes cluster from real parts, for tests on one machine (Linux, no registry, no Docker).

    python -m tests.cluster.cluster up   DIR [--kwok NODES] [--node]   # writes DIR/admin.kubeconfig, leaves the parts running
    python -m tests.cluster.cluster down DIR

The control plane is the real one, built by build.sh. --kwok N adds N simulated GPU nodes; --node (root) adds this machine
as one real node that runs real containers.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from tests.cluster import control_plane, node, simulated
from tests.cluster.parts import BIN, BRIDGE, HERE, Parts, free_port, kubectl, sh

__all__ = ["BIN", "BRIDGE", "HERE", "Parts", "down", "free_port", "import_image", "kubectl", "sh", "up"]
NEEDED = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
    "stages/node-initialize.yaml",
)
import_image = node.import_image


def missing() -> list[str]:
    """The binaries of a simulated cluster that have not been built."""
    return [name for name in NEEDED if not (BIN / name).exists()]


def up(home: pathlib.Path, *, kwok: int = 0, real: bool = False) -> Parts:
    """Starts a cluster whose files are in ``home``; what was started is stopped again if a part does not come up."""
    parts = Parts(home)
    try:
        control_plane.start(home, parts)
        if kwok:
            simulated.start(home, parts, kwok)
        if real:
            node.start(home, parts)
    except BaseException:
        down(home)
        raise
    return parts


def down(home: pathlib.Path) -> None:
    """Stops every part of the cluster."""
    parts = Parts(home)
    parts.stop(["kueue"])
    node.stop(home, parts)
    parts.stop(["kwok", *control_plane.PARTS])


def main() -> int:
    """Parses and calls."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--kwok", type=int, default=0, metavar="NODES")
    parser.add_argument("--node", action="store_true")
    arguments = parser.parse_args()
    home = arguments.dir.resolve()
    if arguments.verb == "down":
        down(home)
        return 0
    up(home, kwok=arguments.kwok, real=arguments.node)
    print(home / "admin.kubeconfig")
    return 0


if __name__ == "__main__":
    sys.exit(main())
