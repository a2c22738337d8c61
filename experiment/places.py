"""The places of a machine for a worker: its GPUs, else its cores, and what confines a worker to its own. Found without TensorFlow."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MOST_WORKERS = 1024  # of a machine
GPU_WORKERS = "GPU_WORKERS"  # how many workers share a GPU, each within its part of the memory
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_MIG = re.compile(r"^\s+MIG .*UUID: (MIG-[^)]+)\)")
_GPU = re.compile(r"^GPU (\d+):")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place for one worker process: its name, and the variables that confine the worker to it."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)


def share_machine(
    workers: int, gpus: Sequence[str], cores: int, *, threads: int | None, environ: Mapping[str, str]
) -> list[Place]:
    """Returns the places of so many workers: every GPU once before any twice, or all of them on the cores.

    Args:
        gpus: the value of CUDA_VISIBLE_DEVICES for each; none: the workers find what the environment leaves them.
        threads: of each worker; None: what the environment says, else its share of the cores where it is not alone.
        environ: of the workers.
    """
    sharing = math.ceil(workers / max(len(gpus), 1))
    common = {GPU_WORKERS: str(sharing)} if sharing > 1 else {}
    if threads:
        common |= dict.fromkeys(THREADS, str(threads))
    elif workers > 1:
        common |= {name: str(max(cores // workers, 1)) for name in THREADS if name not in environ}
    if not gpus:
        return [Place(name=f"cpu{i}", env=common) for i in range(workers)]
    spread = [divmod(i, len(gpus)) for i in range(workers)]
    return [
        Place(name=f"gpu{g}" + f".{n}" * (n > 0), env={**common, "CUDA_VISIBLE_DEVICES": gpus[g]}) for n, g in spread
    ]


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
