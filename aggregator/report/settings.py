"""Comparing the settings of a data set: a run of many is read side by side, not one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aggregator.entries import NOTHING, Entry, interval_entry, number_entry, text_entry
from aggregator.figures.settings import PAPERS, plot_settings
from aggregator.report.blocks import Block, Section
from aggregator.study import SINGLE, Study
from aggregator.tables import Table, best_treatment
from experiment.datasets import title_of
from experiment.members import ENSEMBLE

MANY = 4  # settings of one data set: with more, figures compare them instead of showing each


def crowded_datasets(studies: Sequence[Study]) -> list[str]:
    """Returns the data sets that the run trains under so many settings that figures of each would hide the comparison."""
    names = [s.dataset for s in studies]
    return [name for name in dict.fromkeys(names) if names.count(name) > MANY]


def settings_section(studies: Sequence[Study]) -> Section:
    """Returns for each such data set a table and a figure of all its settings; nothing of other runs."""
    blocks: list[Block] = []
    for dataset in crowded_datasets(studies):
        own = [s for s in studies if s.dataset == dataset]
        blocks.append(settings_table(own))
        if any(len(s.rows) for s in own):
            blocks.append(plot_settings(own))
    words = "Each setting has its tables below. Its curves are not drawn: a run of at most {} settings has them."
    return Section(
        anchor="settings",
        title="Comparing settings",
        words=(words.format(MANY),) if blocks else (),
        blocks=tuple(blocks),
    )


def settings_table(studies: Sequence[Study]) -> Table:
    """Returns a row for each setting: Single's ensemble, the best one, and the difference between them."""
    title = title_of(studies[0].dataset)
    return Table(
        name=f"{studies[0].dataset}-settings",
        title=f"{title}: settings",
        caption="Test error of the ensembles after the last epoch (mean over seeds), and the best minus Single with its 95 % "
        "interval; being the best of several, it is overstated.",
        columns=("setting", "Single (%)", "best", "its error (%)", "difference (pp)", "95 % interval", "seeds"),
        rows=tuple(map(_setting_row, studies)),
    )


def _setting_row(study: Study) -> tuple[Entry, ...]:
    best = best_treatment(study)
    single = study.final(SINGLE, ENSEMBLE)
    found = study.compare((best, ENSEMBLE), (SINGLE, ENSEMBLE)) if best and best != SINGLE else None
    d = found.scaled(100) if found else None
    return (
        text_entry(study.setting.replace(", ", "\n") or PAPERS),
        number_entry(100 * float(single.mean()) if len(single) else math.nan, ".2f"),
        text_entry(best.title if best else NOTHING),
        number_entry(100 * float(study.final(best, ENSEMBLE).mean()) if best else math.nan, ".2f"),
        number_entry(d.effect, "+.2f") if d else text_entry(NOTHING),
        interval_entry(d, ".2f"),
        text_entry(max(study.asked.values(), default=0)),
    )
