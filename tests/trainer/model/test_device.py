"""The device's tensors of a data set: the data's own memory where that may be, a copy elsewhere."""

import mmap

import numpy as np
import pytest
import tensorflow as tf

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


def test_without_linuxs_word_on_the_processor_precision_auto_is_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "none")
    assert device.resolve_precision("auto") == "float32"
    assert device.device_name().startswith("CPU ")
