"""What is bad is named, and the rest is still reported."""

import dataclasses
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator import load, report
from aggregator.__main__ import main
from aggregator.load import to_frame
from aggregator.reading import read_epochs
from experiment import keys, records, results
from experiment.errors import InvalidInput
from experiment.grid import Grid, load_grid
from experiment.run import read_run
from tests.aggregator import made

HOSTILE = '=HYPERLINK("http://x","y") <script>alert(1)</script> \\input{/etc/passwd} | a_b & 50% #1 {x} ~^$\u202e'


@pytest.fixture
def cells():
    return load_grid("demo").cells


def files(material):
    return {path: data.decode() for path, data in report.build(material) if not path.endswith((".png", ".parquet"))}


def states(material):
    return {s.cell.id: (s.state, s.reason) for s in material.run.undone}


def swap(store, cell, table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    store.put(keys.epochs(cell), sink.getvalue().to_pybytes())


def test_a_torn_file_is_named_and_the_rest_reported(store, read, cells):
    store.put(keys.epochs(cells[3]), store.read(keys.epochs(cells[3]))[:-200])
    material = read(store)

    assert list(states(material)) == [cells[3].id]
    assert "is not a whole Parquet file" in states(material)[cells[3].id][1]
    page = files(material)["index.html"]
    assert "This report is partial: 1 of 13 cells have no result (1 unreadable)" in page
    assert cells[3].id in page


def test_a_changed_byte_of_a_page_is_found_by_its_checksum(store, read, cells):
    data = bytearray(store.read(keys.epochs(cells[0])))
    data[len(data) // 3] ^= 0xFF
    store.put(keys.epochs(cells[0]), bytes(data))

    assert states(read(store))[cells[0].id][0] == "unreadable"


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


def test_a_foreign_file_is_named(store, read, cells):
    swap(store, cells[1], pa.table({"x": [1]}))

    assert "was not written by this suite" in states(read(store))[cells[1].id][1]


def test_a_result_of_another_schema_version_is_named(store, read, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[1])))
    swap(store, cells[1], table.replace_schema_metadata({results._METADATA: b'{"schema_version": 2}'}))

    assert "results schema 2; allowed: 1" in states(read(store))[cells[1].id][1]


def test_a_text_that_is_not_utf8_is_named_and_the_rest_read(store, read, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[1])))
    broken = pa.array([b"S\xff+T"] * 60).view(pa.string())
    swap(store, cells[1], table.set_column(5, table.schema.field("members"), broken))
    material = read(store)

    assert "is not a table of epochs" in states(material)[cells[1].id][1]
    assert material.run.frame["cell_id"].nunique() == 12


def test_every_bad_file_among_many_is_named_and_the_good_ones_keep_rows_and_provenance(store, cells):
    found = [keys.epochs(c) for c in cells]
    empty, other = (pq.read_table(store.local_path(found[i])) for i in (1, 2))
    swap(store, cells[1], empty.slice(0, 0))
    renamed = other.rename_columns(["x", *other.column_names[1:]])
    swap(store, cells[2], renamed.replace_schema_metadata(other.schema.metadata))
    store.put(found[3], b"")
    store.local_path(found[4]).unlink()
    answer = read_epochs(store, found, threads=1)

    assert [p.cell for p in answer.problems] == [c.id for c in cells[1:5]]
    words = ("has no rows", "columns cell_id, x differ", "is not a whole Parquet file", "does not exist")
    assert all(w in p.reason for w, p in zip(words, answer.problems, strict=True))
    good = [c.id for c in cells if c not in cells[1:5]]
    assert list(answer.provenance) == good == to_frame(answer.epochs)["cell_id"].unique().tolist()
    assert answer.epochs.equals(read_epochs(store, [keys.epochs(c) for c in cells if c.id in good]).epochs)


def test_a_repeated_epoch_is_named_although_the_number_of_rows_is_right(store, cells):
    table = pq.read_table(store.local_path(keys.epochs(cells[0])))
    swap(store, cells[0], pa.concat_tables([table.slice(0, 1), table.slice(0, 1), table.slice(2)]))
    swap(store, cells[1], pq.read_table(store.local_path(keys.epochs(cells[1]))).sort_by("epoch"))  # no matter

    assert load(store.url, strict=False).attrs["problems"] == [
        f"{keys.epochs(cells[0])}: 1 rows repeat a model's epoch"
    ]


def test_a_copy_in_anothers_place_is_named(store, read, cells):
    store.put(keys.epochs(cells[1]), store.read(keys.epochs(cells[2])))

    assert f"holds cell {cells[2].id}" in states(read(store))[cells[1].id][1]


def test_a_second_result_of_a_cell_elsewhere_is_named_and_not_read(store, read, cells):
    key = keys.epochs(cells[1]).replace("dataset=digits", "dataset=mnist")
    store.put(key, store.read(keys.epochs(cells[1])))
    material = read(store)

    assert [(p.key, p.cell) for p in material.run.problems] == [(key, cells[1].id)]
    assert len(material.run.frame) == 13 * 60


def test_repeated_missing_and_contradicting_rows_are_named(store, read, cells):
    twice, short, other = (pq.read_table(store.local_path(keys.epochs(c))) for c in cells[:3])
    swap(store, cells[0], pa.concat_tables([twice, twice.slice(0, 2)]))
    swap(store, cells[1], short.slice(0, 59))
    alpha = pa.array([0.5] * 60, pa.float64())
    swap(store, cells[2], other.set_column(other.schema.get_field_index("alpha"), other.schema.field("alpha"), alpha))
    reasons = {p.cell: p.reason for p in read(store).run.problems}

    assert "62 rows instead of 60" in reasons[cells[0].id]
    assert "59 rows instead of 60" in reasons[cells[1].id]
    assert "another alpha than the run's grid" in reasons[cells[2].id]


def test_costs_that_are_no_numbers_are_named_and_the_page_still_made(store, read, cells):
    columns = made.epoch_columns(cells[4])
    columns["test_cost"][-1] = float("nan")
    columns["train_cost"][3] = float("inf")
    store.put(keys.epochs(cells[4]), results.to_bytes(results.to_table("epochs", columns, made.provenance())))
    material = read(store)
    reasons = [p.reason for p in material.run.problems if p.cell == cells[4].id]

    assert reasons == ["train_cost of ST is not a finite number in 5% of its rows", "test_cost of Ens is not a finite number in 5% of its rows"]  # fmt: skip
    assert "test_cost of Ens is not a finite number" in files(material)["index.html"]


def test_hostile_words_are_harmless_in_every_format(store, read, cells):
    store.delete(keys.epochs(cells[0]))
    fail = records.Failure(
        cell=cells[0].id, attempt="a", kind="error", exit_code=1, message=HOSTILE, time="2026-01-01T00:00:00+00:00"
    )
    store.put(keys.failure(cells[0].id, "a"), records.to_bytes(fail))
    made_files = files(read(store))

    assert "<script>alert" not in "".join(d for p, d in made_files.items() if p.endswith((".html", ".md", ".svg")))
    assert "\"'=HYPERLINK" in made_files["tables/missing.csv"]
    assert r"\textbackslash{}input\{/etc/passwd\}" in made_files["tables/missing.tex"]
    assert r"\| a\_b &amp; 50% #1" in made_files["tables/missing.md"]


def test_unreadable_records_and_predictions_are_named(store, read, cells):
    store.put(keys.failure(cells[0].id, "x"), b"{")
    store.put(keys.predictions(cells[5]), b"PAR1")
    problems = {p.key: p.reason for p in read(store).run.problems}

    assert "is not a record of this suite" in problems[keys.failure(cells[0].id, "x")]
    assert "is not a whole Parquet file" in problems[keys.predictions(cells[5])]


def test_a_run_without_any_result_still_gives_a_report(tmp_path, read):
    from experiment.store import LocalStore

    store = LocalStore(tmp_path / "s", create=True)
    made.freeze(store, load_grid("demo"))
    page = files(read(store))["index.html"]

    assert "This report is partial: 13 of 13 cells have no result (13 missing)" in page
    assert all(c.id in page for c in load_grid("demo").cells)


def test_settings_that_differ_are_never_averaged(tmp_path, read):
    cells = [c for c in load_grid("demo").cells if c.method == "single"]
    longer = [dataclasses.replace(c, epochs=30, head="plain") for c in cells]
    store = made.committed(tmp_path / "s", cells=[*cells, *longer])

    assert [s.setting for s in read(store).studies] == ["epochs 20, head wide", "epochs 30, head plain"]


def test_load_refuses_by_name_or_leaves_out_and_names(store, cells):
    store.put(keys.epochs(cells[0]), b"PAR1")

    with pytest.raises(InvalidInput, match=rf"1 results cannot be used as they are: .*{cells[0].id}"):
        load(store.url)
    frame = load(store.url, strict=False)
    assert frame["cell_id"].nunique() == 12
    assert cells[0].id in frame.attrs["problems"][0]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("{store}/runs/none", "does not exist"), ("{store}", "allowed: STORE/runs/RUN"), ("/no/such/runs/x", "an existing directory"),
        ("ftp://host/runs/x", "allowed: a directory"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_is_refused_in_one_line(store, capsys, run, words):
    assert main(["--run", run.format(store=store.url)]) == 42
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("price", ["free", "K80=", "-1", "inf"])
def test_a_price_that_is_none_is_refused(store, capsys, price):
    assert main(["--run", f"{store.url}/runs/made", f"--price={price}"]) == 42
    assert "allowed: [DEVICE=]USD per hour" in capsys.readouterr().err


def test_a_store_without_rights_is_refused_in_one_line(store, capsys, monkeypatch):
    def refused(self, key, data):
        raise InvalidInput(
            f"{self.url}/{key} cannot be used: Permission denied; choose a --store that you may read and write"
        )

    monkeypatch.setattr(type(store), "put", refused)

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "Permission denied" in capsys.readouterr().err


def test_a_damaged_grid_is_refused(store, capsys):
    path = store.local_path(keys.grid("made"))
    path.write_text(path.read_text().replace('"alpha": 0.01', '"alpha": 0.02'))

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "is damaged" in capsys.readouterr().err


def test_cells_of_other_runs_are_not_in_the_report(store, read, cells):
    made.freeze(store, Grid(name="part", cells=cells[:2]), "part")

    assert read(store, "part").run.frame["cell_id"].nunique() == 2
    assert len(read_run(store, "part").grid.cells) == 2
    shutil.rmtree(store.root / "results" / "dataset=digits" / "method=l1")
    assert read(store, "part").run.undone == []
