"""Claims on made runs whose truth is known."""

import dataclasses

import pytest

from aggregator.claims import judge, verdict
from aggregator.statistics import Difference
from experiment.cell import ENSEMBLE
from experiment.grid import load_grid
from tests.aggregator import made

SEEDS = 6


def seeded(grid="demo", datasets=()):
    cells = load_grid(grid).with_seeds(SEEDS).cells
    return [c for c in cells if not datasets or c.dataset in datasets]


def jitter(cell, model):
    """A little that differs from seed to seed alike for no two cells: pairs over seeds have a spread."""
    return (sum(map(ord, cell.id + model)) % 5) * 3e-3


def as_the_paper_says(cell, model):
    """Errors that fulfil all six statements about the grid."""
    single = {"ST": 0.30, "M": 0.25, ENSEMBLE: 0.18}[model]
    if cell.method == "single":
        return single + jitter(cell, model)
    if cell.alpha >= 1 and cell.method != "ce":
        return 0.6 + jitter(cell, model)
    better = {"ST": 0.05, "M": 0.05, ENSEMBLE: 0.03}[model]
    return better + 0.07 * (cell.alpha >= 0.1) + jitter(cell, model)


def otherwise(cell, model):
    """The reverse: collaboration harms, the more the less of it."""
    single = {"ST": 0.06, "M": 0.06, ENSEMBLE: 0.20}[model]
    return (
        single + jitter(cell, model)
        if cell.method == "single"
        else 0.4 + 0.2 * (cell.alpha < 0.1) + jitter(cell, model)
    )


def verdicts(tmp_path, read, error, **options):
    store = made.committed(tmp_path / "s", error=error, predictions=False, **options)
    return {c.name: c for c in judge(read(store).studies)}


def test_results_as_the_paper_says_support_its_six_statements_about_the_grid(tmp_path, read):
    found = verdicts(tmp_path, read, as_the_paper_says, cells=seeded())

    assert {n: found[n].verdict for n in "123456"} == dict.fromkeys("123456", "supported")
    assert {p.difference.test for p in found["1"].parts} == {"paired t over seeds"}


def test_results_that_say_otherwise_refute_them(tmp_path, read):
    found = verdicts(tmp_path, read, otherwise, cells=seeded())

    assert {n: found[n].verdict for n in "12346"} == dict.fromkeys("12346", "refuted")


def test_results_without_a_difference_leave_them_undecided(tmp_path, read):
    found = verdicts(tmp_path, read, lambda c, m: made.flat(c, m) + jitter(c, m), cells=seeded())

    assert found["1"].verdict == found["4"].verdict == found["6"].verdict == "undecided"


def test_statements_about_a_data_set_are_undecided_without_it(tmp_path, read):
    found = verdicts(tmp_path, read, as_the_paper_says, cells=seeded())

    assert [found[f"L2-{i}"].verdict for i in (2, 3, 4)] == ["undecided"] * 3
    assert found["L2-2"].why == "nothing in this run to compare"


def test_statements_about_every_method_are_undecided_where_one_was_not_run(tmp_path, read):
    found = verdicts(tmp_path, read, as_the_paper_says, cells=[c for c in seeded() if c.method in ("single", "l2")])

    assert [found[n].verdict for n in "456"] == ["undecided"] * 3
    assert "Digits, L2: 6 yes, 0 no, 0 open; needs 1 yes" in found["4"].why
    assert "Digits, CE: nothing in this run to compare" in found["4"].why


def test_statements_about_l2_are_judged_on_their_data_sets(tmp_path, read):
    cells = [
        dataclasses.replace(c, epochs=6) for c in seeded("full") if (c.method, c.alpha) in (("single", 0), ("l2", 0.01))
    ]
    found = verdicts(tmp_path, read, as_the_paper_says, cells=cells)

    assert found["L2-2"].verdict == "supported"
    assert {d.what: d.verdict for d in found["L2-3"].demands} == {
        "less overfitting": "supported",
        "comparable results": "supported",
    }
    assert found["L2-4"].demands[1].verdict == "supported"
    assert {"similar training curves", "better test"} == {d.what for d in found["L2-4"].demands}


def test_one_seed_with_predictions_is_compared_example_by_example(store, read):
    tests = {p.difference.test for p in judge(read(store).studies)[0].parts}

    assert tests == {"McNemar"}


def test_one_seed_without_predictions_is_compared_as_independent_binomials(tmp_path, read):
    store = made.committed(tmp_path / "s", predictions=False)

    assert {p.difference.test for p in judge(read(store).studies)[0].parts} == {"unpaired binomial"}


def test_a_missing_cell_leaves_its_comparisons_open(store, read):
    from experiment import keys

    cell = next(c for c in load_grid("demo").cells if c.method == "l2" and c.alpha == 0.01)
    store.delete(keys.epochs(cell))
    parts = [p for p in judge(read(store).studies)[0].parts if "L2 0.01" in p.says]

    assert [(p.difference, p.answer) for p in parts] == [(None, "open")] * 2


def part(effect, error=1.0):
    d = Difference(effect=effect, error=error, freedom=float("inf"), n=9, test="t")
    return verdict.Part(says="x", difference=d)


@pytest.mark.parametrize(
    ("effects", "need", "expected"),
    [
        ([-9, -9], 2, "supported"), ([-9, 0], 2, "undecided"), ([-9, 9], 2, "refuted"), ([-9, 9], 1, "supported"),
        ([9, 9], 1, "refuted"), ([0, 9], 1, "undecided"), ([], 1, "undecided"),
    ],
)  # fmt: skip
def test_a_demand_is_decided_by_how_many_parts_hold(effects, need, expected):
    judged = verdict.claim("n", "s", "r", [verdict.some("d", [part(e) for e in effects], need)])

    assert judged.verdict == expected


def test_many_comparisons_are_corrected_together():
    lone = verdict.claim("n", "s", "r", [verdict.some("d", [part(-2.2)])])
    crowd = verdict.claim("n", "s", "r", [verdict.some("d", [part(-2.2), *[part(0.0)] * 9])])

    assert lone.verdict == "supported"
    assert crowd.verdict == "undecided"
