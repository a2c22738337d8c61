"""Makes a report: reads the run from the store, builds every file, and writes them there or into a directory."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from aggregator import predictions, prepared
from aggregator import report as build
from aggregator import run as runs
from aggregator.claims import judge
from aggregator.figures import images
from aggregator.figures.style import Picture
from aggregator.run import RunResults
from aggregator.sections import Material
from aggregator.study import studies
from experiment import keys
from experiment.datasets import DATASETS
from experiment.errors import ExperimentError, describe_error
from experiment.ledger import Problem
from experiment.store import LocalStore, Store


def report(
    store: Store,
    run: str,
    *,
    out: Path | None,
    wait: float | None,
    prices: Mapping[str, float],
    now: Callable[[], dt.datetime],
) -> str:
    """Makes the report and returns where its page is. Safe at any moment of the run, and again and again.

    Raises:
        ExperimentError: no such run, or a store or directory that cannot be used.
    """
    if wait is not None:
        runs.wait(store, run, lambda line: print(line, file=sys.stderr, flush=True), wait)
    material = gather(store, runs.read(store, run, now()), prices)
    target: Store = store if out is None else LocalStore(out, create=True)
    prefix = keys.report(run, "") if out is None else ""
    for path, data in build.build(material):
        target.put(f"{prefix}{path}", data)
    return f"{target.url}/{prefix}index.html"


def gather(store: Store, found: RunResults, prices: Mapping[str, float]) -> Material:
    """All that the report is made from: the run's studies, with predictions and pictures of the data where there are any."""
    grid = found.run.grid.cells
    parts, cells, read = [], {}, {}
    problems: list[Problem] = []
    done = {c.id for c in found.done}
    for study in studies(found.frame, grid):
        own = [c for c in study.cells if c.id in done]
        digests, bad = predictions.read(store, predictions.wanted(study, own) if own else [])
        parts.append(predictions.with_predictions(study, own, digests))
        cells[study.slug] = own
        read.update(digests)
        problems += bad
    pictures, remarks = look(store, dict.fromkeys(c.dataset for c in grid))
    return Material(
        run=dataclasses.replace(found, problems=(*found.problems, *(p for p in problems if not p.absent))),
        studies=parts,
        verdicts=judge(parts),
        cells=cells,
        predictions=read,
        prices=prices,
        pictures=pictures,
        remarks=[*remarks, *_without_predictions(problems, done)],
    )


def _without_predictions(problems: Sequence[Problem], done: Collection[str]) -> list[str]:
    absent = sum(p.absent for p in problems)
    if not absent:
        return []
    return [
        f"{absent} of {len(done)} done cells kept no predictions: their errors are compared as independent binomials, and their reliability is not drawn."
    ]


def look(store: Store, names: Iterable[str]) -> tuple[list[Picture], list[str]]:
    """Pictures of each data set, and why some have none."""
    pictures, remarks = [], []
    for name in names:
        try:
            found = prepared.read(store, name)
        except ExperimentError as error:
            remarks.append(f"No pictures of {DATASETS[name].title}: {describe_error(error)}.")
            continue
        pictures += [images.samples(name, found), images.principal(name, found)]
    return pictures, remarks
