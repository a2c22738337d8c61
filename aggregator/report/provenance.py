"""How the results were made: what the launch and each result's file say of code, packages, devices and data."""

from __future__ import annotations

import json
from collections import Counter

from aggregator.entries import NOTHING, number_entry, text_entry
from aggregator.reading.run import RunResults
from aggregator.report.blocks import Section
from aggregator.tables import Table

_FACTS = {
    "git_commit": "git commit",
    "image": "image",
    "device": "device",
    "arithmetic": "arithmetic",
    "packages": "packages",
    "numerics": "numerics",
    "dataset_sha256": "data set (sha256)",
    "deterministic": "deterministic",
    "schema_version": "schema of the file",
}


def provenance_section(run: RunResults) -> Section:
    """Returns each fact with the number of cells that it is true of: a run of one kind has one row for each fact."""
    counts: Counter[tuple[str, str]] = Counter()
    for facts in run.provenance.values():
        counts.update((title, _show_fact(facts.get(name))) for name, title in _FACTS.items())
    launch = [tuple(map(text_entry, (f"launch: {k}", v or NOTHING, ""))) for k, v in run.run.provenance.items()]
    rows = [(text_entry(fact), text_entry(value), number_entry(n, ",")) for (fact, value), n in sorted(counts.items())]
    if not rows and not launch:
        return Section(anchor="provenance", title="How it was made")
    table = Table(
        name="provenance",
        title="Provenance",
        caption="As the trainer recorded it in every result. Several values of one fact mean that the cells were not all "
        "made alike.",
        columns=("fact", "value", "cells"),
        rows=(*launch, *rows),
    )
    return Section(anchor="provenance", title="How it was made", blocks=(table,))


def _show_fact(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in sorted(value.items()))
    return json.dumps(value) if isinstance(value, (bool, int)) else str(value or NOTHING)
