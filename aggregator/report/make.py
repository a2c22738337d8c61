"""Makes a report: reads the run from the store, builds every file, and writes them into the store or a directory."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from aggregator.looks import record_looks
from aggregator.reading.run import read_run_results, wait_for_cells
from aggregator.report.files import build_files
from aggregator.report.material import gather_material
from experiment import keys
from experiment.errors import ExperimentError, refuse
from experiment.run import Run
from experiment.store import LocalStore, Store


def make_report(
    store: Store,
    run: Run,
    *,
    out: Path | None,
    wait: float | None,
    prices: Mapping[str, float],
    now: Callable[[], dt.datetime],
) -> str:
    """Makes the report and returns the place of its page. Safe at any moment of the run, and again and again.

    Args:
        out: the directory to write into; by default the store's ``reports/RUN/``.
        wait: seconds to wait at most until every cell is done or has failed for good; None: not at all.
        prices: dollars per hour by part of a device's name.

    Raises:
        ExperimentError: a store or directory cannot be used.
    """
    target = store if out is None else _make_folder(out)
    if wait is not None:
        wait_for_cells(store, run, say=lambda line: print(line, file=sys.stderr, flush=True), limit=wait, now=now)
    material = gather_material(store, read_run_results(store, run, now()), prices)
    if out is None:  # a report elsewhere leaves the store alone
        record_looks(store, material.studies, material.looks, run=run.name, now=material.run.time)
    prefix = keys.report(run.name, "") if out is None else ""
    for path, data in build_files(material):
        target.put(f"{prefix}{path}", data)
    return f"{target.url}/{prefix}index.html"


def _make_folder(out: Path) -> Store:
    try:
        return LocalStore(out, create=True)
    except ExperimentError as error:
        raise refuse("--out", str(out), "a directory that you may make and write", "correct it") from error
