"""What the trainer's libraries read from the environment when they are imported, and what is decided about each variable.

Nothing that a user, an image or a notebook sets for other programs may change a result, stop a training or lose one at its
commit. The decisions are therefore applied by ``import trainer``, before any of these libraries is imported. A library's
variables are removed unless they are known to choose only devices, memory, threads or messages: a new version may read more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, MutableMapping
from fnmatch import fnmatchcase

from experiment.errors import refuse

# The variables that the trainer depends on.
SET = {
    "KERAS_BACKEND": "tensorflow",  # whichever keras.json names
    "KERAS_HOME": f"{os.devnull}/keras",  # where no keras.json can be: neither read nor written
    "TF2_BEHAVIOR": "1",  # as TensorFlow itself sets it; 0 is TensorFlow 1's
    "TF_OVERRIDE_GLOBAL_THREADPOOL": "1",  # a session has threads of its own: trainer.model.inference measures on one
}

TERRAFORM = "Terraform's, whose names begin as TensorFlow's do"

# By pattern of the name, or of NAME=VALUE, why a variable is left as it is: none changes a number of the trainer.
LEFT = {
    "CUDA_*": "which GPUs there are, in which order, and where CUDA is",
    "GRPC_*": "servers, of which the trainer has none",
    "HDF5_*": "plug-ins for compressions that no file of the trainer has",
    "KMP_*": "threads",
    "MATPLOTLIBRC": "plots, which the trainer makes none of",
    "MPLBACKEND=module://*": "plots in a notebook",
    "MPLCONFIGDIR": "plots, which the trainer makes none of",
    "NUMPY_MADVISE_HUGEPAGE": "memory",
    "NUMPY_WARN_IF_NO_MEM_POLICY": "messages",
    "OMP_NUM_THREADS": "threads: a pool sets it for each worker",
    "PYTHON*": "Python's own; experiment.program decides -W and PYTHONWARNINGS",
    "TF_ACC*": TERRAFORM,
    "TF_CLI_*": TERRAFORM,
    "TF_CPP_*": "messages",
    "TF_DATA_DIR": TERRAFORM,
    "TF_DEVICE_MIN_SYS_MEMORY_IN_MB": "memory",
    "TF_ENABLED_DEVICE_TYPES": "which devices there are",
    "TF_FORCE_GPU_ALLOW_GROWTH": "memory",
    "TF_FORCE_UNIFIED_MEMORY": "memory",
    "TF_GPU_ALLOCATOR": "memory",
    "TF_GPU_HOST_MEM_LIMIT_IN_MB": "memory",
    "TF_GPU_THREAD_*": "threads",
    "TF_INPUT": TERRAFORM,
    "TF_IN_AUTOMATION": TERRAFORM,
    "TF_LOG": TERRAFORM,
    "TF_LOG_CORE": TERRAFORM,
    "TF_LOG_PATH": TERRAFORM,
    "TF_LOG_PROVIDER*": TERRAFORM,
    "TF_MIN_GPU_MULTIPROCESSOR_COUNT": "which devices there are",
    "TF_NUM_INTEROP_THREADS": "threads: a pool sets it for each worker",
    "TF_NUM_INTRAOP_THREADS": "threads: a pool sets it for each worker",
    "TF_PER_DEVICE_MEMORY_LIMIT_MB": "memory",
    "TF_PLUGIN_CACHE_*": TERRAFORM,
    "TF_REGISTRY_*": TERRAFORM,
    "TF_TOKEN_*": TERRAFORM,
    "TF_VAR_*": TERRAFORM,
    "TF_WORKSPACE": TERRAFORM,
    "TPU_*": "devices that the trainer does not use",
}

# By pattern, the library whose variable is removed, and what the variable could change.
REMOVED = {
    "AUTOGRAPH_*": ("tensorflow", "how Python is compiled"),
    "CUBLAS_*": ("tensorflow", "which algorithms a GPU multiplies matrices with"),
    "CUDNN_*": ("tensorflow", "which algorithms a GPU convolves with"),
    "DNNL_*": ("tensorflow", "the instructions and the arithmetic of oneDNN"),
    "DTENSOR_*": ("tensorflow", "how tensors are distributed"),
    "KERAS_*": ("keras", "defaults of layers; a value that is no number ends the import"),
    "MPLBACKEND": ("matplotlib", "an unknown name ends the import of Matplotlib, which Keras imports"),
    "NPY_*": ("numpy", "instructions and type promotion"),
    "NUMPY_*": ("numpy", "experimental features"),
    "NVIDIA_TF32_OVERRIDE": ("tensorflow", "the arithmetic of a GPU"),
    "ONEDNN_*": ("tensorflow", "the instructions and the arithmetic of oneDNN"),
    "SCIPY_*": ("sklearn", "the library behind arrays"),
    "SKLEARN_*": ("sklearn", "checks of scikit-learn, which comes with the digits"),
    "TF2_*": ("tensorflow", "whether it behaves as TensorFlow 1"),
    "TF_*": ("tensorflow", "kernels, fusions, precision, and determinism, which DETERMINISTIC decides"),
    "XLA_*": ("tensorflow", "the compiler; XLA_FLAGS keeps the flags of XLA_LEFT"),
}
XLA_LEFT = ("--xla_gpu_cuda_data_dir=",)  # where CUDA is


def apply_decisions(environ: MutableMapping[str, str], imported: Container[str]) -> tuple[str, dict[str, str]]:
    """Sets, leaves and removes the variables of a process; ``imported`` holds the modules that it has imported.

    Returns:
        the removed variables in one text, and those of them that a library has read before, each with the library.
    """
    flags = [flag for flag in environ.get("XLA_FLAGS", "").split() if flag.startswith(XLA_LEFT)]
    removed = {name: library for name in sorted(environ) if (library := reader_of(name, environ[name]))}
    for name in removed:
        del environ[name]
    environ.update(SET)
    if flags:
        environ["XLA_FLAGS"] = " ".join(flags)
    environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # whatever TensorFlow logs as an error, it raises too
    return ", ".join(removed), {name: library for name, library in removed.items() if library in imported}


def reader_of(name: str, value: str) -> str:
    """Returns the library whose variable this is if it is removed; empty if it is left or set."""
    is_left = SET.get(name) == value or any(_matches(name, value, pattern) for pattern in LEFT)
    if is_left or (name == "XLA_FLAGS" and all(flag.startswith(XLA_LEFT) for flag in value.split())):
        return ""
    return next((library for pattern, (library, _) in REMOVED.items() if _matches(name, value, pattern)), "")


def _matches(name: str, value: str, pattern: str) -> bool:
    return fnmatchcase(f"{name}={value}", pattern if "=" in pattern else f"{pattern}=*")


IGNORED, READ_BEFORE = apply_decisions(os.environ, sys.modules)


def check_import_order() -> None:
    """Refuses to train where a library was imported before ``trainer`` and has read a variable that is to be ignored."""
    for name, library in READ_BEFORE.items():
        raise refuse(name, "set", f"unset, as {library} has read it", f"unset it, or import trainer before {library}")
