"""What the cells cost: device-hours, images per second, dollars, and each per percentage point gained over Single."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from aggregator.run import RunResults
from aggregator.study import SINGLE, Study
from aggregator.tables import NOTHING, Entry, Table, number, text
from experiment.cell import ENSEMBLE


def price_of(device: str, prices: Mapping[str, float]) -> float:
    """Dollars per hour: of the longest name that is part of the device's; NaN if none is."""
    names = [n for n in prices if n.lower() in device.lower()]
    return prices[max(names, key=len)] if names else math.nan


def by_cell(run: RunResults, prices: Mapping[str, float]) -> pd.DataFrame:
    """Per done cell, by id: hours, dollars (NaN without a price), images per second, device.

    Hours are training time over all attempts as the trainer measured it; set-up and lost epochs are not in it.
    """
    speed = run.frame[run.frame["model"] == ENSEMBLE].groupby("cell_id", observed=True)["images_per_second"].mean()
    rows = {}
    for cell in run.done:
        facts = run.provenance.get(cell.id, {})
        device = str(facts.get("device", "")) or "unknown"
        hours = float(facts.get("training_seconds", math.nan)) / 3600
        rows[cell.id] = {
            "hours": hours, "dollars": hours * price_of(device, prices), "speed": speed.get(cell.id, math.nan), "device": device,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index", columns=["hours", "dollars", "speed", "device"])


def totals(cells: pd.DataFrame) -> Table:
    """Hours and dollars by device."""
    rows = [
        (text(device), Entry(text=str(len(g)), value=len(g)), number(g["hours"].sum(), ".3g"), number(g["speed"].median(), ",.0f"),
         number(g["dollars"].sum(min_count=1), ",.4g"))
        for device, g in cells.groupby("device")
    ]  # fmt: skip
    return Table(name="cost-by-device", title="By device", caption="Workers that share a device each count their own hours on it.",
                 columns=("device", "cells", "device-hours", "median images/s", "dollars"), rows=tuple(rows))  # fmt: skip


def by_weight(study: Study, cells: pd.DataFrame) -> Table:
    """Per method and alpha: mean hours of a cell, dollars, images/s, and both per percentage point gained over Single."""
    single = study.final(SINGLE, ENSEMBLE)
    rows = []
    for w in study.weights:
        ids = study.last.loc[(study.last["method"] == w.method) & (study.last["alpha"] == w.alpha), "cell_id"].unique()
        own = cells.loc[[str(i) for i in ids if i in cells.index]]
        ours = study.final(w, ENSEMBLE)
        gain = (
            100 * (float(single.mean()) - float(ours.mean())) if len(single) and len(ours) and w != SINGLE else math.nan
        )
        per = [own[c].mean() / gain if gain > 0 else math.nan for c in ("hours", "dollars")]
        shown = text("no gain") if gain <= 0 else number(per[0], ".3g")
        rows.append((text(w.title), number(own["hours"].mean(), ".3g"), number(own["speed"].mean(), ",.0f"),
                     number(own["dollars"].mean(), ",.4g"), Entry(text=f"{gain:+.2f}", value=gain) if math.isfinite(gain) else text(NOTHING),
                     shown, number(per[1], ",.4g")))  # fmt: skip
    return Table(
        name=f"{study.slug}-cost",
        title=f"{study.title}: cost of a cell",
        caption="Means over seeds. Gain: how much lower the ensemble's test error is than that of Single. A gain within "
        "the noise (see Results) makes its price noise, too.",
        columns=("method, alpha", "device-hours", "images/s", "dollars", "gain (pp)", "hours per pp", "dollars per pp"),
        rows=tuple(rows),
    )


def tables(run: RunResults, studies: Sequence[Study], prices: Mapping[str, float]) -> list[Table]:
    """All tables of cost."""
    cells = by_cell(run, prices)
    return [totals(cells), *(by_weight(s, cells) for s in studies if len(s.rows))] if len(cells) else []
