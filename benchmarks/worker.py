"""One process of one peer: it reads numbers of steps from standard input, trains them and writes the seconds they took."""

from __future__ import annotations

import functools
import importlib.util
import sys
import time

from benchmarks.peers import Steps, Workload

PEERS = ("ours", "ours bf16", "keras fit", "torch", "torch bf16", "limit", "limit bf16")


def available_peers(python_has_torch: bool) -> list[str]:
    """Returns the peers that this installation can run."""
    return [p for p in PEERS if python_has_torch or not p.startswith("torch")]


def has_torch() -> bool:
    """Returns whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


def build_steps(peer: str, dataset: str) -> Steps:
    """Returns the peer's steps on a data set's shape; no other peer's framework is imported."""
    name, _, precision = peer.partition(" ")
    if peer == "keras fit":
        from benchmarks.peers.keras_fit import prepare_steps
    elif name == "torch":
        from benchmarks.peers import torch_twin

        prepare_steps = functools.partial(torch_twin.prepare_steps, precision="bfloat16" if precision else "float32")
    else:
        from benchmarks.peers import matmul, ours

        module = matmul if name == "limit" else ours
        prepare_steps = functools.partial(module.prepare_steps, precision="bfloat16" if precision else "float32")
    return prepare_steps(Workload(dataset))


def main() -> None:
    """Writes ``ready`` after warming up, then a line of seconds for every number of steps that it reads."""
    steps = build_steps(sys.argv[1], sys.argv[2])
    for _ in range(2):
        steps(2)
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        steps(int(line))
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
