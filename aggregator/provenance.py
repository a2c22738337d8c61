"""How the results were made: what their files say of code, packages, devices and data."""

from __future__ import annotations

import json
from collections import Counter

from aggregator.page import Section
from aggregator.run import RunResults
from aggregator.tables import NOTHING, Entry, Table, text

_FACTS = {
    "git_commit": "git commit", "image": "image", "device": "device", "arithmetic": "arithmetic", "packages": "packages",
    "numerics": "numerics", "dataset_sha256": "data set (sha256)", "deterministic": "deterministic",
    "schema_version": "schema of the file",
}  # fmt: skip


def made_with(run: RunResults) -> Section:
    """Each fact with the number of cells of which it is true: a run of one kind has one row for each."""
    counts: Counter[tuple[str, str]] = Counter()
    for facts in run.provenance.values():
        for name, title in _FACTS.items():
            counts[title, _shown(facts.get(name))] += 1
    rows = [(text(k), text(v), Entry(text=f"{n:,}", value=n)) for (k, v), n in sorted(counts.items())]
    launched = [(text(f"launch: {k}"), text(v or NOTHING), text("")) for k, v in run.run.provenance.items()]
    if not rows and not launched:
        return Section(anchor="provenance", title="How it was made")
    table = Table(name="provenance", title="Provenance", caption="As the trainer recorded it in every result. Several values of one fact "
                  "mean that the cells were not all made alike.", columns=("fact", "value", "cells"), rows=(*launched, *rows))  # fmt: skip
    return Section(anchor="provenance", title="How it was made", blocks=(table,))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    return json.dumps(value) if isinstance(value, (bool, int)) else str(value or NOTHING)
