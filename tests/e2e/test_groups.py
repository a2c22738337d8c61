"""Several cells a pod, in real pods: one is evicted half-way, each cell is committed once, and a start serves them all."""

from __future__ import annotations

from datetime import datetime

import pytest

from experiment import keys
from experiment.run import read_run
from tests.e2e.real_namespace import RealNamespace, trainer
from tests.e2e.test_grid import SLOW, committed, uid

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
CELLS = 4


def grid_of(first_seed: int, epochs: int) -> str:
    """A grid of four cells of one shape, none of which another grid here has."""
    seeds = list(range(first_seed, first_seed + CELLS))
    text = SLOW.replace("expect = 1", f"expect = {CELLS}").replace("seed = 0", f"seed = {seeds}")
    return text.replace("epochs = 60", f"epochs = {epochs}")


def seconds_of(pod: dict) -> float:
    """For how long a pod had its node, its data set's container included."""
    end = trainer(pod)["state"]["terminated"]["finishedAt"]
    return (datetime.fromisoformat(end) - datetime.fromisoformat(pod["status"]["startTime"])).total_seconds()


def start_up(namespace: RealNamespace, run: str, grid: str, cells_per_pod: int) -> tuple[int, float]:
    """Trains a grid, one pod at a time; returns the number of pods, and the seconds of a cell beside its epochs."""
    (namespace.folder / f"{run}.toml").write_text(grid)
    flags = ("--parallelism", 1, "--cells-per-pod", cells_per_pod)
    with namespace.launch("--grid", f"{run}.toml", "--run", run, *flags) as launch:
        assert launch.wait(900) == 0
    pods, cells = namespace.pods(run), read_run(namespace.store, run).grid.cells
    training = sum(committed(namespace, cell)["training_seconds"] for cell in cells)
    return len(pods), (sum(map(seconds_of, pods)) - training) / len(cells)


def test_a_pod_of_several_cells_is_evicted_half_way_and_each_cell_is_committed_once(namespace):
    (namespace.folder / "group.toml").write_text(grid_of(0, epochs=20))
    with namespace.launch("--grid", "group.toml", "--run", "group", "--cells-per-pod", CELLS) as launch:
        first = namespace.running("group", 0)
        cells = read_run(namespace.store, "group").grid.cells
        namespace.until(lambda: any(namespace.store.exists(keys.epochs(c)) for c in cells), "a committed cell")
        namespace.evict(first)
        assert launch.wait(900) == 0

    said = (namespace.folder / "launch.log").read_text()
    assert f"{CELLS} of {CELLS} cells done" in said
    attempts = {committed(namespace, cell)["attempt"] for cell in cells}
    last = {uid(pod) for pod in namespace.pods("group")} - {uid(first)}
    assert len(last) == 1
    assert attempts == {uid(first)} | last


def test_the_start_of_a_pod_serves_all_its_cells(namespace):
    alone, each = start_up(namespace, "alone", grid_of(10, epochs=3), 1)
    together, shared = start_up(namespace, "together", grid_of(20, epochs=3), CELLS)
    print(f"{CELLS} cells: {alone} pods, {each:.1f} s of a cell beside its epochs; {together} pod, {shared:.1f} s")

    assert (alone, together) == (CELLS, 1)
    assert shared < each
