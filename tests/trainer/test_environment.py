"""No variable and no file that a library reads when it is imported changes a result or loses a finished training."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from experiment import keys, results
from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.grid import Grid
from experiment.members import Member
from experiment.run import Run
from experiment.store import open_store
from experiment.urls import run_url
from trainer import environment
from trainer.datasets import prepare_dataset
from trainer.environment import LEFT, REMOVED, SET, apply_decisions
from trainer.verify_resume import differing_columns

READ = re.compile(r"""(?:environ(?:\.get)?[\[(]|getenv\()\s*["']([A-Za-z0-9_]+)""")
# Read in tests and builds of the libraries, and on Windows.
ELSEWHERE = {"TEST_TARGET", "project_name", "collaborator_build", "PROCESSOR_ARCHITECTURE", "PROCESSOR_ARCHITEW6432"}


def variables_read(folder):
    """The variables that the Python files of an installed library read, without those of its tests and its build."""
    package = Path(importlib.util.find_spec(folder.partition("/")[0]).origin).parent
    files = (package.parent / folder).rglob("*.py")
    return {name for f in files if "test" not in f.name for name in READ.findall(f.read_text(errors="replace"))}


@pytest.mark.parametrize("folder", ["keras", "tensorflow/python", "numpy/_core", "numpy/lib"])
def test_every_variable_that_a_library_reads_is_decided(folder):
    undecided = [name for name in variables_read(folder) - ELSEWHERE if not decisions_on(name)]

    assert undecided == []


def decisions_on(name):
    return [p for p in (*SET, *LEFT, *REMOVED) if re.fullmatch(p.replace("*", ".*"), name)]


def test_the_variables_of_numpys_compiled_part_are_decided():
    spec = importlib.util.find_spec("numpy._core._multiarray_umath")
    names = set(re.findall(rb"NPY_(?:EN|DIS)ABLE_[A-Z_]+", Path(spec.origin).read_bytes()))

    assert b"NPY_DISABLE_CPU_FEATURES" in names
    assert all(decisions_on(name.decode()) for name in names)


def test_a_librarys_variables_are_removed_and_those_of_devices_memory_and_threads_left():
    hostile = {
        "KERAS_BACKEND": "jax",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "NVIDIA_TF32_OVERRIDE": "1",
        "TF_SOMETHING_NEW": "1",
    }
    left = {"CUDA_VISIBLE_DEVICES": "0", "TF_NUM_INTRAOP_THREADS": "2", "OMP_NUM_THREADS": "2", "HOME": "/home/me"}
    left |= {"TF_VAR_region": "us-east-1", "TF_CLI_CONFIG_FILE": "/home/me/.terraformrc"}  # Terraform's
    environ = hostile | left
    ignored, read_before = apply_decisions(environ, imported=())

    assert ignored == ", ".join(sorted(hostile))
    assert read_before == {}
    assert environ == left | SET | {"TF_CPP_MIN_LOG_LEVEL": "3"}


def test_flags_that_say_where_cuda_is_are_kept():
    environ = {"XLA_FLAGS": "--xla_gpu_cuda_data_dir=/opt/cuda --xla_cpu_enable_fast_math=true"}
    assert apply_decisions(environ, ()) == ("XLA_FLAGS", {})
    assert environ["XLA_FLAGS"] == "--xla_gpu_cuda_data_dir=/opt/cuda"
    assert apply_decisions(environ, ()) == ("", {})


def test_plots_of_a_notebook_stay_in_it():
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    environ = dict(inline)
    apply_decisions(environ, ())
    assert environ == inline | SET | {"TF_CPP_MIN_LOG_LEVEL": "3"}


def test_a_process_may_begin_another():
    environ = {}
    apply_decisions(environ, ())
    assert apply_decisions(dict(environ), ()) == ("", {})


def test_a_library_that_has_read_a_variable_before_is_named(monkeypatch):
    _, read_before = apply_decisions(
        {"TF_DETERMINISTIC_OPS": "0", "KERAS_HOME": "/k"}, imported={"tensorflow", "numpy"}
    )
    assert read_before == {"TF_DETERMINISTIC_OPS": "tensorflow"}

    monkeypatch.setattr(environment, "READ_BEFORE", read_before)
    with pytest.raises(InvalidInput, match=r"TF_DETERMINISTIC_OPS is 'set'.*import trainer before tensorflow"):
        environment.check_import_order()


KERAS_FILE = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.5, "backend": "torch"}
STORM = {
    "AUTOGRAPH_STRICT_CONVERSION": "1",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "none",
    "KERAS_HOME": "/proc/keras",
    "MPLBACKEND": "none",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F",
    "NVIDIA_TF32_OVERRIDE": "1",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "TF2_BEHAVIOR": "0",
    "TF_DETERMINISTIC_OPS": "0",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
    "TF_SET_ONEDNN_FPMATH_MODE": "BF16",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
}
PYTHON = {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "7", "PYTHONIOENCODING": "ascii"}

CELL = Cell(
    dataset="digits",
    method="l2",
    alpha=0.1,
    members=(Member(name="A", bricks=1, blocks=1, filters=8), Member(name="B", bricks=2, blocks=1, filters=4)),
    epochs=2,
    train_examples=256,
    test_examples=64,
    batch_size=32,
)


def trained_store(folder, **env):
    """A store in which a process with these variables has trained the cell."""
    store = open_store(str(folder), create=True)
    prepare_dataset("digits", store)
    store.put_once(keys.grid("test"), Run(name="test", grid=Grid(name="test", cells=(CELL,))).to_bytes(), "test")
    command = [sys.executable, "-m", "trainer", "--run", run_url(store.url, "test"), "--index", "0"]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return store, done.stderr


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    store, said = trained_store(tmp_path_factory.mktemp("clean"))
    assert "ignored" not in said
    return store


@pytest.fixture
def home(tmp_path):
    """A home with a keras.json that is right for another program."""
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(KERAS_FILE))
    return str(tmp_path)


@pytest.mark.parametrize("env", [{}, STORM, PYTHON], ids=["keras.json", "variables", "python"])
def test_a_hostile_environment_changes_no_bit_of_a_result(clean, home, tmp_path, env):
    store, said = trained_store(tmp_path / "store", HOME=home, **env)

    assert differing_columns(CELL, clean, store) == []
    assert ("ignored from the environment: AUTOGRAPH_STRICT_CONVERSION, DNNL_MAX_CPU_ISA, " in said) == (env is STORM)
    for member in CELL.members:
        path = tmp_path / "member.keras"
        path.write_bytes(store.read(keys.model(CELL.id, member.name)))
        model = keras.saving.load_model(path, safe_mode=True)
        assert model.input_shape == (None, 8, 8, 1)
        assert {w.dtype for w in model.weights} == {"float32"}
    predictions = results.from_bytes(store.read(keys.predictions(CELL)), "predictions", "predictions")
    assert np.isfinite(predictions["logits"].combine_chunks().flatten().to_numpy()).all()


@pytest.mark.parametrize("text", ["not JSON", '{"floatx": "float8"}', '{"epsilon": 1}', "{}"])
def test_a_keras_file_that_keras_itself_refuses_is_never_read(tmp_path, text):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(text)
    command = [sys.executable, "-c", "import trainer, keras; print(keras.config.floatx(), keras.config.epsilon())"]
    done = subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True)

    assert done.stdout.split() == ["float32", "1e-07"], done.stderr
    assert [f.name for f in (tmp_path / ".keras").iterdir()] == ["keras.json"]
    assert (tmp_path / ".keras" / "keras.json").read_text() == text


def test_a_home_without_keras_stays_so(tmp_path):
    command = [sys.executable, "-c", "import trainer.model.export"]
    subprocess.run(command, env={**os.environ, "HOME": str(tmp_path)}, check=True)

    assert not (tmp_path / ".keras").exists()
