"""Results that cannot be used are named, and the rest is read."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator import load
from aggregator.reading.epochs import read_epochs, to_frame
from experiment import keys, results
from experiment.provenance import METADATA
from tests.aggregator import factories
from tests.aggregator.report_of import text_files, undone_states

COUNTED = pa.proxy_memory_pool(pa.default_memory_pool())  # must outlive what was allocated from it


def test_a_torn_file_is_named_and_the_rest_reported(store, gather, cells):
    store.put(keys.epochs(cells[3]), store.read(keys.epochs(cells[3]))[:-200])
    material = gather(store)

    assert list(undone_states(material)) == [cells[3].id]
    assert "is not a whole Parquet file" in undone_states(material)[cells[3].id][1]
    page = text_files(material)["index.html"]
    assert "This report is partial: 1 of 13 cells have no result (1 unreadable)" in page
    assert cells[3].id in page


def test_a_changed_byte_of_a_page_is_found_by_its_checksum(store, gather, cells):
    data = bytearray(store.read(keys.epochs(cells[0])))
    column = (
        pq.ParquetFile(pa.BufferReader(bytes(data)))
        .metadata.row_group(0)
        .column(results.EPOCHS.names.index("test_error"))
    )
    data[column.data_page_offset + column.total_compressed_size - 1] ^= 0xFF
    store.put(keys.epochs(cells[0]), bytes(data))

    assert undone_states(gather(store))[cells[0].id][0] == "unreadable"


def test_any_changed_byte_is_found_or_changes_nothing(store, cells):
    key = keys.epochs(cells[0])
    whole, table = store.read(key), load(store.url)
    for place in range(5, len(whole), 211):
        data = bytearray(whole)
        data[place] ^= 0xFF
        store.put(key, bytes(data))
        read = read_epochs(store, [key])
        assert read.problems or to_frame(read.epochs).equals(to_frame(table_of(whole)))

    assert len(table) == 13 * 60


def table_of(data):
    return results.from_bytes(data, "epochs", "x").replace_schema_metadata(None)


def test_a_foreign_file_is_named(store, gather, cells):
    factories.replace_result(store, cells[1], pa.table({"x": [1]}))

    assert "was not written by this suite" in undone_states(gather(store))[cells[1].id][1]


def test_a_result_of_another_schema_version_is_named(store, gather, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[1])))
    factories.replace_result(store, cells[1], table.replace_schema_metadata({METADATA: b'{"schema_version": 4}'}))

    assert "results schema 4; allowed: 1, 2, 3" in undone_states(gather(store))[cells[1].id][1]


def test_a_text_that_is_not_utf8_is_named_and_the_rest_read(store, gather, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[1])))
    broken = pa.array([b"S\xff+T"] * 60).view(pa.string())
    factories.replace_result(store, cells[1], table.set_column(5, table.schema.field("members"), broken))
    material = gather(store)

    assert "is not a table of epochs" in undone_states(material)[cells[1].id][1]
    assert material.run.frame["cell_id"].nunique() == 12


def test_every_bad_file_among_many_is_named_and_the_good_ones_keep_rows_and_provenance(store, cells):
    found = [keys.epochs(c) for c in cells]
    empty, other = (pq.read_table(store.local_path(found[i])) for i in (1, 2))
    factories.replace_result(store, cells[1], empty.slice(0, 0))
    renamed = other.rename_columns(["x", *other.column_names[1:]])
    factories.replace_result(store, cells[2], renamed.replace_schema_metadata(other.schema.metadata))
    store.put(found[3], b"")
    store.local_path(found[4]).unlink()
    answer = read_epochs(store, found, threads=1)

    assert [p.cell for p in answer.problems] == [c.id for c in cells[1:5]]
    words = ("has no rows", "columns cell_id, x differ", "is not a whole Parquet file", "does not exist")
    assert all(w in p.reason for w, p in zip(words, answer.problems, strict=True))
    good = [c.id for c in cells if c not in cells[1:5]]
    assert list(answer.provenance) == good == to_frame(answer.epochs)["cell_id"].unique().tolist()
    alone = read_epochs(store, [keys.epochs(c) for c in cells if c.id in good]).epochs
    assert answer.epochs.to_pandas().equals(alone.to_pandas())  # a NaN equals a NaN there


def test_a_copy_in_anothers_place_is_named(store, gather, cells):
    store.put(keys.epochs(cells[1]), store.read(keys.epochs(cells[2])))

    assert f"holds cell {cells[2].id}" in undone_states(gather(store))[cells[1].id][1]


def test_a_frame_is_made_without_joining_its_pieces_first(store, cells):
    rows = read_epochs(store, [keys.epochs(c) for c in cells]).epochs
    many = pa.concat_tables([rows] * 20)
    usual = pa.default_memory_pool()
    pa.set_memory_pool(COUNTED)
    try:
        frame = to_frame(many)
    finally:
        pa.set_memory_pool(usual)

    assert len(frame) == many.num_rows
    assert frame.memory_usage().sum() < COUNTED.max_memory() < 1.5 * many.nbytes
