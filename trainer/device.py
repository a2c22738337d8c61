"""The device that trains: prepared once per process, and named for the results."""

from __future__ import annotations

import platform
import resource
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.datasets.npz import ALIGNMENT

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
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"CPU {models[0] if models else platform.processor() or platform.machine()}"


def packages() -> dict[str, str]:
    """Versions of Python and the packages that decide the numbers. ``tensorflow`` may be installed as ``tensorflow-cpu``."""
    versions = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return versions | {p: metadata.version(p) for p in PACKAGES if p != "tensorflow"}


def peak_memory_bytes() -> int:
    """The largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kibibytes everywhere else
