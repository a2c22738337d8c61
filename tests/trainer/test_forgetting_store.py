"""A store that forgets: a lifecycle rule, or a hand, deletes objects in the middle of a run. What that costs, and what is said."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, urls
from experiment.assignment import Assignment
from experiment.errors import Interrupted, InvalidInput
from experiment.grid import Grid
from experiment.run import Run
from trainer import datasets
from trainer.__main__ import main
from trainer.attempt import attempt_cell
from trainer.model import training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns

HELPS = (keys.CHECKPOINTS, keys.PROGRESS, keys.FAILURES, keys.LOGS)


@pytest.fixture(autouse=True)
def one_step_per_call(monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)


@pytest.fixture
def options(local_store, tiny):
    return AttemptOptions(
        store=local_store, attempt="a", load=lambda _: tiny, stopping=lambda: False, checkpoint_seconds=0.0
    )


def forget(store, *prefixes):
    """Deletes what is there under the prefixes; returns the number of objects."""
    found = [key for prefix in prefixes for key in store.list(prefix)]
    for key in found:
        store.delete(key)
    return len(found)


def test_what_only_helps_may_be_forgotten_at_any_time_and_costs_at_most_the_training_so_far(
    options, local_store, make_cell
):
    cell, looks = make_cell(), iter([False] * 6)
    with pytest.raises(Interrupted):
        attempt_cell(cell, dataclasses.replace(options, stopping=lambda: next(looks, True)))
    assert forget(local_store, *HELPS) >= 3

    def show(progress):
        forget(local_store, *HELPS)  # after every step of the next attempt too

    assert attempt_cell(cell, dataclasses.replace(options, attempt="b", show=show)) == "committed"

    calm = type(local_store)(local_store.root.with_name("calm"), create=True)
    assert attempt_cell(cell, dataclasses.replace(options, store=calm, attempt="calm")) == "committed"
    assert differing_columns(cell, calm, local_store) == []


def test_a_commit_that_was_forgotten_is_trained_again_to_the_same_numbers(options, local_store, make_cell):
    cell = make_cell(epochs=1)
    assert attempt_cell(cell, options) == "committed"
    before = local_store.read(keys.predictions(cell))
    local_store.delete(keys.epochs(cell))

    assert attempt_cell(cell, dataclasses.replace(options, attempt="b")) == "committed"
    assert local_store.read(keys.predictions(cell)) == before


@pytest.fixture
def run(local_store, make_cell):
    """A run of one cell in a Job called job; a function that starts its pod here and returns its exit code."""
    cells = (make_cell(),)
    local_store.put(keys.grid("lab"), Run(name="lab", grid=Grid(name="lab", cells=cells)).to_bytes())
    local_store.put(keys.assignment("lab", "job"), Assignment(run="lab", job="job", indexes=(0,)).to_bytes())
    url = urls.run_url(local_store.url, "lab")
    return lambda: main(["--run", url, "--index", "0", "--job", "job"])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (keys.grid("lab"), "the run is 'lab'; allowed: none: the store has no run; correct --run, or launch a grid"),
        (keys.assignment("lab", "job"), "runs/lab/jobs/job.json does not exist; check the store and the run"),
    ],
)
def test_a_run_that_was_forgotten_is_named_and_nothing_is_trained(run, local_store, key, said, capsys):
    local_store.delete(key)
    kept = list(local_store.list(""))

    assert run() == 42
    lines = capsys.readouterr().err.splitlines()
    assert said in lines[-1]
    assert list(local_store.list("")) == kept


@pytest.mark.parametrize("damage", ["torn", "changed"])
@pytest.mark.parametrize("key", [keys.grid("lab"), keys.assignment("lab", "job")])
def test_a_run_that_is_damaged_is_named_and_nothing_is_trained(run, local_store, key, damage, capsys):
    whole = local_store.read(key)
    middle = whole.index(b"lab") if damage == "changed" else len(whole) // 2
    local_store.put(key, whole[:middle] + (b"LAB" + whole[middle + 3 :] if damage == "changed" else b""))
    kept = list(local_store.list(""))

    assert run() == 42
    assert f"error: {local_store.url}/{key} is " in capsys.readouterr().err.splitlines()[-1]
    assert list(local_store.list("")) == kept


def test_a_data_set_that_was_forgotten_or_damaged_is_named_with_the_command_that_makes_it_again(local_store):
    manifest = datasets.prepare_dataset("digits", local_store)
    whole = local_store.read(manifest.key)
    mend = f"python -m trainer --prepare digits --store {local_store.url}"
    local_store.put(manifest.key, whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InvalidInput, match=rf"is damaged: its content does not have sha256 .*{mend}"):
        datasets.load_dataset(local_store, "digits")
    local_store.delete(manifest.key)
    with pytest.raises(InvalidInput, match=rf"is missing; restore it, or run {mend}"):
        datasets.load_dataset(local_store, "digits")

    assert main(mend.split()[3:]) == 0
    assert local_store.read(manifest.key) == whole
    assert datasets.load_dataset(local_store, "digits").sha256 == manifest.sha256
