"""Keys are built and parsed in one place, and the way back finds what the way out named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiment import keys
from experiment.grid import load_grid
from tests.experiment.test_cell import cells

CELL = load_grid("demo").cells[3]
NAME = st.from_regex(r"[a-z0-9][a-z0-9-]{0,40}", fullmatch=True)


ID = CELL.id
LAYOUT = {
    keys.grid("r"): "runs/r/grid.json",
    keys.epochs(CELL): f"results/dataset=digits/method=ce/{ID}/epochs.parquet",
    keys.predictions(CELL): f"results/dataset=digits/method=ce/{ID}/predictions.parquet",
    keys.model(ID, "ST"): f"models/{ID}/ST.keras",
    keys.checkpoint(ID, 12): f"checkpoints/{ID}/000000012.safetensors",
    keys.lease(ID, 3): f"leases/{ID}/000003.json",
    keys.progress(ID): f"progress/{ID}.json",
    keys.failure(ID, "a"): f"failures/{ID}/a.json",
    keys.log(ID, "a"): f"logs/{ID}/a.jsonl",
    keys.dataset_manifest("mnist"): "datasets/mnist.json",
    keys.dataset("mnist", "ab" * 32): "datasets/mnist-abababababababab.npz",
    keys.report("r"): "reports/r/index.html",
    keys.report("r", "tables/a.csv"): "reports/r/tables/a.csv",
    keys.throughput("t4"): "throughput/t4.json",
    keys.forecast("r", "r-mnist-1"): "runs/r/forecasts/r-mnist-1.json",
    keys.forecast("r"): "runs/r/forecasts/",
    keys.report("r", keys.SPENT): "reports/r/spent.json",
    keys.look("digits-ab", "cd"): "looks/digits-ab/cd.json",
    keys.look_plan("demo-68a073"): "looks/plans/demo-68a073/plan.json",
}


def test_the_store_is_laid_out_as_documented():
    assert list(LAYOUT) == list(LAYOUT.values())


@given(cells())
def test_a_commit_names_its_cell(cell):
    assert keys.committed([keys.epochs(cell), keys.predictions(cell), keys.grid("r")]) == {cell.id}


def test_only_a_whole_commit_key_counts():
    good = keys.epochs(CELL)
    for bad in (
        good + ".tmp",
        "x/" + good,
        good.replace("epochs", "epoch"),
        good.replace("method=ce", "ce"),
        good + "\n",
    ):
        assert keys.committed([bad]) == set()


@given(NAME, st.integers(0, 10**9 - 1))
def test_a_checkpoint_s_step_is_read_from_its_key(cell, step):
    assert keys.number_of(keys.checkpoint(cell, step)) == step
    assert keys.number_of(keys.lease(cell, step)) == step


@given(st.lists(st.integers(0, 10**9 - 1), min_size=2))
def test_later_checkpoints_sort_later(steps):
    assert sorted(keys.checkpoint("c", s) for s in steps) == [keys.checkpoint("c", s) for s in sorted(steps)]


@given(NAME, NAME)
def test_a_record_s_cell_and_attempt_are_read_from_its_key(cell, attempt):
    assert keys.attempt_of(keys.failure(cell, attempt)) == (cell, attempt)
    assert keys.attempt_of(keys.log(cell, attempt)) == (cell, attempt)


def test_other_keys_have_neither_step_nor_attempt():
    others = [
        keys.grid("r"),
        keys.epochs(CELL),
        keys.progress(CELL.id),
        keys.folder(keys.CHECKPOINTS, "c"),
        keys.folder(keys.FAILURES, "c"),
        "",
    ]

    assert [keys.number_of(k) for k in others] == [None] * len(others)
    assert [keys.attempt_of(k) for k in others] == [None] * len(others)


def test_prefixes_lead_to_their_keys():
    assert keys.epochs(CELL).startswith(keys.results_folder(CELL.dataset, CELL.method, CELL.id))
    assert keys.checkpoint("c", 1).startswith(keys.folder(keys.CHECKPOINTS, "c"))
    assert keys.failure("c", "a").startswith(keys.folder(keys.FAILURES, "c"))
    assert keys.log("c", "a").startswith(keys.folder(keys.LOGS, "c"))


@given(cells())
def test_a_cell_is_read_from_the_key_of_its_progress(cell):
    assert keys.progress_of(keys.progress(cell.id)) == cell.id
    assert keys.progress_of(keys.epochs(cell)) is None


@given(cells())
def test_a_row_of_a_table_leads_to_the_key_of_its_result(cell):
    assert keys.epochs_of(cell.dataset, cell.method, cell.id) == keys.epochs(cell)
    assert keys.epochs(cell).startswith(keys.results_folder(cell.dataset, cell.method))


@given(cells(), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_an_artifact_s_cell_usual_key_and_attempt_are_read_from_its_key(cell, attempt):
    for usual in (keys.predictions(cell), *(keys.model(cell.id, m.name) for m in cell.members)):
        assert keys.artifact_of(usual) == (cell.id, usual, "")
        assert keys.artifact_of(keys.artifact_beside(usual, attempt)) == (cell.id, usual, attempt)
    assert [keys.artifact_of(k) for k in (keys.epochs(cell), keys.checkpoint(cell.id, 1), "", "models/x.keras")] == [
        None
    ] * 4


def test_attempts_put_beside_one_another_what_differs():
    assert (
        keys.artifact_beside(keys.predictions(CELL), "a-1")
        == f"{keys.results_folder(CELL.dataset, CELL.method, CELL.id)}predictions.a-1.parquet"
    )
    assert keys.artifact_beside(keys.model(ID, "ST"), "a-1") == f"models/{ID}/ST.a-1.keras"


@given(cells())
def test_the_predictions_of_a_commit_lie_beside_it(cell):
    assert keys.predictions_of(keys.epochs(cell)) == keys.predictions(cell)
