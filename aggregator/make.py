"""Makes a report: reads the run from the store, builds every file, and writes them there or into a directory."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from aggregator import report as build
from aggregator import run as runs
from aggregator.study import studies
from experiment import keys
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
    found = runs.read(store, run, now())
    parts = studies(found.frame, found.frozen.grid.cells)
    target: Store = store if out is None else LocalStore(out, create=True)
    prefix = keys.report(run, "") if out is None else ""
    for path, data in build.build(found, parts, build.Extra(prices=prices)):
        target.put(f"{prefix}{path}", data)
    return f"{target.url}/{prefix}index.html"
