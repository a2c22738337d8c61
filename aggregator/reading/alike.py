"""Finds the cells that were trained or tested on other data than the run's other cells of their data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from aggregator.reading.predictions import Predictions
from aggregator.reading.rows import MEND
from experiment import keys
from experiment.cell import Cell
from experiment.ledger import Problem


def find_strangers(
    cells: Sequence[Cell], frame: pd.DataFrame, provenance: Mapping[str, Mapping[str, Any]]
) -> list[Problem]:
    """Names the cells whose data set has another sha256, or other numbers of examples, than that of most others.

    Args:
        cells: of a run, in its order; those without rows are passed over.
        frame: their rows.
        provenance: by cell id, what its file says; a cell that says nothing of its data set is not judged.
    """
    sizes = frame.drop_duplicates("cell_id").set_index("cell_id")
    digests = {i: str(facts["dataset_sha256"]) for i, facts in provenance.items() if facts.get("dataset_sha256")}
    found = [*_name_odd_cells(cells, digests, lambda c: c.dataset, "it was trained on data with sha256 {}")]
    groups: dict[str, Callable[[Cell], Hashable]] = {
        "train_examples": lambda c: (c.dataset, c.train_examples, c.validation_examples),
        "test_examples": lambda c: (c.dataset, c.test_examples),
    }
    for name, group_of in groups.items():
        counts = {str(i): int(n) for i, n in sizes[name].items()}
        found += _name_odd_cells(cells, counts, group_of, f"it has {{}} {name}")
    return found


def find_other_labels(cells: Sequence[Cell], predictions: Mapping[str, Predictions]) -> list[Problem]:
    """Names the cells whose test examples have other labels than those of most others of their data set."""
    labels = {i: p.labels for i, p in predictions.items()}
    words = "the labels of its predictions have sha256 {}"
    return list(_name_odd_cells(cells, labels, lambda c: (c.dataset, c.test_examples), words))


def _name_odd_cells(
    cells: Sequence[Cell], values: Mapping[str, Hashable], group_of: Callable[[Cell], Hashable], words: str
) -> Iterator[Problem]:
    """Yields the cells that do not share the most frequent value of their group; of as frequent ones the first cell's counts."""
    groups: dict[Hashable, list[Cell]] = {}
    for cell in cells:
        if cell.id in values:
            groups.setdefault(group_of(cell), []).append(cell)
    for group in groups.values():
        [(common, count)] = Counter(values[c.id] for c in group).most_common(1)
        for cell in group:
            if values[cell.id] != common:
                other = f"{count:,} of the run's {len(group):,} cells of {cell.dataset} have {common}"
                reason = f"{words.format(values[cell.id])}, and {other}; {MEND}"
                yield Problem(key=keys.epochs(cell), cell=cell.id, reason=reason)
