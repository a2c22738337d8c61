"""The verdicts for a program: complete, and with what is needed to go on."""

from __future__ import annotations

import json

import pytest

from aggregator.__main__ import main
from aggregator.judgement import describe_judgement
from experiment import looks
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.conftest import gather_run
from tests.aggregator.test_suggest import promising_error

CELLS = [c for c in load_grid("demo").with_seeds(5).cells if c.method in ("single", "l2") and c.alpha < 1]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("judgement") / "s"
    return factories.committed_store(place, cells=CELLS, error=promising_error, predictions=False)


@pytest.fixture(scope="module")
def judged(store):
    return {c["name"]: c for c in describe_judgement(gather_run(store).claims, (20, 10))["claims"]}


def test_all_claims_are_judged_by_the_names_that_a_launch_knows(judged):
    assert tuple(judged) == looks.CLAIMS


def test_an_open_claim_has_its_chances_and_the_cells_that_it_compares(judged):
    chances = judged["4"]["chances"]

    assert judged["4"]["verdict"] == "undecided"
    assert not chances, "CE and L1 are not in this run"
    assert "needs" in judged["4"]["reason"]
    open_ones = [c for c in judged.values() if c["chances"]]
    assert open_ones
    for claim in open_ones:
        assert list(claim["chances"]) == ["10", "20"]
        assert set(claim["cells"]) <= {c.id for c in CELLS if c.seed == 0}
        assert len(claim["cells"]) == len(set(claim["cells"])) > 1


def test_a_decided_claim_has_no_chances(judged):
    decided = [c for c in judged.values() if c["verdict"] != "undecided"]

    assert decided
    assert all(c["chances"] == {} and c["p"] <= c["level"] for c in decided)


def test_the_command_prints_the_same_and_counts_the_look(store, judged, capsys):
    assert main(["--run", f"{store.url}/runs/made", "--judge", "10,20"]) == 0
    assert json.loads(capsys.readouterr().out)["claims"] == [*judged.values()]
    assert len(looks.read_looks(store, looks.name_results(CELLS[0]))) == 1
    assert main(["--run", f"{store.url}/runs/made", "--judge"]) == 0
    assert all(c["chances"] == {} for c in json.loads(capsys.readouterr().out)["claims"])


@pytest.mark.parametrize("text", ["4", "x", "10;20", "10,"])
def test_what_is_no_list_of_seeds_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        main(["--run", "x", "--judge", text])

    assert "allowed: 5 to 100 seeds" in capsys.readouterr().err
