"""What the cells cost: device-hours, images per second and dollars, also per percentage point gained over Single."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from aggregator.entries import (
    NOTHING,
    Entry,
    count_entry,
    hours_entry,
    known_entry,
    number_entry,
    text_entry,
    treatment_entry,
)
from aggregator.reading.run import RunResults
from aggregator.study import SINGLE, Study, Treatment
from aggregator.tables import Table
from experiment.members import ENSEMBLE


def price_per_hour(device: str, prices: Mapping[str, float]) -> float:
    """Returns the price of the longest name that is part of the device's, in dollars; NaN if none is."""
    names = [n for n in prices if n.lower() in device.lower()]
    return prices[max(names, key=len)] if names else math.nan


def cost_by_cell(run: RunResults, prices: Mapping[str, float]) -> pd.DataFrame:
    """Returns hours, dollars (NaN without a price), images per second and device of each done cell, by id.

    Hours are training time over all attempts as the trainer measured it; set-up and lost epochs are not in it.
    """
    speed = run.frame[run.frame["model"] == ENSEMBLE].groupby("cell_id", observed=True)["images_per_second"].mean()
    rows = {}
    for cell in run.done:
        facts = run.provenance.get(cell.id, {})
        device = str(facts.get("device", "")) or "unknown"
        hours = float(facts.get("training_seconds", math.nan)) / 3600
        dollars = hours * price_per_hour(device, prices)
        rows[cell.id] = {"hours": hours, "dollars": dollars, "speed": speed.get(cell.id, math.nan), "device": device}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["hours", "dollars", "speed", "device"])


def cost_by_device(cells: pd.DataFrame) -> Table:
    """Returns the table of hours and dollars by device."""
    rows = [
        (
            text_entry(device),
            count_entry(len(own)),
            hours_entry(own["hours"].sum()),
            number_entry(own["speed"].median(), ",.0f"),
            known_entry(own["dollars"].sum(min_count=1), ",.4g"),
        )
        for device, own in cells.groupby("device")
    ]
    return Table(
        name="cost-by-device",
        title="By device",
        caption="Workers that share a device each count their own hours on it.",
        columns=("device", "cells", "device-hours", "median images/s", "dollars"),
        rows=tuple(rows),
    )


def cost_by_treatment(study: Study, cells: pd.DataFrame) -> Table:
    """Returns the table of a cell's mean hours, dollars and speed by treatment, and of what a point gained costs."""
    return Table(
        name=study.file_name("cost"),
        title=f"{study.title}: cost of a cell",
        caption="Means over seeds. Beyond Single: what collaboration adds to the hours. Gain: how much lower the ensemble's "
        "test error is than that of Single. It has a price only where its 95 % interval excludes 0.",
        columns=(
            "method, alpha",
            "device-hours",
            "images/s",
            "dollars",
            "hours beyond Single",
            "gain (pp)",
            "hours per pp",
            "dollars per pp",
        ),
        rows=tuple(_treatment_row(study, treatment, cells) for treatment in study.treatments),
    )


def cost_tables(run: RunResults, studies: Sequence[Study], prices: Mapping[str, float]) -> list[Table]:
    """Returns all tables of cost."""
    cells = cost_by_cell(run, prices)
    if not len(cells):
        return []
    return [cost_by_device(cells), *(cost_by_treatment(s, cells) for s in studies if len(s.rows))]


def _treatment_row(study: Study, treatment: Treatment, cells: pd.DataFrame) -> tuple[Entry, ...]:
    mean, single = (_mean_cost(study, t, cells) for t in (treatment, SINGLE))
    found = None if treatment == SINGLE else study.compare((treatment, ENSEMBLE), (SINGLE, ENSEMBLE))
    gain = -100 * found.effect if found else math.nan
    shown = found is not None and found.interval[1] < 0
    hours_per_point, dollars_per_point = (mean[n] / gain if shown else math.nan for n in ("hours", "dollars"))
    beyond = mean["hours"] - single["hours"]
    return (
        treatment_entry(treatment),
        hours_entry(mean["hours"]),
        number_entry(mean["speed"], ",.0f"),
        known_entry(mean["dollars"], ",.4g"),
        hours_entry(beyond, "+") if found else text_entry(NOTHING),
        number_entry(gain, "+.2f") if found else text_entry(NOTHING),
        hours_entry(hours_per_point) if shown else text_entry("no gain shown" if found else NOTHING),
        known_entry(dollars_per_point, ",.4g"),
    )


def _mean_cost(study: Study, treatment: Treatment, cells: pd.DataFrame) -> pd.Series:
    ids = [c.id for c in study.cells if Treatment.of(c) == treatment]
    return cells[cells.index.isin(ids)][["hours", "speed", "dollars"]].mean()
