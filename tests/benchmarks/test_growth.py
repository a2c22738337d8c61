"""What a process holds is flat if the peaks of its memory are, and the files and threads that most samples have."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.growth import Sample, Sampler, print_growth, typical_thirds


def held(work, mebibytes, threads=8):
    """A sample after so much work."""
    return Sample(age=work, work=work, MiB=mebibytes, files=7, threads=threads)


def sampled(samples):
    """A sampler of one process."""
    made = Sampler()
    made.samples[1, "then", ""] = list(samples)
    return made


def test_peaks_are_those_of_each_third_of_the_work():
    samples = [held(w, m) for w, m in ((0, 5.0), (9, 7.0), (10, 6.0), (20, 9.0), (21, 8.0), (30, 4.0))]

    assert typical_thirds(samples, "MiB") == (7.0, 6.0, 9.0)


def test_a_file_that_one_sample_meets_is_not_held_and_one_that_most_do_is():
    samples = [held(w, 1.0) for w in range(1, 31)]
    for i in (24, *range(12, 18)):
        samples[i] = dataclasses.replace(samples[i], files=9)

    assert typical_thirds(samples, "files") == (7.0, 9.0, 7.0)


@pytest.mark.parametrize(("each", "threads", "flat"), [(0.0, 8, True), (1.0, 8, False), (0.0, 11, False)])
def test_a_worker_that_grows_in_memory_or_threads_is_not_flat(each, threads, flat, capsys):
    calm = sampled(held(w, 80.0) for w in range(30))
    alone = [held(w, 900.0 + each * w, threads if w >= 20 else 8) for w in range(1, 31)]

    assert print_growth(calm, calm, alone) == flat
    assert ("GROWS" in capsys.readouterr().out) != flat
