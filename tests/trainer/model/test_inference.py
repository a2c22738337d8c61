"""The speed of inference: every model at every batch, on one thread, without a trace in what is trained."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from experiment.inference import BATCHES, speed_name
from experiment.members import MEMBERS, Member
from trainer.model import inference
from trainer.model.networks import Network

TASKS = Path("/proc/self/task")


def test_every_model_has_a_speed_at_every_batch(make_cell):
    speeds = inference.measure_speeds(make_cell())

    assert list(speeds) == ["A", "B", "Ens"]
    assert all(list(own) == [speed_name(b) for b in BATCHES] for own in speeds.values())
    assert all(0 < speed < float("inf") for own in speeds.values() for speed in own.values())


def seconds_by_thread():
    """Processor time of each thread of this process."""
    ticks = {task.name: (task / "stat").read_text().rpartition(") ")[2].split()[11:13] for task in TASKS.iterdir()}
    return {name: sum(map(int, own)) / os.sysconf("SC_CLK_TCK") for name, own in ticks.items()}


@pytest.mark.skipif(not TASKS.is_dir(), reason="needs Linux, which tells the time of each thread")
def test_one_thread_does_the_work_however_many_the_process_has():
    tf.reduce_sum(tf.ones(8)).numpy()  # now the process has its own threads, as after a training
    calls = inference._open_session((Network(MEMBERS["M"], 1, "plain"),), (28, 28, 1))
    images = np.zeros((64, 28, 28, 1), np.uint8)
    before, spent = seconds_by_thread(), {}
    while sum(spent.values()) < 0.6:
        calls["M"](images)
        spent = {name: now - before.get(name, 0.0) for name, now in seconds_by_thread().items()}

    assert max(spent.values()) > 0.8 * sum(spent.values())


def test_a_session_is_kept_for_the_next_cell_with_the_same_members(make_cell):
    inference.measure_speeds(make_cell())
    made = inference._open_session.cache_info().misses
    inference.measure_speeds(make_cell(method="ce", alpha=0.1, seed=7))

    assert inference._open_session.cache_info().misses == made


def test_no_random_number_of_the_process_is_drawn(make_cell):
    inference._open_session.cache_clear()
    tf.random.set_seed(3)
    expected = tf.random.uniform(()).numpy()
    state = np.random.get_state()[1].tolist()  # noqa: NPY002 - the process's own generator is what must stay as it is
    tf.random.set_seed(3)
    inference.measure_speeds(make_cell())

    assert tf.random.uniform(()).numpy() == expected
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


def test_a_process_that_is_told_to_stop_measures_nothing_more(make_cell):
    looks = iter([False] * 4)

    assert inference.measure_speeds(make_cell(), lambda: next(looks, True)) == {}


def test_a_network_that_is_too_large_to_be_copied_is_not_measured(make_cell):
    wide = Member(name="W", bricks=3, blocks=2, filters=256)

    with pytest.raises(ValueError, match="more than 10,000,000 parameters"):
        inference.measure_speeds(make_cell(method="single", alpha=0.0, members=(wide,)))
