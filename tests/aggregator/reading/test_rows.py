"""Rows that are missing, repeat or hold no numbers are named."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator import load
from aggregator.reading import rows
from experiment import keys, results
from tests.aggregator import factories
from tests.aggregator.report_of import text_files


def test_a_repeated_epoch_is_named_although_the_number_of_rows_is_right(store, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[0])))
    factories.replace_result(store, cells[0], pa.concat_tables([table.slice(0, 1), table.slice(0, 1), table.slice(2)]))
    factories.replace_result(
        store, cells[1], pq.read_table(store.local_path(keys.epochs(cells[1]))).sort_by("epoch")
    )  # no matter

    assert load(store.url, strict=False).attrs["problems"] == [
        f"{keys.epochs(cells[0])}: 1 rows repeat a model's epoch; {rows.MEND}"
    ]


def test_repeated_missing_and_contradicting_rows_are_named(store, gather, cells):
    twice, short, other = (pq.read_table(store.local_path(keys.epochs(c))) for c in cells[:3])
    factories.replace_result(store, cells[0], pa.concat_tables([twice, twice.slice(0, 2)]))
    factories.replace_result(store, cells[1], short.slice(0, 59))
    alpha = pa.array([0.5] * 60, pa.float64())
    factories.replace_result(
        store, cells[2], other.set_column(other.schema.get_field_index("alpha"), other.schema.field("alpha"), alpha)
    )
    reasons = {p.cell: p.reason for p in gather(store).run.problems}

    assert "62 rows instead of 60" in reasons[cells[0].id]
    assert "59 rows instead of 60" in reasons[cells[1].id]
    assert "another alpha than the run's grid" in reasons[cells[2].id]


def test_costs_that_are_no_numbers_are_named_and_the_page_still_made(store, gather, cells):
    columns = factories.epoch_columns(cells[4])
    columns["test_cost"][-1] = float("nan")
    columns["train_cost"][3] = float("inf")
    store.put(keys.epochs(cells[4]), results.to_bytes(results.to_table("epochs", columns, factories.made_provenance())))
    material = gather(store)
    reasons = [p.reason for p in material.run.problems if p.cell == cells[4].id]

    assert reasons == [
        f"test_cost of Ens is not a number in 5% of its rows; {rows.MEND}",
        f"train_cost is inf; allowed: numbers from 0 on; {rows.MEND}",
    ]
    assert "test_cost of Ens is not a number" in text_files(material)["index.html"]
