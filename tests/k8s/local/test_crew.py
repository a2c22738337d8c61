"""How many workers train, on what: as many as the machine has room for, and no more than cells."""

from __future__ import annotations

from experiment.places import MOST_WORKERS
from k8s.local.crew import choose_crew


def crew(gpus=(), cores=8, workers=None, threads=1, per_gpu=1, cells=99):
    return choose_crew(gpus, cores, workers=workers, threads=threads, per_gpu=per_gpu, cells=cells)


def test_there_is_one_worker_per_gpu_unless_more_share_it():
    assert crew(["0", "MIG-a"]).workers == 2
    assert crew(["0", "1"], per_gpu=2).workers == crew(["0", "1"], workers=4).workers == 4
    assert crew(["0", "MIG-a"]).env == {"CUDA_VISIBLE_DEVICES": "0,MIG-a"}
    assert crew(["0"], threads=3).flags == ("--workers", "1")


def test_without_gpus_there_is_one_worker_per_core_with_one_thread_that_sees_no_gpu():
    found = crew(cores=3)

    assert (found.flags, found.env) == (("--workers", "3", "--threads", "1"), {"CUDA_VISIBLE_DEVICES": ""})


def test_more_threads_mean_fewer_workers_and_never_none():
    assert crew(cores=8, threads=4).workers == 2
    assert crew(cores=2, threads=4).workers == 1


def test_there_are_never_more_workers_than_cells_nor_than_the_trainer_takes():
    for gpus in ([], ["0", "1", "2", "3"]):
        assert crew(gpus, cells=3).workers == crew(gpus, workers=10**12, cells=3).workers == 3
        assert crew(gpus, workers=10**12, cells=10**6).workers == MOST_WORKERS
        assert crew(gpus, cells=0).workers == 0
