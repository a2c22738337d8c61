"""Finds the GPUs that the trainer can use, by running a program of the trainer: this package does not import TensorFlow."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from k8s.local.programs import Programs

LONGEST = 180.0  # seconds: the first import of TensorFlow on a machine, from a slow disk
AT_ONCE = 4  # probes: each imports TensorFlow


def find_usable_gpus(gpus: Sequence[str], count: Callable[[Sequence[str]], int | None]) -> list[str]:
    """Returns the GPUs that the trainer can use; all of them if it does not answer, because its workers will say why.

    Args:
        count: returns how many of these GPUs can be used, or None.
    """
    usable = count(gpus) if gpus else None
    if usable is None or usable == len(gpus):
        return list(gpus)
    if not usable or len(gpus) == 1:
        return []
    with ThreadPoolExecutor(AT_ONCE) as pool:  # one by one; of several slices of a GPU a process sees one only
        return [gpu for gpu, found in zip(gpus, pool.map(lambda gpu: count([gpu]), gpus), strict=True) if found != 0]


def count_usable_gpus(programs: Programs, gpus: Sequence[str]) -> int | None:
    """Returns how many of these GPUs the trainer has computed on; None where it cannot say."""
    env = programs.environment({"CUDA_VISIBLE_DEVICES": ",".join(gpus)})
    try:
        done = subprocess.run(programs.probe, env=env, capture_output=True, text=True, timeout=LONGEST, check=True)
        return int(done.stdout.split()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def describe_unusable(gpus: Sequence[str], usable: Sequence[str]) -> str:
    """Returns a warning that names the GPUs that the trainer cannot use; empty if it can use all."""
    unusable = [gpu for gpu in gpus if gpu not in usable]
    if not unusable:
        return ""
    listed = "CUDA_VISIBLE_DEVICES names" if "CUDA_VISIBLE_DEVICES" in os.environ else "the driver lists"
    instead = "the other GPUs train" if usable else "the cores train"
    advice = "install the extra trainer-gpu or a newer driver; python -m trainer.probe says more"
    return f"warning: TensorFlow cannot use GPU {', '.join(unusable)}, which {listed}: {instead}; {advice}"
