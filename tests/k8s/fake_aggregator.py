"""Stands in for the aggregator: says which cells are done, and last where a report would be.

With ``--judge`` it says of each claim what FAKE asks for: ``decided`` (by claim, the number of seeds at which it is) and
``chance`` (of a verdict, by claim). A claim compares all cells, or those of the methods in ``compares``.
"""

from __future__ import annotations

import json
import os
import sys
import time

from experiment import keys, looks
from experiment.run import read_run
from experiment.store import open_store
from experiment.urls import split_run_url

FAKE = json.loads(os.environ.get("FAKE", "{}"))


def judge(cells, done, targets, fake=FAKE) -> dict:
    """What the real one prints of a run with these cells."""
    seeds = len({c.seed for c in cells if c.id in done})
    first = min(c.seed for c in cells)
    claims = []
    for name in looks.CLAIMS:
        is_decided = seeds >= fake.get("decided", {}).get(name, 1000)
        methods = fake.get("compares", {}).get(name)
        chance = fake.get("chance", {}).get(name, 0.9)
        claims.append(
            {
                "name": name,
                "verdict": "supported" if is_decided else "undecided",
                "p": 0.001 if is_decided else 0.3,
                "level": 0.005,
                "seeds": seeds,
                "chances": {} if is_decided else dict.fromkeys(targets, chance),
                "reason": "",
                "cells": [c.id for c in cells if c.seed == first and (not methods or c.method in methods)],
            }
        )
    return {"claims": claims}


def main() -> int:
    if "--help" in sys.argv:
        return 0
    url, run = split_run_url(sys.argv[sys.argv.index("--run") + 1])
    store = open_store(url)
    cells = read_run(store, run).grid.cells
    done = [c.id for c in cells if store.exists(keys.epochs(c))]
    if "--judge" in sys.argv:
        if FAKE.get("unjudged"):
            print("error: the store is away", file=sys.stderr)
            return 75
        targets = [t for t in sys.argv[sys.argv.index("--judge") + 1 :] for t in t.split(",")]
        print(json.dumps(judge(cells, done, targets)))
        return 0
    print(f"report on {len(done)} cells", flush=True)
    time.sleep(FAKE.get("report_seconds", 0))
    print(f"{url}/{keys.report(run)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
