"""GPUs and cores are found without TensorFlow, and each worker is confined to its own."""

from __future__ import annotations

import stat

import pytest

from k8s.local.devices import visible_gpus, worker_slots

TWO = "GPU 0: NVIDIA A100-SXM4 (UUID: GPU-5d5b)\nGPU 1: NVIDIA A100-SXM4 (UUID: GPU-77aa)\n"
SLICED = (
    "GPU 0: NVIDIA H100 (UUID: GPU-1)\n  MIG 3g.40gb Device 0: (UUID: MIG-a)\n  MIG 3g.40gb Device 1: (UUID: MIG-b)\n"
)


@pytest.mark.parametrize(
    ("environ", "driver", "found"),
    [
        ({}, "", []),
        ({}, TWO, ["0", "1"]),
        ({}, SLICED, ["MIG-a", "MIG-b"]),
        ({"CUDA_VISIBLE_DEVICES": "1, 3"}, TWO, ["1", "3"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-5d5b"}, TWO, ["GPU-5d5b"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, TWO, []),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, TWO, []),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,0"}, TWO, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": "1,,0"}, TWO, ["1"]),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, TWO, ["NoDevFiles"]),
    ],
)
def test_gpus_are_those_that_the_environment_names_else_all_that_the_driver_lists(environ, driver, found):
    assert visible_gpus(environ, lambda: driver) == found


def test_the_driver_is_asked_through_nvidia_smi(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && printf '%s' '{TWO}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert visible_gpus({}) == ["0", "1"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert visible_gpus({}) == []
    monkeypatch.setenv("PATH", "/nowhere")
    assert visible_gpus({}) == []


def places(gpus=(), cores=8, workers=None, threads=1, per_gpu=1, cells=99):
    return worker_slots(gpus, cores, workers=workers, threads=threads, per_gpu=per_gpu, cells=cells)


def test_there_is_one_worker_per_gpu_that_sees_no_other():
    found = places(["0", "MIG-a"])

    assert [s.name for s in found] == ["gpu0", "gpu1"]
    assert [s.env for s in found] == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "MIG-a"}]


@pytest.mark.parametrize("arguments", [{"per_gpu": 2}, {"workers": 4}])
def test_workers_that_share_a_gpu_take_memory_as_they_need_it(arguments):
    found = places(["0", "1"], **arguments)

    assert [s.name for s in found] == ["gpu0", "gpu1", "gpu0.1", "gpu1.1"]
    assert [s.env["CUDA_VISIBLE_DEVICES"] for s in found] == ["0", "1", "0", "1"]
    assert all(s.env["TF_FORCE_GPU_ALLOW_GROWTH"] == "true" for s in found)


def test_without_gpus_there_is_one_worker_per_core_with_one_thread():
    found = places(cores=3)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

    assert len(found) == 3
    assert all(s.env == {"CUDA_VISIBLE_DEVICES": "", **dict.fromkeys(names, "1")} for s in found)


def test_more_threads_mean_fewer_workers_and_never_none():
    assert len(places(cores=8, threads=4)) == 2
    assert len(places(cores=2, threads=4)) == 1


def test_a_number_of_workers_beyond_all_cells_takes_neither_time_nor_memory():
    for gpus in ([], ["0"]):
        assert len(places(gpus, workers=10**12, cells=3)) == 3


def test_there_are_never_more_workers_than_cells():
    assert len(places(cores=8, cells=3)) == len(places(["0", "1", "2", "3"], cells=3)) == 3
    assert places(cells=0) == []
