"""The device that trains: set up once per process, and named in the results."""

from __future__ import annotations

import ctypes
import platform
import resource
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from experiment.errors import refuse
from trainer.environment import check_import_order
from trainer.model.types import ALIGNMENT

CPUINFO = Path("/proc/cpuinfo")
DRIVER = Path("/proc/driver/nvidia/gpus")  # a folder per GPU that the driver lists
BFLOAT16_CAPABILITY = (8, 0)  # compute capability from which NVIDIA's tensor cores multiply bfloat16 (Ampere)
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}  # of a processor, as Linux names them
MIB = 2**20
# Of a process on a GPU, what TensorFlow does not count: CUDA's context, kernels, cuDNN. A cautious guess.
OUTSIDE_MIB = 1024
LEAST_MIB = 512  # that a small network needs
PACKAGES = ("tensorflow", "keras", "numpy", "pyarrow")
_chosen = {"deterministic": False}  # of this process: TensorFlow does not say


def prepare_device(*, deterministic: bool = True, workers: int = 1) -> bool:
    """Lets GPU memory grow as needed and makes operations deterministic; returns whether to compile with XLA: on a GPU.

    Args:
        workers: number of processes that share the GPU: of several, each has its part of the memory and no more.

    Raises:
        InvalidInput: a part would be too small.
    """
    check_import_order()
    gpus = tf.config.list_physical_devices("GPU")
    limit = memory_limit(total_memory(), workers) if gpus and workers > 1 else 0
    for gpu in gpus:
        if limit:
            part = tf.config.LogicalDeviceConfiguration(memory_limit=limit)
            tf.config.set_logical_device_configuration(gpu, [part])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
        _chosen["deterministic"] = True
    return bool(gpus)


def is_deterministic() -> bool:
    """Returns whether this process computes with deterministic operations: programs that were traced before differ."""
    return _chosen["deterministic"]


def memory_limit(total: int, workers: int) -> int:
    """Returns the MiB that TensorFlow may allocate in each of several workers of a GPU; 0 where its memory is not known.

    Args:
        total: memory of the GPU in bytes; 0: unknown.

    Raises:
        InvalidInput: less would be left than a small network needs.
    """
    if not total:
        return 0
    limit = total // workers // MIB - OUTSIDE_MIB
    if limit < LEAST_MIB:
        most = max(total // MIB // (OUTSIDE_MIB + LEAST_MIB), 1)
        what = f"the number of workers on a GPU of {total // MIB} MiB"
        raise refuse(what, workers, f"up to {most}", "lower workers_per_gpu (--workers, --cells-per-gpu)")
    return limit


def total_memory(library: str = "libcuda.so.1") -> int:
    """Returns the bytes of the first GPU, or slice of one, that CUDA shows this process; 0 where its driver does not say."""
    try:
        cuda = ctypes.CDLL(library)
        device, total = ctypes.c_int(), ctypes.c_size_t()
        failed = cuda.cuInit(0) or cuda.cuDeviceGet(ctypes.byref(device), 0)
        failed = failed or cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device)
    except (OSError, AttributeError):  # no such library, or none with these functions
        return 0
    return 0 if failed else total.value


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
    """Returns the name of the GPU, or CPU and the name of the processor where TensorFlow has no GPU."""
    if (gpu := _gpu()) is not None:
        return str(gpu.get("device_name", "GPU"))
    return f"CPU {processor_name()}"


def processor_name() -> str:
    """Returns the name of the processor; empty where the system does not tell."""
    return _processor("model name") or platform.processor() or platform.machine()


def explain_unused_gpu(environ: Mapping[str, str]) -> str:
    """Returns one line about a GPU that was asked for, or that the driver lists, and TensorFlow cannot use; else nothing."""
    if _gpu() is not None:
        return ""
    asked = environ.get("CUDA_VISIBLE_DEVICES")
    if asked is None:
        assigned = environ.get("NVIDIA_VISIBLE_DEVICES", "")  # of a container
        what = f"NVIDIA_VISIBLE_DEVICES is {assigned!r}" if assigned.startswith(("GPU-", "MIG-")) else ""
        what = what or ("the NVIDIA driver lists a GPU" if DRIVER.is_dir() and any(DRIVER.iterdir()) else "")
    else:
        what = f"CUDA_VISIBLE_DEVICES is {asked!r}" if asked not in ("", "-1", "NoDevFiles") else ""
    if not what:
        return ""
    built = tf.test.is_built_with_cuda()
    why = "TF_CPP_MIN_LOG_LEVEL=0 shows why" if built else "this TensorFlow is built without CUDA"
    return (
        f"{what}, but TensorFlow finds no GPU and trains on the CPU: {why}; install the extra trainer-gpu to use GPUs"
    )


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
