"""How the cells of a run fall into studies: by data set, and by the settings that are neither method, alpha nor seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from aggregator.slugs import make_slugs
from aggregator.study import ORDER, Study, Treatment
from experiment.cell import Cell
from experiment.extensions import NEUTRAL


def make_studies(frame: pd.DataFrame, cells: Sequence[Cell]) -> list[Study]:
    """Returns the run's studies, one per data set and setting, in the grid's order.

    Students of distillation are beside the other cells of their settings; if these have several teachers, each has a study.
    """
    varied = _varied_settings(cells)
    keys = [(c.dataset, _name_setting(c, varied)) for c in cells]
    teachers: dict[tuple[str, str], set[str]] = {}
    for key, cell in zip(keys, cells, strict=True):
        teachers.setdefault(key, set()).update({cell.describe("teacher")} - {""})
    groups: dict[tuple[str, str], list[Cell]] = {}
    for (dataset, setting), cell in zip(keys, cells, strict=True):
        several = cell.teacher and len(teachers[dataset, setting]) > 1
        taught = f"teacher {cell.describe('teacher')}" if several else ""
        groups.setdefault((dataset, ", ".join(filter(None, (setting, taught)))), []).append(cell)
    texts = {key: "-".join(filter(None, key)) for key in groups}
    slugs = make_slugs(list(texts.values()))
    return [_make_study(frame, *key, slugs[texts[key]], group) for key, group in groups.items()]


def _name_setting(cell: Cell, varied: set[tuple[str, str]]) -> str:
    own = [(k, v) for k, v in _settings_of(cell).items() if (cell.dataset, k) in varied and v != USUAL[k]]
    return ", ".join(f"{k} {v}" for k, v in own)


def _make_study(frame: pd.DataFrame, dataset: str, setting: str, slug: str, cells: Sequence[Cell]) -> Study:
    seeds = Counter(map(Treatment.of, cells))
    return Study(
        dataset=dataset,
        setting=setting,
        slug=slug,
        cells=tuple(cells),
        rows=frame[frame["cell_id"].isin({c.id for c in cells})],
        members=tuple(m.name for m in cells[0].members),
        treatments=tuple(sorted(seeds, key=lambda t: (ORDER[t.method], -t.alpha))),
        asked=seeds,
    )


def _settings_of(cell: Cell) -> dict[str, str]:
    """Returns what may differ between two studies of a data set: all but method, alpha, seed and teacher, without commas."""
    apart = ("dataset", "method", "alpha", "seed", "teacher")
    fields = {k: v for k, v in cell.all_fields().items() if k not in apart}
    settings = {k: cell.describe(k) if k in NEUTRAL else f"{v}" for k, v in fields.items()}
    members = " + ".join(f"{m.name} {m.bricks}x{m.blocks}x{m.filters}" for m in cell.members)
    return {**settings, "members": members}


USUAL = _settings_of(Cell(dataset="mnist", method="single"))  # what goes without saying: the paper's settings


def _varied_settings(cells: Sequence[Cell]) -> set[tuple[str, str]]:
    """Returns the settings in which cells of a data set differ, each with the data set."""
    values: dict[tuple[str, str], set[str]] = {}
    for cell in cells:
        for name, value in _settings_of(cell).items():
            values.setdefault((cell.dataset, name), set()).add(value)
    return {key for key, different in values.items() if len(different) > 1}
