"""The device that trains: prepared once per process, and named for the results."""

from __future__ import annotations

import platform
import resource
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.model.types import ALIGNMENT

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_CAPABILITY = (8, 0)  # compute capability from which NVIDIA's tensor cores multiply bfloat16 (Ampere)
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}  # of a processor, as Linux names them
PACKAGES = ("tensorflow", "keras", "numpy", "pyarrow")


def prepare(*, deterministic: bool = True) -> bool:
    """Lets GPU memory grow with need and makes operations deterministic. Returns whether there is a GPU: XLA pays there."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return bool(gpus)


def resident(array: np.ndarray) -> tf.Tensor:
    """The array on the device, for reading alone.

    On a CPU it is the array's own memory if that may be shared: the workers of a machine then hold one copy of a data set,
    the pages of its file. TensorFlow's kernels need it aligned, and the exchange format knows no read-only memory.
    """
    if tf.config.list_physical_devices("GPU") or array.ctypes.data % ALIGNMENT or not array.flags.c_contiguous:
        return tf.constant(array)
    view = array[:]
    try:
        view.flags.writeable = True
    except ValueError:  # of bytes, which are nobody's to write
        return tf.constant(array)
    return tf.experimental.dlpack.from_dlpack(view.__dlpack__())


def name() -> str:
    """The GPU's name, or the processor's."""
    if (gpu := _gpu()) is not None:
        return str(gpu.get("device_name", "GPU"))
    return f"CPU {_processor('model name') or platform.processor() or platform.machine()}"


def arithmetic(precision: str) -> str:
    """What a cell's ``precision`` comes to here: ``auto`` is bfloat16 where the device has units for it, else float32."""
    if precision != "auto":
        return precision
    gpu = _gpu()
    if gpu is not None:
        has_units = gpu.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY
    else:
        has_units = not BFLOAT16_FLAGS.isdisjoint(_processor("flags").split())
    return "bfloat16" if has_units else "float32"


def _gpu() -> dict[str, Any] | None:
    """What TensorFlow knows of the GPU, if there is one."""
    gpus = tf.config.list_physical_devices("GPU")
    return dict(tf.config.experimental.get_device_details(gpus[0])) if gpus else None


def _processor(fact: str) -> str:
    """A fact of the first processor as Linux tells it; empty elsewhere."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    facts = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in facts if name.strip() == fact), "")


def packages() -> dict[str, str]:
    """Versions of Python and the packages that decide the numbers. ``tensorflow`` may be installed as ``tensorflow-cpu``."""
    versions = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return versions | {p: metadata.version(p) for p in PACKAGES if p != "tensorflow"}


def peak_memory_bytes() -> int:
    """The largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kibibytes everywhere else
