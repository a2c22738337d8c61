"""Stands in for the aggregator: says which cells are done, and last where a report would be."""

from __future__ import annotations

import json
import os
import sys
import time

from experiment import keys
from experiment.keys import split_run_url
from experiment.run import read_run
from experiment.store import open_store

url, run = split_run_url(sys.argv[sys.argv.index("--run") + 1])
store = open_store(url)
done = [c.id for c in read_run(store, run).grid.cells if store.exists(keys.epochs(c))]
print(f"report on {len(done)} cells", flush=True)
time.sleep(json.loads(os.environ.get("FAKE", "{}")).get("report_seconds", 0))
print(f"{url}/{keys.report(run)}")
