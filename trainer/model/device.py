"""The device that trains: set up once per process, and named in the results."""

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


def prepare_device(*, deterministic: bool = True) -> bool:
    """Lets GPU memory grow as needed and makes operations deterministic; returns whether to compile with XLA: on a GPU."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return bool(gpus)


def place_on_device(array: np.ndarray) -> tf.Tensor:
    """Returns the array as a tensor on the device, for reading only.

    On a CPU the tensor shares the array's memory where it can, so that the workers of a machine hold one copy of a data
    set: the pages of its file. TensorFlow's kernels need aligned memory, and DLPack cannot export memory that is read-only.
    """
    if tf.config.list_physical_devices("GPU") or array.ctypes.data % ALIGNMENT or not array.flags.c_contiguous:
        return tf.constant(array)
    view = array[:]
    try:
        view.flags.writeable = True
    except ValueError:  # the memory belongs to a bytes object, which is immutable
        return tf.constant(array)
    return tf.experimental.dlpack.from_dlpack(view.__dlpack__())


def device_name() -> str:
    """Returns the name of the GPU, or of the processor where there is no GPU."""
    if (gpu := _gpu()) is not None:
        return str(gpu.get("device_name", "GPU"))
    return f"CPU {_processor('model name') or platform.processor() or platform.machine()}"


def resolve_precision(precision: str) -> str:
    """Returns the arithmetic that a cell's ``precision`` means on this device: ``auto`` is bfloat16 where it has units for it."""
    if precision != "auto":
        return precision
    gpu = _gpu()
    if gpu is not None:
        has_units = gpu.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY
    else:
        has_units = not BFLOAT16_FLAGS.isdisjoint(_processor("flags").split())
    return "bfloat16" if has_units else "float32"


def _gpu() -> dict[str, Any] | None:
    """Returns TensorFlow's details of the first GPU; None where there is no GPU."""
    gpus = tf.config.list_physical_devices("GPU")
    return dict(tf.config.experimental.get_device_details(gpus[0])) if gpus else None


def _processor(fact: str) -> str:
    """Returns a field of the first processor in /proc/cpuinfo; empty where Linux has no such file or field."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    facts = (line.partition(":") for line in lines)
    return next((value.strip() for device_name, _, value in facts if device_name.strip() == fact), "")


def package_versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that determine the numbers.

    TensorFlow's comes from the module: it may be installed as ``tensorflow-cpu``.
    """
    versions = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return versions | {p: metadata.version(p) for p in PACKAGES if p != "tensorflow"}


def peak_memory_bytes() -> int:
    """Returns the largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kibibytes everywhere else
