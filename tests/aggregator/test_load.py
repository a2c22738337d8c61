"""load() and load_predictions() answer, or refuse by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator import load
from aggregator.load import load_models, load_predictions
from experiment import keys
from experiment.errors import InvalidInput, NotFound
from experiment.grid import Grid
from experiment.store import LocalStore
from tests.aggregator import factories

ROOT = Path(__file__).parents[2]


def test_load_refuses_by_name_or_leaves_out_and_names(store, cells):
    store.put(keys.epochs(cells[0]), b"PAR1")

    with pytest.raises(InvalidInput, match=rf"1 results cannot be used as they are: .*{cells[0].id}"):
        load(store.url)
    frame = load(store.url, strict=False)
    assert frame["cell_id"].nunique() == 12
    assert cells[0].id in frame.attrs["problems"][0]


def test_a_run_is_its_cells_only(store, cells):
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")

    assert set(load(f"{store.url}/runs/part")["cell_id"]) == {c.id for c in cells[:2]}
    assert load(f"{store.url}/runs/part/").equals(load(f"file://{store.url}/runs/part"))


def test_a_run_that_is_not_there_is_refused_with_those_that_are(store):
    with pytest.raises(InvalidInput, match="the run is 'mode'; allowed: made"):
        load(f"{store.url}/runs/mode")


def test_the_predictions_of_a_cell_have_a_row_for_each_model_and_example(store, cells):
    frame = load_predictions(store.url, cells[4].id)

    assert frame.groupby("model").size().to_dict() == {"Ens": 360, "M": 360, "ST": 360}
    assert len(frame["logits"].iloc[0]) == 10


def test_the_predictions_of_several_cells_are_one_frame_in_the_order_asked_for(store, cells):
    ids = [cells[i].id for i in (4, 2, 9, 2)]
    frame = load_predictions(store.url, ids)

    assert list(frame["cell_id"].unique()) == ids[:3]
    assert len(frame) == 3 * 3 * 360
    one = load_predictions(store.url, ids[1])
    same = frame[frame["cell_id"] == ids[1]].reset_index(drop=True)
    for name in one.columns.drop("logits"):
        assert list(same[name]) == list(one[name])
    assert all((a == b).all() for a, b in zip(same["logits"], one["logits"], strict=True))
    assert {(c.method, c.alpha, c.seed) for c in cells if c.id in ids} == set(
        frame[["method", "alpha", "seed"]].drop_duplicates().itertuples(index=False, name=None)
    )


def test_the_predictions_of_a_run_are_those_of_its_cells_and_columns_may_be_few(store, cells):
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")
    frame = load_predictions(f"{store.url}/runs/part", columns=["cell_id", "label"])

    assert list(frame.columns) == ["cell_id", "label"]
    assert frame.groupby("cell_id", observed=True).size().to_dict() == {c.id: 1080 for c in cells[:2]}
    assert load_predictions(store.url, columns=["cell_id"])["cell_id"].nunique() == len(cells)
    assert load_predictions(store.url, [], columns=["alpha"]).empty
    with pytest.raises(InvalidInput, match="a column of predictions is 'logit'; allowed: cell_id, dataset, method"):
        load_predictions(store.url, columns=["logit"])


def test_predictions_of_many_cells_list_the_store_once(store, cells, monkeypatch):
    listed, as_before = [], LocalStore.list

    def count(self, prefix):
        listed.append(prefix)
        return as_before(self, prefix)

    monkeypatch.setattr(LocalStore, "list", count)
    load_predictions(store.url, [c.id for c in cells])

    assert listed.count(keys.RESULTS) == 1


def test_a_result_that_cannot_be_used_stops_predictions_of_all_and_not_of_other_cells(store, cells):
    store.put(keys.epochs(cells[0]), b"PAR1")

    with pytest.raises(InvalidInput, match=rf"1 results cannot be used as they are: .*{cells[0].id}"):
        load_predictions(store.url)
    assert load_predictions(store.url, [cells[1].id])["cell_id"].nunique() == 1


def test_a_cell_without_predictions_or_with_those_of_another_is_named(store, cells):
    factories.commit_cell(store, cells[1], predictions=False)
    store.delete(keys.predictions(cells[1]))
    with pytest.raises(NotFound, match=rf"{cells[1].id}/predictions\.parquet does not exist"):
        load_predictions(store.url)
    store.put(keys.predictions(cells[1]), store.read(keys.predictions(cells[2])))  # its commit names no digest
    with pytest.raises(InvalidInput, match=rf"{cells[1].id}/predictions\.parquet holds predictions of another cell"):
        load_predictions(store.url)


@pytest.mark.parametrize("read", [load_predictions, load_models])
def test_a_cell_without_a_result_is_named(store, cells, read):
    with pytest.raises(NotFound, match="holds no result of cell 'digits-x'"):
        read(store.url, "digits-x")
    store.delete(keys.epochs(cells[0]))
    with pytest.raises(NotFound, match=f"holds no result of cell '{cells[0].id}'"):
        read(store.url, cells[0].id)


@pytest.mark.parametrize("read", [load_predictions, load_models])
def test_a_damaged_result_is_named_instead_of_what_may_belong_to_it(store, cells, read):
    store.put(keys.epochs(cells[0]), b"PAR1")

    with pytest.raises(InvalidInput, match=r"epochs\.parquet is not a whole Parquet file"):
        read(store.url, cells[0].id)


def test_the_models_of_a_cell_are_those_that_its_commit_names(store, cells):
    cell = cells[4]
    assert load_models(store.url, cell.id) == {m.name: f"{m.name} of {cell.id}".encode() for m in cell.members}

    store.put(keys.model(cell.id, "M"), b"of another attempt")
    with pytest.raises(InvalidInput, match=r"M\.keras has sha256 .*, and its commit names"):
        load_models(store.url, cell.id)


def test_predictions_that_the_commit_does_not_name_are_refused(store, cells):
    store.put(keys.predictions(cells[4]), store.read(keys.predictions(cells[5])))

    with pytest.raises(InvalidInput, match=r"predictions\.parquet has sha256 .*, and its commit names"):
        load_predictions(store.url, cells[4].id)


@pytest.fixture
def lab(tmp_path, cells, monkeypatch):
    """A folder with stores below a folder that is called runs, as the working directory."""
    for name in ("exp1", "2024/exp"):
        factories.committed_store(tmp_path / "lab" / "runs" / name, cells=cells[:2], predictions=False)
    monkeypatch.chdir(tmp_path / "lab")
    return tmp_path / "lab"


@pytest.mark.parametrize(
    "url",
    [
        "{lab}/runs/exp1",
        "{lab}/runs/exp1/",
        "./runs/exp1",
        "runs/exp1",
        "file://{lab}/runs/exp1",
        "{lab}/runs/2024/exp",
        "{lab}/runs/exp1/runs/made",
        "runs/exp1/runs/made/",
        "file://{lab}/runs/2024/exp/runs/made",
    ],
)
def test_a_store_below_a_folder_called_runs_is_a_store_and_its_runs_are_runs(lab, url, cells):
    assert set(load(url.format(lab=lab))["cell_id"]) == {c.id for c in cells[:2]}


def test_where_a_store_and_a_run_share_a_place_the_run_is_meant(lab, cells):
    store = LocalStore(lab, create=True)
    factories.commit_cell(store, cells[5], predictions=False)
    factories.freeze_run(store, Grid(name="one", cells=cells[5:6]), "exp1")

    assert set(load(f"{lab}/runs/exp1")["cell_id"]) == {cells[5].id}


def test_a_run_that_is_neither_there_nor_a_store_is_refused_with_those_that_are(lab):
    with pytest.raises(InvalidInput, match="the run is 'mode'; allowed: made"):
        load(f"{lab}/runs/exp1/runs/mode")
    with pytest.raises(InvalidInput, match="the run is 'exp2'; allowed: none"):
        load(f"{lab}/runs/exp2")


def test_a_run_in_the_working_directory_is_a_run(store, cells, monkeypatch):
    factories.freeze_run(store, Grid(name="part", cells=cells[:1]), "part")
    monkeypatch.chdir(store.root)

    assert set(load("runs/part")["cell_id"]) == {cells[0].id}


def test_a_damaged_run_is_not_taken_for_an_empty_store(store):
    store.put(keys.grid(factories.RUN), b"{}")

    with pytest.raises(InvalidInput, match="is not a frozen grid"):
        load(f"{store.url}/runs/{factories.RUN}")


@pytest.mark.parametrize("inside", ["results", "nothing"])
def test_a_place_that_is_no_store_is_refused_instead_of_giving_no_rows(store, inside):
    (store.root / "nothing").mkdir(exist_ok=True)

    with pytest.raises(InvalidInput, match=f"the store is '.*{inside}'; allowed: a place that holds runs/ or results/"):
        load(store.root / inside)


def test_a_path_may_be_given_as_one(store):
    assert load(store.root).equals(load(store.url))
    assert len(load_predictions(store.root / "runs" / factories.RUN, load(store.root)["cell_id"].iloc[0])) == 3 * 360


def test_importing_load_imports_no_pandas():
    code = "import sys; from aggregator import load; sys.exit('pandas' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"PANDAS_FUTURE": "upcoming"},
        {"PANDAS_FUTURE_INFER_STRING": "0", "PANDAS_COPY_ON_WRITE": "0"},
        {"SCIPY_ARRAY_API": "1"},
    ],
    ids=lambda v: "+".join(v),
)
def test_settings_of_pandas_do_not_stop_load(store, variables):
    code = f"from aggregator import load; frame = load({store.url!r}); print(len(frame), frame.attrs)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | variables, capture_output=True, text=True
    )

    assert done.stdout == "780 {'problems': []}\n", done.stderr
