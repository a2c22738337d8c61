"""GPUs are found without TensorFlow, and each worker is confined to its own place."""

from __future__ import annotations

import stat

import pytest

from experiment.places import THREADS, share_machine, visible_gpus

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


def places(workers, gpus=(), cores=8, threads=None, **environ):
    return share_machine(workers, gpus, cores, threads=threads, environ=environ)


def test_a_worker_that_is_alone_has_all_that_the_environment_leaves_it():
    [alone] = places(1)

    assert (alone.name, alone.env) == ("cpu0", {})


def test_a_worker_on_a_gpu_sees_no_other():
    found = places(2, ["0", "MIG-a"])

    assert [p.name for p in found] == ["gpu0", "gpu1"]
    assert [p.env["CUDA_VISIBLE_DEVICES"] for p in found] == ["0", "MIG-a"]
    assert all("GPU_WORKERS" not in p.env for p in found)


@pytest.mark.parametrize(("workers", "sharing"), [(3, "2"), (4, "2"), (5, "3")])
def test_workers_that_share_a_gpu_have_a_part_of_its_memory_and_every_gpu_has_one_before_any_has_two(workers, sharing):
    found = places(workers, ["0", "1"])

    assert [p.name for p in found] == ["gpu0", "gpu1", "gpu0.1", "gpu1.1", "gpu0.2"][:workers]
    assert [p.env["CUDA_VISIBLE_DEVICES"] for p in found] == ["0", "1", "0", "1", "0"][:workers]
    assert {p.env["GPU_WORKERS"] for p in found} == {sharing}


def test_workers_of_a_pod_whose_gpu_no_driver_lists_share_it():
    """They see it all the same, as nothing hides it from them."""
    found = places(2)

    assert [p.name for p in found] == ["cpu0", "cpu1"]
    assert all(p.env["GPU_WORKERS"] == "2" and "CUDA_VISIBLE_DEVICES" not in p.env for p in found)


@pytest.mark.parametrize(("workers", "cores", "threads"), [(2, 8, "4"), (3, 8, "2"), (4, 2, "1")])
def test_several_workers_share_the_cores(workers, cores, threads):
    for found in (places(workers, cores=cores), places(workers, ["0"], cores=cores)):
        assert all(p.env[name] == threads for p in found for name in THREADS)


def test_threads_are_those_asked_for_else_those_of_the_environment():
    asked, given = places(2, threads=3, OMP_NUM_THREADS="7"), places(2, OMP_NUM_THREADS="7")

    assert all(p.env[name] == "3" for p in asked for name in THREADS)
    assert all(THREADS[0] not in p.env and p.env[THREADS[1]] == "4" for p in given)
