"""The local executor: the same pool of the trainer that a pod of several cells runs, shown on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from experiment.cell import Cell
from experiment.console import say_beside
from experiment.ledger import committed_ids
from experiment.outage import Patience, outage_seconds
from experiment.store import Store
from k8s.local import display
from k8s.local.board import Board
from k8s.local.crew import Crew
from k8s.local.display import Screen
from k8s.local.pool_process import PoolProcess
from k8s.local.prepare import prepare_datasets
from k8s.local.process import run_interruptible, run_to_end
from k8s.local.programs import Programs
from k8s.local.training import Training
from k8s.planning.plan import Plan, needed_datasets


def launch_locally(store: Store, url: str, plan: Plan, crew: Crew, programs: Programs) -> int:
    """Trains the missing cells, then reports; returns 0 if every cell of the grid is done and the report is made.

    Args:
        url: the run's URL; its grid is ``plan.grid``, frozen in the store.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM; the workers have stopped.
    """
    cells = {i: plan.grid.cells[i] for i in plan.missing}
    failed = {cell: f"set aside: {why}" for cell, why in plan.set_aside.items()}
    if cells:
        gave_up = train_cells(store, url, cells, plan, crew, programs)
        failed |= {cells[i].id: reason for i, reason in sorted(gave_up.items())}
    patience = Patience(seconds=outage_seconds(os.environ), say=say_beside)
    lost = [c for c in plan.grid.cells if c.id in failed]
    for cell_id in patience.wait_out(lambda: committed_ids(store, lost)):  # another launch may have done it meanwhile
        del failed[cell_id]
    for cell_id, reason in failed.items():
        print(f"failed: {cell_id}: {reason}", flush=True)
    code = report_run(url, programs)
    return code or (1 if failed else 0)


def train_cells(
    store: Store, url: str, cells: Mapping[int, Cell], plan: Plan, crew: Crew, programs: Programs
) -> dict[int, str]:
    """Prepares the data sets and trains the cells; returns by index why cells were given up."""

    async def start() -> PoolProcess:
        return await PoolProcess.start(programs.train(url, crew), programs.environment(crew.env))

    async def work(training: Training, screen: Screen) -> None:
        reasons = await prepare_datasets(needed_datasets(cells.values()), store.url, programs, screen)
        training.drop({i: reasons[c.dataset] for i, c in cells.items() if c.dataset in reasons})
        await training.run(start)

    board = Board(len(plan.grid.cells), len(plan.done), cells, time.monotonic())
    with display.show_progress(board) as screen:
        training = Training(cells, board, screen)

        def stopping() -> None:
            screen.note("stopping: workers save their checkpoints; once more to kill them")

        run_interruptible(work(training, screen), stopping, training.kill)
    return training.failed


def report_run(url: str, programs: Programs) -> int:
    """Has the report made and prints the aggregator's output, whose last line says where the report is."""

    def say(line: str) -> None:
        print(line, flush=True)

    code, _ = run_interruptible(
        run_to_end(programs.report(url), programs.environment(), say), lambda: None, lambda: None
    )
    if code:
        print(
            f"error: the report could not be made (exit code {code}); python -m aggregator --run {url} makes it",
            file=sys.stderr,
        )
    return code
