"""Cells are dealt so that workers compile little and end together, and each cell is dealt once."""

from __future__ import annotations

import heapq
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from experiment.grid import load_grid
from experiment.workload import compiled_shape, multiply_adds
from trainer.pending import PendingCell, PendingCells


def play(tasks: list[PendingCell], workers: int, compile_seconds: float = 0.0):
    """Lets workers take cells in simulated time: (time of the end, who trained what, shapes compiled in all)."""
    deal, now, compiled = PendingCells(tasks), 0.0, 0
    free = [(0.0, w, None) for w in range(workers)]
    trained, end = [], 0.0
    while free:
        now, worker, last = heapq.heappop(free)
        task = deal.take(last, now)
        if task is None:
            wait = deal.wait(now)
            if wait is not None:
                heapq.heappush(free, (now + max(wait, 0.001), worker, last))
            continue
        compiled += task.shape != last
        took = task.work + compile_seconds * (task.shape != last)
        trained.append((worker, task))
        end = max(end, now + took)
        heapq.heappush(free, (now + took, worker, task.shape))
    return end, trained, compiled


tasks_of = st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0.1, 10), st.floats(0, 5)), max_size=30).map(
    lambda rows: [PendingCell(index=i, shape=s, work=w, not_before=b) for i, (s, w, b) in enumerate(rows)]
)


@given(tasks_of, st.integers(1, 6))
def test_every_cell_is_dealt_exactly_once(tasks, workers):
    _, trained, _ = play(tasks, workers)

    assert Counter(t.index for _, t in trained) == dict.fromkeys(range(len(tasks)), 1)


@given(tasks_of, st.integers(1, 6))
def test_the_end_is_within_the_longest_cell_of_a_fair_share(tasks, workers):
    ready = [PendingCell(index=t.index, shape=t.shape, work=t.work) for t in tasks]
    end, _, _ = play(ready, workers)
    longest = max((t.work for t in ready), default=0)

    assert end <= sum(t.work for t in ready) / workers + longest + 1e-9


def test_the_demo_on_two_workers_compiles_at_most_once_more_than_it_has_shapes():
    tasks = [
        PendingCell(index=i, shape=compiled_shape(c), work=multiply_adds(c))
        for i, c in enumerate(load_grid("demo").cells)
    ]
    _, _, compiled = play(tasks, 2)

    assert compiled <= 5


def test_the_full_study_on_four_workers_begins_with_the_longest_cells():
    cells = load_grid("full").cells
    tasks = [PendingCell(index=i, shape=compiled_shape(c), work=multiply_adds(c)) for i, c in enumerate(cells)]
    _, trained, compiled = play(tasks, 4)

    assert {cells[t.index].dataset for _, t in trained[:4]} == {"notmnist"}
    assert len({t.shape for _, t in trained[:4]}) == 4
    assert compiled <= 12 + 4


def test_a_worker_keeps_to_its_shape_though_another_has_more_work():
    deal = PendingCells([PendingCell(index=0, shape="a", work=1), PendingCell(index=1, shape="b", work=99)])

    assert deal.take("a", 0).index == 0


def test_a_cell_that_must_wait_is_not_dealt_before_its_time():
    deal = PendingCells([PendingCell(index=0, shape="a", work=1, not_before=5)])

    assert (deal.take(None, 4), deal.wait(4)) == (None, 1)
    assert deal.take(None, 5).index == 0
    assert deal.wait(5) is None


def test_the_shape_of_a_worker_that_died_is_free_again():
    deal = PendingCells(
        [PendingCell(index=i, shape="a", work=9) for i in range(3)] + [PendingCell(index=3, shape="b", work=1)]
    )
    assert deal.take(None, 0).shape == "a"
    deal.leave("a")

    assert deal.take(None, 0).shape == "a"


def test_a_cell_put_back_is_dealt_again():
    deal = PendingCells([PendingCell(index=0, shape="a", work=1)])
    task = deal.take(None, 0)
    deal.add(task)

    assert deal.take("a", 0) == task
    assert deal.wait(0) is None


def test_cells_of_a_lower_rank_come_first_whatever_their_shape():
    deal = PendingCells([PendingCell(index=0, shape="a", work=9, rank=1), PendingCell(index=1, shape="b", work=1)])

    assert [deal.take("a", 0).index for _ in range(2)] == [1, 0]
