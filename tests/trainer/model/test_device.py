"""The device's tensors of a data set: the data's own memory where that may be, a copy elsewhere."""

import mmap

import numpy as np
import pytest
import tensorflow as tf

from experiment.errors import InvalidInput
from trainer.model import device
from trainer.model.types import ALIGNMENT


def at(offset):
    """Ten numbers of a private mapping, which begins at a page."""
    mapped = mmap.mmap(-1, 4096)
    mapped[offset : offset + 10] = bytes(range(10))
    return np.frombuffer(mapped, np.uint8, 10, offset)


def test_an_aligned_array_is_shared_though_it_is_marked_read_only():
    memory = at(ALIGNMENT)
    array = memory[:]
    array.flags.writeable = False
    tensor = device.place_on_device(array)
    memory[3] = 77
    assert tensor.numpy().tolist() == [0, 1, 2, 77, 4, 5, 6, 7, 8, 9]
    assert not array.flags.writeable


OTHERS = {"elsewhere": at(ALIGNMENT + 1), "strided": at(0)[::2], "bytes": np.frombuffer(bytes(range(10)), np.uint8)}


@pytest.mark.parametrize("array", OTHERS.values(), ids=OTHERS)
def test_any_other_array_is_copied(array):
    assert device.place_on_device(array).numpy().tolist() == array.tolist()


def test_the_data_outlive_the_array():
    tensor = device.place_on_device(at(0))
    assert tensor.numpy().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("capability", "chosen"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((12, 0), "bfloat16"), (None, "float32")]
)
def test_precision_auto_is_the_gpus_choice(monkeypatch, capability, chosen):
    details = {"compute_capability": capability} if capability else {}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)
    assert device.resolve_precision("auto") == chosen
    assert device.resolve_precision("float32") == "float32"


@pytest.mark.parametrize(
    ("flags", "chosen"), [("sse avx512f", "float32"), ("sse avx512_bf16", "bfloat16"), ("amx_bf16 sse", "bfloat16")]
)
def test_precision_auto_is_the_processors_choice(monkeypatch, tmp_path, flags, chosen):
    (tmp_path / "cpuinfo").write_text(
        f"processor : 0\nmodel name\t: A: fast one\nflags\t\t: {flags}\n\nprocessor : 1\n"
    )
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "cpuinfo")
    assert device.resolve_precision("auto") == chosen
    assert device.device_name() == "CPU A: fast one"


@pytest.fixture
def no_driver(monkeypatch, tmp_path):
    """Where a driver would list its GPUs."""
    monkeypatch.setattr(device, "DRIVER", tmp_path / "gpus")
    return tmp_path / "gpus"


@pytest.mark.parametrize(
    "environ",
    [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "MIG-1"}, {"NVIDIA_VISIBLE_DEVICES": "GPU-77"}],
    ids=lambda e: next(iter(e.values())),
)
def test_a_gpu_that_was_asked_for_and_cannot_be_used_is_said(no_driver, environ):
    [(name, value)] = environ.items()

    said = device.explain_unused_gpu(environ)
    assert said.startswith(f"{name} is {value!r}, but TensorFlow finds no GPU and trains on the CPU: ")
    assert said.endswith("install the extra trainer-gpu to use GPUs")


def test_a_gpu_that_the_driver_lists_and_cannot_be_used_is_said(no_driver):
    (no_driver / "0000:01:00.0").mkdir(parents=True)

    assert device.explain_unused_gpu({}).startswith("the NVIDIA driver lists a GPU, but TensorFlow finds no GPU")
    assert device.explain_unused_gpu({"CUDA_VISIBLE_DEVICES": ""}) == ""


@pytest.mark.parametrize("environ", [{}, {"CUDA_VISIBLE_DEVICES": "-1"}, {"NVIDIA_VISIBLE_DEVICES": "all"}])
def test_without_a_gpu_asked_for_nothing_is_said(no_driver, environ):
    assert device.explain_unused_gpu(environ) == ""


def test_a_gpu_that_is_used_is_not_said_to_be_unused(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: {})
    assert device.explain_unused_gpu({"CUDA_VISIBLE_DEVICES": "0"}) == ""


def test_without_linuxs_word_on_the_processor_precision_auto_is_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "none")
    assert device.resolve_precision("auto") == "float32"
    assert device.device_name().startswith("CPU ")


def test_workers_that_share_a_gpu_have_a_part_of_its_memory_each_and_room_beside_it():
    t4 = 15 * 2**30

    assert [device.memory_limit(t4, n) for n in (1, 2, 4, 8)] == [14336, 6656, 2816, 896]
    assert 4 * (device.memory_limit(t4, 4) + device.OUTSIDE_MIB) <= t4 // device.MIB
    assert device.memory_limit(0, 4) == 0
    with pytest.raises(InvalidInput, match="the number of workers on a GPU of 15360 MiB is 16; allowed: up to 10"):
        device.memory_limit(t4, 16)
    assert device.memory_limit(t4, 10) >= device.LEAST_MIB


def test_where_no_driver_tells_the_memory_of_a_gpu_it_is_not_known():
    assert device.total_memory("libno-such-cuda.so.1") == 0
    assert device.total_memory("libc.so.6") == 0


def test_a_share_of_the_memory_is_set_before_the_device_is_used(monkeypatch):
    set_to, gpu = [], tf.config.PhysicalDevice("GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [gpu])
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *given: set_to.append(given))
    monkeypatch.setattr(
        tf.config, "set_logical_device_configuration", lambda g, own: set_to.append((g, [p.memory_limit for p in own]))
    )
    monkeypatch.setattr(device, "total_memory", lambda: 15 * 2**30)

    assert device.prepare_device(workers=4)
    assert device.prepare_device()
    monkeypatch.setattr(device, "total_memory", lambda: 0)
    assert device.prepare_device(workers=4)

    assert set_to == [(gpu, [2816]), (gpu, True), (gpu, True)]
