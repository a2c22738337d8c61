"""Studies of cells, as a report makes them."""

from __future__ import annotations

import pandas as pd

from aggregator.grouping import make_studies
from tests.aggregator.factories import epoch_columns, flat_error


def study_of(cells, error=flat_error):
    """The studies of these cells, all of them done."""
    rows = [pd.DataFrame(epoch_columns(c, error)) for c in cells]
    return make_studies(pd.concat(rows, ignore_index=True), cells)
