"""The effect of the scale of the initial weights on a member's learning curve.

    python -m benchmarks.initial --store URL --dataset cifar10 --member ST --factor 1 0.71

trains the member alone, once from the suite's initial weights (He et al.) and once from 0.71 times these, and prints
every epoch. It shows what smaller weights do, and was made to test a hypothesis about the author's program that is withdrawn
(docs/replication.md). The data set must be in the store: ``python -m trainer --prepare cifar10 --store URL`` puts it there.
"""

from __future__ import annotations

import argparse
import contextlib

from experiment.cell import HEADS, Cell
from experiment.datasets import DATASETS
from experiment.members import MEMBERS
from experiment.store import open_store
from trainer import datasets
from trainer.model import device, training
from trainer.model.program import compiled_program
from trainer.model.signature import program_signature
from trainer.model.types import Dataset, Figures, Snapshot

COLUMNS = ("train_error", "test_error", "train_cross_entropy", "decay")


class _Enough(Exception):
    """The last epoch that was asked for is over."""


def print_curve(cell: Cell, data: Dataset, factor: float, stop_after: int, *, jit: bool) -> None:
    """Trains the cell from ``factor`` times its initial weights and prints its first member's epochs."""
    arithmetic = device.resolve_precision(cell.precision)
    start = compiled_program(program_signature(cell, arithmetic), jit=jit)
    start.begin(cell.seed)
    arrays = start.state
    arrays["theta"] = arrays["theta"] * arrays["theta"].dtype.type(factor)  # biases and centres begin at zero

    def on_epoch_end(epoch: int, figures: Figures) -> None:
        row = {**figures[0], "decay": figures[0]["train_cost"] - figures[0]["train_cross_entropy"]}
        print(f"{factor:6g}  {epoch:5d}  " + "  ".join(f"{row[c]:{len(c)}.4f}" for c in COLUMNS), flush=True)
        if epoch == stop_after:
            raise _Enough

    snapshot = Snapshot(step=0, arithmetic=arithmetic, arrays=arrays)
    with contextlib.suppress(_Enough):
        training.train_cell(cell, data, watch=lambda *_: None, on_epoch_end=on_epoch_end, snapshot=snapshot, jit=jit)


def main() -> int:
    """Trains the member once per factor and prints the curves; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", metavar="URL", required=True, help="the store that holds the data set")
    parser.add_argument("--dataset", default="cifar10", choices=list(DATASETS))
    parser.add_argument("--member", default="ST", choices=list(MEMBERS))
    parser.add_argument("--head", default="wide", choices=HEADS)
    parser.add_argument("--factor", type=float, nargs="+", default=[1.0, 0.71], help="factors of the initial weights")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of the schedule")
    parser.add_argument("--stop-after", type=int, metavar="EPOCH", help="end before the schedule does")
    given = parser.parse_args()
    member = MEMBERS[given.member]
    cell = Cell(dataset=given.dataset, method="single", members=(member,), head=given.head, epochs=given.epochs)
    data = datasets.load_dataset(open_store(given.store), given.dataset)
    jit = device.prepare_device()
    print("factor  epoch  " + "  ".join(COLUMNS))
    for factor in given.factor:
        print_curve(cell, data, factor, given.stop_after or given.epochs, jit=jit)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
