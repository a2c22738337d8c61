"""Made runs whose truth is known: errors as the paper says, and otherwise."""

from __future__ import annotations

from aggregator.claims import judge_claims
from experiment.grid import load_grid
from experiment.members import ENSEMBLE
from tests.aggregator import factories

SEEDS = 6


def seeded_cells(grid="demo", datasets=()):
    cells = load_grid(grid).with_seeds(SEEDS).cells
    return [c for c in cells if not datasets or c.dataset in datasets]


def jitter(cell, model):
    """A little that differs from seed to seed alike for no two cells: pairs over seeds have a spread."""
    return (sum(map(ord, cell.id + model)) % 5) * 3e-3


def as_the_paper_says(cell, model):
    """Errors that fulfil all six statements about the grid."""
    single = {"ST": 0.30, "M": 0.25, ENSEMBLE: 0.18}[model]
    if cell.method == "single":
        return single + jitter(cell, model)
    if cell.alpha >= 1 and cell.method != "ce":
        return 0.6 + jitter(cell, model)
    better = {"ST": 0.05, "M": 0.05, ENSEMBLE: 0.03}[model]
    return better + 0.07 * (cell.alpha >= 0.1) + jitter(cell, model)


def otherwise(cell, model):
    """The reverse: collaboration harms, the more the less of it."""
    single = {"ST": 0.06, "M": 0.06, ENSEMBLE: 0.20}[model]
    return (
        single + jitter(cell, model)
        if cell.method == "single"
        else 0.4 + 0.2 * (cell.alpha < 0.1) + jitter(cell, model)
    )


def judged_claims(tmp_path, gather, error, **options):
    """The claims by name, judged on a run with these errors and without predictions."""
    store = factories.committed_store(tmp_path / "s", error=error, predictions=False, **options)
    return {c.name: c for c in judge_claims(gather(store).studies)}
