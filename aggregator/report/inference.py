"""What inference takes: the table of every model's size and speed, and the shares behind the second halves of claims 2 and 3."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aggregator.claims.second_halves import Provenances, SecondHalf, Share
from aggregator.entries import NOTHING, Entry, count_entry, number_entry, text_entry
from aggregator.study import Study
from aggregator.tables import Table
from experiment.inference import BATCHES, FIGURES, MULTIPLY_ADDS, PARAMETERS, speed_name


def inference_tables(studies: Sequence[Study], provenance: Provenances) -> list[Table]:
    """Returns the table of what inference with each model takes, by data set and processor; none if it was not measured."""
    rows = [row for study in studies for row in _study_rows(study, provenance)]
    if not rows:
        return []
    return [
        Table(
            name="inference",
            title="Inference",
            caption="Parameters and multiply-adds of one image are counted. Images per second, in batches of so many, are "
            "medians over the cells that measured them: on one thread, in float32, of the second and later calls the fastest, "
            "in processor time, so that waiting for others does not count. A processor of another name has rows of "
            "its own.",
            columns=(
                "data set",
                "model",
                "parameters",
                "multiply-adds",
                *(f"images/s, batch {n}" for n in BATCHES),
                "cells",
                "processor",
            ),
            rows=tuple(rows),
        )
    ]


def _study_rows(study: Study, provenance: Provenances) -> Iterator[tuple[Entry, ...]]:
    facts = [found for c in study.cells if (found := provenance.get(c.id, {})).get("inference")]
    for processor in sorted({str(f.get("processor", "")) for f in facts}):
        own = [f["inference"] for f in facts if f.get("processor", "") == processor]
        for model in study.models:
            values = {n: _median([i[model][n] for i in own if n in i.get(model, {})]) for n in FIGURES}
            counted = [number_entry(values[n], ",.0f") for n in (PARAMETERS, MULTIPLY_ADDS)]
            speeds = [number_entry(values[speed_name(n)], ",.0f") for n in BATCHES]
            words = text_entry(processor or NOTHING)
            yield (text_entry(study.title), text_entry(model), *counted, *speeds, count_entry(len(own)), words)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else math.nan


def second_halves_table(second: Mapping[str, SecondHalf]) -> Table:
    """Returns the table of the shares behind the second halves."""
    judged = " ".join(f"{name}: {half.verdict}. {half.rule}" for name, half in second.items())
    return Table(
        name="second-halves",
        title="Second halves of claims 2 and 3: size and speed",
        caption=f"{judged} Memory is that of the parameters. Times are compared within each cell, and their shares over cells, "
        "which shows how surely they were measured on these machines, not how they would be on others.",
        columns=(
            "claim",
            "holds if",
            "share",
            "95 % interval",
            "must be at most",
            "at face value",
            "p: holds",
            "p: fails",
            "cells",
        ),
        rows=tuple(_share_row(name, share) for name, half in second.items() for share in half.shares),
    )


def _share_row(claim: str, share: Share) -> tuple[Entry, ...]:
    low, high = share.bounds
    known = math.isfinite(low)
    return (
        text_entry(claim),
        text_entry(share.says),
        number_entry(share.value, ".3f") if share.cells else text_entry("not measured"),
        Entry(text=f"{low:.3f} to {high:.3f}", bounds=share.bounds) if known else text_entry(NOTHING),
        number_entry(share.limit, ".3f"),
        text_entry({True: "yes", False: "no", None: "open"}[share.face]),
        *(number_entry(p, ".2g") if known else text_entry(NOTHING) for p in (share.p_holds, share.p_fails)),
        count_entry(share.cells),
    )
