"""Every way in which a committed cell can lack something, or hold something else, is found and named."""

from __future__ import annotations

import pytest

from aggregator.reading.proof import Proof, join_proofs, prove_cells, prove_datasets
from experiment import artifacts, keys, results
from experiment.cell import Cell
from experiment.errors import Transient
from experiment.ledger import Problem
from tests.aggregator import factories


def prove(store, cells, known=()):
    return prove_cells(store, [keys.epochs(c) for c in cells], {c.id: c for c in known})


def test_whole_cells_have_no_problems_and_name_what_belongs_to_them(store, cells):
    proof = prove(store, cells, cells)

    assert proof.problems == ()
    assert proof.judged == {c.id for c in cells}
    assert proof.unproved == {}
    models = {keys.model(c.id, m.name) for c in cells for m in c.members}
    assert proof.named == {*map(keys.predictions, cells), *models}


def remove(store, cell, key):
    store.delete(key)


def truncate(store, cell, key):
    store.put(key, store.read(key)[:-1])


def swap(store, cell, key):
    data = bytearray(store.read(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))


@pytest.mark.parametrize("which", [keys.predictions, lambda c: keys.model(c.id, "M")], ids=["predictions", "a model"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [(remove, "does not exist, and"), (truncate, "has sha256"), (swap, "has sha256")],
    ids=["absent", "torn", "a bit of it changed"],
)
def test_an_artifact_that_is_not_what_its_commit_names_is_a_problem_of_its_cell(store, cells, which, damage, words):
    key = which(cells[1])
    damage(store, cells[1], key)
    proof = prove(store, cells[:3])

    [problem] = proof.problems
    assert (problem.key, problem.cell) == (key, cells[1].id)
    assert words in problem.reason
    assert f"or remove {keys.epochs(cells[1])} and launch its run again" in problem.reason


def test_damaged_rows_and_rows_that_say_something_else_are_named_with_what_to_do(store, cells):
    store.put(keys.epochs(cells[0]), b"PAR1")
    columns = factories.epoch_columns(cells[1])
    facts = factories.made_provenance()
    table = results.to_table("epochs", {n: v[:59] for n, v in columns.items()}, facts)
    store.put(keys.epochs(cells[1]), results.to_bytes(table))
    other = Cell.from_dict({**cells[2].as_dict(), "batch_size": 32})
    columns = {**factories.epoch_columns(other), "cell_id": [cells[2].id] * 60}
    store.put(keys.epochs(cells[2]), results.to_bytes(results.to_table("epochs", columns, facts)))
    store.put(keys.epochs(cells[3]), store.read(keys.epochs(cells[4])))
    proof = prove(store, cells[:5], cells)

    reasons = {p.key: p.reason for p in proof.problems}
    assert "is not a whole Parquet file" in reasons[keys.epochs(cells[0])]
    assert "59 rows instead of 60" in reasons[keys.epochs(cells[1])]
    assert "its rows hold another batch_size than the run's grid" in reasons[keys.epochs(cells[2])]
    assert "it was copied to a wrong place" in reasons[keys.epochs(cells[3])]
    assert len(reasons) == 4
    assert all("remove it" in reason for reason in reasons.values())
    assert proof.judged == {c.id for c in (cells[1], cells[2], cells[4])}


def with_names(store, cell, change):
    """Commits a cell whose commit names what ``change`` makes of the names."""
    named = {keys.predictions(cell): artifacts.compute_digest(store.read(keys.predictions(cell)))}
    named |= {key: artifacts.compute_digest(store.read(key)) for key in store.list(f"{keys.MODELS}{cell.id}/")}
    facts = factories.made_provenance(**artifacts.name_artifacts(change(named)))
    table = results.to_table("epochs", factories.epoch_columns(cell), facts)
    store.put(keys.epochs(cell), results.to_bytes(table))


def test_a_commit_that_lacks_a_name_or_names_what_is_not_its_own_is_named(store, cells):
    key = keys.model(cells[0].id, "ST")
    with_names(store, cells[0], lambda names: {k: v for k, v in names.items() if k != key})
    with_names(store, cells[1], lambda names: {**names, key: "0" * 64})
    problems = prove(store, cells[:3]).problems

    assert "names no models/" in next(p.reason for p in problems if p.cell == cells[0].id)
    others = [p.reason for p in problems if p.cell == cells[1].id]
    assert others and all("as an artifact of its cell; allowed:" in reason for reason in others)


def test_predictions_of_another_training_are_found_although_a_commit_names_them(store, cells):
    """As attempts of the time before digests could mix them, or a trainer with a fault could name them."""
    for cell, columns in (
        (cells[0], factories.prediction_columns(cells[0], lambda *_: 0.2)),
        (cells[1], factories.prediction_columns(cells[2])),
    ):
        table = results.to_table("predictions", columns, factories.made_provenance())
        factories.commit_cell(store, cell, predictions=results.to_bytes(table))
    factories.commit_cell(store, cells[3], predictions=False)
    mixed = results.to_table(
        "predictions", factories.prediction_columns(cells[3], lambda *_: 0.2), factories.made_provenance()
    )
    store.put(keys.predictions(cells[3]), results.to_bytes(mixed))
    reasons = {p.cell: p.reason for p in prove(store, cells[:5]).problems}

    assert "has a test error of 0.2 for ST, and the last epoch of its commit 0.0805556" in reasons[cells[0].id]
    assert "holds predictions of another cell" in reasons[cells[1].id]
    assert "has a test error of 0.2 for ST" in reasons[cells[3].id]
    assert len(reasons) == 3


def test_of_a_commit_before_digests_what_is_there_is_read_and_told_apart_from_a_proof(store, cells):
    for cell in cells[:3]:
        factories.commit_cell(store, cell, predictions=False)
    store.delete(keys.predictions(cells[1]))
    store.put(keys.predictions(cells[2]), b"PAR1")
    proof = prove(store, cells[:4])

    assert [p.key for p in proof.problems] == [keys.predictions(cells[2])]
    assert proof.unproved.keys() == {c.id for c in cells[:3]}
    assert proof.unproved[cells[0].id].endswith("is not proved")
    assert proof.unproved[cells[1].id].endswith(f"is not proved; {keys.predictions(cells[1])} absent")


def test_a_store_that_is_away_is_no_damage(store, cells, monkeypatch):
    read = store.read

    def fail(key):
        if key.startswith(keys.MODELS):
            raise Transient("away")
        return read(key)

    monkeypatch.setattr(store, "read", fail)
    with pytest.raises(Transient, match="away"):
        prove(store, cells[:2])


def test_a_data_set_is_compared_with_what_the_cells_were_trained_on(store, cells):
    factories.prepare_digits(store)
    digest = artifacts.compute_digest(store.read(next(k for k in store.list(keys.DATASETS) if k.endswith(".npz"))))
    factories.commit_cell(store, cells[0], dataset_sha256=digest)
    factories.commit_cell(store, cells[1], dataset_sha256="")
    [problem] = prove_datasets(store, prove(store, cells[:3]).trained_on)

    assert (problem.key, problem.cell) == (keys.epochs(cells[2]), cells[2].id)
    assert f"it was trained on digits with sha256 00, and the store's has {digest}" in problem.reason


def test_a_damaged_data_set_is_a_problem_and_an_absent_one_is_none(store, cells):
    trained_on = prove(store, cells[:1]).trained_on
    assert prove_datasets(store, trained_on) == []

    factories.prepare_digits(store, digest="1" * 64)
    [problem] = prove_datasets(store, trained_on)
    assert problem.key == keys.dataset_manifest("digits")
    assert "does not have the sha256 of its manifest" in problem.reason
    store.delete(keys.dataset("digits", "1" * 64))
    [problem] = prove_datasets(store, trained_on)
    assert "does not exist; check the store and the run; remove its manifest" in problem.reason


def test_proofs_are_joined():
    one = Proof(problems=(Problem(key="a", reason="b"),), judged=frozenset("a"), unproved={"a": "x"})
    other = Proof(judged=frozenset("b"), named=frozenset("k"), trained_on={"c": ("digits", "00")})

    assert join_proofs([one, other]) == Proof(
        problems=one.problems,
        judged=frozenset("ab"),
        unproved=one.unproved,
        named=other.named,
        trained_on=other.trained_on,
    )
    assert join_proofs([]) == Proof()
