"""Stands in for the aggregator: says which cells are done, and last where a report would be."""

from __future__ import annotations

import sys

from experiment import keys
from experiment.frozen import read_run
from experiment.store import open_store, split_run

url, run = split_run(sys.argv[sys.argv.index("--run") + 1])
store = open_store(url)
done = [c.id for c in read_run(store, run).grid.cells if store.exists(keys.epochs(c))]
print(f"report on {len(done)} cells")
print(f"{url}/{keys.report(run)}")
