"""Which look at its results a report is: counted in the store by study, because each look at growing results is paid for.

Making the same report twice is one look, and results that share no seed with earlier ones are looked at for the first time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from aggregator.study import Study
from experiment.looks import LEAST_SEEDS, Look, find_look, name_results, read_looks, record_look
from experiment.store import Store


def name_study(study: Study) -> str:
    """Returns the part of a look's key that all runs with this data set and setting share."""
    return name_results(study.cells[0])


def seeds_of(study: Study) -> tuple[int, ...]:
    """Returns the seeds that the study has results of."""
    return tuple(sorted(int(s) for s in study.rows["seed"].unique()))


def count_looks(store: Store, studies: Sequence[Study]) -> dict[str, Look]:
    """Returns by slug of a study the look at its results that this is. Studies that are not tested yet have none."""
    tested = [(s, seeds) for s in studies if len(seeds := seeds_of(s)) >= LEAST_SEEDS]
    return {s.slug: find_look(read_looks(store, name_study(s)), seeds) for s, seeds in tested}


def record_looks(
    store: Store, studies: Sequence[Study], looks: Mapping[str, Look], *, run: str, now: dt.datetime
) -> None:
    """Counts these looks in the store. A look that is recorded, or was planned, keeps its number.

    Raises:
        InvalidInput: the store cannot be written.
    """
    for study in studies:
        look = looks.get(study.slug)
        if look and look.level is None:
            record_look(store, name_study(study), look, run=run, time=now.isoformat())
