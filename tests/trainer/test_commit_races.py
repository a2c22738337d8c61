"""Two attempts on different hardware race to commit a cell: whatever ends either of them, the commit is one attempt's alone."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from aggregator import verify
from aggregator.load import load, load_models, load_predictions
from aggregator.reading.epochs import read_epochs
from aggregator.reading.predictions import read_table
from experiment import artifacts, keys
from tests.trainer.conftest import tiny_cell
from tests.trainer.test_commit import provenance
from tests.trainer.test_power_cuts import Failing, PowerCut
from trainer import commit
from trainer.engine import TENSORFLOW
from trainer.model import export, metrics, training

TOUCHES = 12  # of the store, at most, by an attempt that finds all artifacts of another one


class Overtaken:
    """A store before whose n-th touch another attempt does what it can."""

    def __init__(self, store, touches, other):
        self._store, self._left, self._other = store, touches, other
        self.url = store.url

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in ("put_once", "delete", "read"):
            return method

        def touch(*args):
            self._left -= 1
            if self._left == 0:
                self._other()
            return method(*args)

        return touch


def of_other_hardware(result):
    """The same training with other bits: one of a weight, and the answers to five examples."""
    arrays = {name: dict(values) for name, values in result.arrays.items()}
    name = next(n for n, values in arrays["A"].items() if values.dtype == np.float32)
    changed = arrays["A"][name].copy()
    changed.view(np.uint32).flat[0] ^= 1
    arrays["A"][name] = changed
    logits = result.logits.copy()
    logits[:, :5] *= -1
    rows = [
        {**row, **test}
        for row, test in zip(
            result.figures[-1], metrics.test_figures(result.labels, logits, [0.0] * len(logits)), strict=True
        )
    ]
    return dataclasses.replace(result, arrays=arrays, logits=logits, figures=[*result.figures[:-1], rows])


@pytest.fixture(scope="module")
def attempts(tiny):
    """(result, bytes of its members) of an attempt on each hardware."""
    cell = tiny_cell(epochs=1)
    one = training.train_cell(cell, tiny, watch=lambda *_: None)
    found = []
    for result in (one, of_other_hardware(one)):
        models = {}
        for member in cell.members:
            models[member.name] = TENSORFLOW.export_member(cell, member, result)
        found.append((result, models))
    assert found[0][1]["A"] != found[1][1]["A"]
    assert found[0][1]["B"] == found[1][1]["B"]
    return found


@pytest.fixture(autouse=True)
def each_model_is_exported_once(attempts, monkeypatch):
    known = {id(result.arrays[m]): data for result, models in attempts for m, data in models.items()}
    monkeypatch.setattr(export, "to_keras", lambda _network, _shape, arrays: arrays)
    monkeypatch.setattr(export, "to_bytes", lambda arrays: known[id(arrays)])


@pytest.fixture
def judge(attempts, capsys):
    """Checks that each cell of a store is committed whole, and that what is read is its committing attempt's."""

    def check(store, cells):
        assert verify.main([store.url]) == 0
        said = capsys.readouterr().out.splitlines()
        count = f"{len(cells)} cells committed: {len(cells)} whole, 0 not proved, 0 not whole; 0 faults, "
        assert said[-1].startswith(f"{store.url}: {count}")
        frame = load(store.url)
        made = read_epochs(store, [keys.epochs(c) for c in cells]).provenance
        winners = {c.id: made[c.id]["attempt"] for c in cells}
        errors = frame.groupby("cell_id", observed=True)["test_error"].agg(list)
        for cell in cells:
            result, models = attempts[int(winners[cell.id][-1])]
            commit_key, facts = keys.epochs(cell), made[cell.id]
            assert errors[cell.id] == [row["test_error"] for row in result.figures[-1]]
            for name, data in models.items():
                artifact = artifacts.find_artifact(facts, keys.model(cell.id, name), commit_key, commit_key)
                assert artifacts.read_artifact(store, artifact) == data
            logits = np.asarray(read_table(store, commit_key, facts, {})[0]["logits"].combine_chunks().flatten())
            assert logits.tobytes() == metrics.ensemble_logits(result.logits).tobytes()
        assert load_models(store.url, cell.id) == models
        assert np.stack(load_predictions(store.url, cell.id)["logits"]).tobytes() == logits.tobytes()
        return winners

    return check


def start(store, cell, attempts, name):
    """An attempt that is ready to commit. The last character of its name says on which hardware it trained."""
    result = attempts[int(name[-1])][0]
    return functools.partial(commit.commit_cell, store, cell, result, provenance(name), lambda _: None)


def end_at(touches, after, store, cell, attempts, name):
    """Lets an attempt commit until it is ended at a touch of the store; returns whether it outlived that."""
    try:
        start(Failing(store, touches, after=after), cell, attempts, name)()
    except PowerCut:
        return False
    return True


def test_the_first_is_ended_at_each_touch_of_the_store_and_the_second_goes_to_its_end(store, attempts, judge):
    seeds, cells = itertools.count(), []
    for first, after in itertools.product((0, 1), (False, True)):
        for touches in itertools.count(1):
            cells.append(tiny_cell(epochs=1, seed=next(seeds)))
            survived = end_at(touches, after, store, cells[-1], attempts, f"first{first}")
            start(store, cells[-1], attempts, f"second{1 - first}")()
            if survived:
                break
    winners = judge(store, cells)

    assert len(cells) >= 4 * 5
    assert set(winners.values()) == {"first0", "first1", "second0", "second1"}


def test_the_first_stalls_before_each_touch_of_the_store_and_the_second_overtakes_it(store, attempts, judge):
    cells = []
    for first, touches in itertools.product((0, 1), range(1, 6)):
        cells.append(tiny_cell(epochs=1, seed=len(cells)))
        other = start(store, cells[-1], attempts, f"second{1 - first}")
        start(Overtaken(store, touches, other), cells[-1], attempts, f"first{first}")()
    winners = judge(store, cells)

    assert set(winners.values()) == {"first0", "first1", "second0", "second1"}


def test_one_stalls_and_the_other_is_ended_anywhere(local_store, attempts, judge):
    cells = []
    for stall, touches, after in itertools.product(range(1, 5), range(1, TOUCHES), (False, True)):
        cells.append(tiny_cell(epochs=1, seed=len(cells)))
        other = functools.partial(end_at, touches, after, local_store, cells[-1], attempts, "second1")
        start(Overtaken(local_store, stall, other), cells[-1], attempts, "first0")()
    assert set(judge(local_store, cells).values()) == {"first0", "second1"}


def test_both_are_ended_anywhere_and_a_third_goes_to_its_end(local_store, attempts, judge):
    cells = []
    for one, other in itertools.product(range(1, 6), range(1, TOUCHES)):
        cells.append(tiny_cell(epochs=1, seed=len(cells)))
        end_at(one, one % 2, local_store, cells[-1], attempts, "first0")
        end_at(other, other % 2, local_store, cells[-1], attempts, "second1")
        start(local_store, cells[-1], attempts, f"third{other // 2 % 2}")()
    assert {name[:-1] for name in judge(local_store, cells).values()} == {"first", "second", "third"}
