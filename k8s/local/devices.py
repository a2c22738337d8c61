"""The places of this machine for a worker: its GPUs, else its cores. Found without TensorFlow."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_MIG = re.compile(r"^\s+MIG .*UUID: (MIG-[^)]+)\)")
_GPU = re.compile(r"^GPU (\d+):")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A place for one worker process: its name on the screen, and the variables that confine the worker to it."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)


def worker_slots(
    gpus: Sequence[str], cores: int, *, workers: int | None, threads: int, per_gpu: int, cells: int
) -> list[Slot]:
    """Returns a slot per GPU and cell that shares it, else one per core; never more than there are cells to train.

    Args:
        workers: the user's own number of slots; None for all that fit.
        threads: of a worker without a GPU.
    """
    if gpus:
        total = min(workers or per_gpu * len(gpus), cells)
        shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if total > len(gpus) else {}
        spread = [divmod(i, len(gpus)) for i in range(total)]  # every GPU once before any twice
        places = [
            Slot(name=f"gpu{g}" + f".{n}" * (n > 0), env={**shared, "CUDA_VISIBLE_DEVICES": gpus[g]}) for n, g in spread
        ]
    else:
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        env = {**dict.fromkeys(names, str(threads)), "CUDA_VISIBLE_DEVICES": ""}
        places = [Slot(name=f"cpu{i}", env=env) for i in range(min(workers or max(cores // threads, 1), cells))]
    return places


def visible_gpus(environ: Mapping[str, str], ask: Callable[[], str] | None = None) -> list[str]:
    """Returns the value of CUDA_VISIBLE_DEVICES for each GPU: the ones it names already, else all that the driver lists."""
    if "CUDA_VISIBLE_DEVICES" in environ:
        named = [d.strip() for d in environ["CUDA_VISIBLE_DEVICES"].split(",")]
        return list(itertools.takewhile(lambda d: d not in ("", "-1"), named))  # CUDA itself reads no further
    lines = (ask or _driver)().splitlines()
    sliced = [m[1] for m in map(_MIG.match, lines) if m]  # with MIG the whole GPU cannot be used
    return sliced or [m[1] for m in map(_GPU.match, lines) if m]


def _driver() -> str:
    try:
        return subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
