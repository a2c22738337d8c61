"""A launch until claims are decided: rounds that train only what is new, looks that are made once, and reasons to stop."""

from __future__ import annotations

import dataclasses
import functools
import json

import pytest

from experiment import keys, looks
from experiment.errors import Transient
from experiment.grid import load_grid
from experiment.ledger import committed_ids
from experiment.records import Failure, to_bytes
from experiment.run import Run
from experiment.store import LocalStore
from k8s.arguments import parse_launch_arguments
from k8s.planning.look_plan import Answer
from k8s.planning.next_round import HOURS
from k8s.planning.plan_store import Wish, open_plan
from k8s.planning.purse import fill_with_hours
from k8s.until import Rounds, launch_rounds
from tests.factories import commit
from tests.k8s.conftest import GRID as SIX
from tests.k8s.fake_aggregator import judge
from tests.k8s.fake_launch import FAKES
from tests.k8s.launching import launch, refused

UNTIL = ("--until-decided", "1,4", "--budget-hours", "100")
SECONDS = 8  # that a made cell of grid smoke says it took


@dataclasses.dataclass
class House:
    """Launches and judges in this process; remembers what was trained and which runs were looked at."""

    store: object
    fake: dict
    grid: object = dataclasses.field(default_factory=lambda: load_grid("smoke"))
    trained: list = dataclasses.field(default_factory=list)
    looked: list = dataclasses.field(default_factory=list)
    lines: list = dataclasses.field(default_factory=list)
    breaks: object = None  # raised when so many cells are trained
    code: int = 0

    def train(self, grid, run):
        self.store.put_once(keys.grid(run), b"", "x")
        for cell in grid.cells:
            if cell.id not in committed_ids(self.store, [cell]) and cell.id not in self.fake.get("never", ()):
                if len(self.trained) == self.breaks:
                    raise KeyboardInterrupt
                commit(self.store, cell)
                self.trained.append(cell.id)
        self.runs = {**getattr(self, "runs", {}), run: grid}
        return self.code

    def look(self, url, targets):
        if self.fake.get("unjudged"):
            raise Transient("the store is away")
        cells = self.runs[url.rpartition("/")[2]].cells
        self.looked.append(len({c.seed for c in cells}))
        found = judge(cells, committed_ids(self.store, cells), list(map(str, targets)), self.fake)
        return [Answer.from_json(c, "fake") for c in found["claims"]]

    def go_on(self, *claims, budget=100.0, name="", workers=1):
        self.lines.clear()
        rounds = Rounds(
            store=self.store,
            grid=self.grid,
            launch=self.train,
            judge=self.look,
            fill=lambda survey, plan: fill_with_hours(survey, plan.done, budget, workers),
            named=bool(name),
            say=lambda text: self.lines.extend(text.splitlines()),
        )
        wish = Wish(claims=claims or ("1", "4"), budget=budget, unit=HOURS)
        return rounds.go_on(open_plan(self.store, self.grid, name or self.grid.run, wish))


@pytest.fixture
def house(local_store):
    return functools.partial(House, local_store)


def test_seeds_are_added_until_every_claim_is_decided_and_each_cell_is_trained_once(house):
    h = house({"decided": {"1": 5, "4": 10}})

    assert h.go_on() == 0
    assert h.looked == [5, 10]
    assert len(h.trained) == len(set(h.trained)) == 40
    assert "  claim 1: supported, p = 0.001 (level 0.005), at look 1" in h.lines
    assert "  claim 4: supported, p = 0.001 (level 0.005)" in h.lines
    assert h.lines[-2] == "stopped: every claim is decided"


def test_the_same_command_again_trains_and_looks_at_nothing(house):
    h = house({"decided": {"1": 5, "4": 5}})
    h.go_on()
    last = h.lines[-1]

    assert h.go_on() == 0
    assert h.looked == [5]
    assert len(h.trained) == 20
    assert "  claim 1: supported, p = 0.001 (level 0.005)" in h.lines
    assert h.lines[-1] == last


def test_only_cells_that_open_claims_compare_grow(house):
    h = house({"decided": {"1": 5, "4": 10}, "compares": {"4": ["single", "ce"]}})
    h.go_on()

    assert len(h.trained) == 4 * 5 + 2 * 5


def test_a_look_that_failed_is_made_by_the_next_launch(house):
    h = house({"decided": {"1": 5, "4": 5}, "unjudged": True})
    with pytest.raises(Transient):
        h.go_on()
    h.fake["unjudged"] = False

    assert h.go_on() == 0
    assert len(h.trained) == 20


@pytest.mark.parametrize("cells", [0, 3, 11, 20, 33])
def test_killed_at_any_cell_the_same_command_goes_on_with_the_same_round(house, cells):
    h = house({"decided": {"1": 5, "4": 10}, "compares": {"4": ["single", "ce", "l2"]}}, breaks=cells)
    with pytest.raises(KeyboardInterrupt):
        h.go_on()
    h.breaks = None

    assert h.go_on() == 0
    assert h.looked == [5, 10]
    assert len(h.trained) == len(set(h.trained)) == 4 * 5 + 3 * 5


def test_what_has_no_chance_is_not_bought(house):
    h = house({"chance": {"1": 0.1, "4": 0.0}})

    assert h.go_on() == 0
    chances = "claim 1: 10% with 30 seeds; claim 4: 0% with 30 seeds"
    assert h.lines[-2] == f"stopped: more seeds are not worth the money: {chances}"
    assert h.looked == [5]


def test_a_budget_ends_the_rounds_and_a_larger_one_goes_on(house):
    h = house({"decided": {"1": 10, "4": 10}})
    code = h.go_on(budget=30 * SECONDS / 3600)

    assert code == 0
    assert "the budget does not reach further: round 2 would take" in h.lines[-2]
    assert h.looked == [5]
    assert h.go_on() == 0
    assert h.looked == [5, 10]


def test_a_round_that_was_begun_is_finished_though_the_budget_has_shrunk(house):
    h = house({"decided": {"1": 10, "4": 10}}, breaks=25)
    with pytest.raises(KeyboardInterrupt):
        h.go_on()
    h.breaks = None

    assert h.go_on(budget=0.001) == 0
    assert h.looked == [5, 10]


def test_before_anything_is_measured_one_seed_shows_what_a_round_takes(house):
    h = house({})

    assert h.go_on(budget=10 * SECONDS / 3600) == 0
    assert "nothing is measured yet" in h.lines[1]
    assert h.lines[-1].startswith("stopped: the budget does not reach further: round 1 would take")
    assert len(h.trained) == 4


def test_cells_that_were_done_before_cost_the_plan_nothing(house, local_store):
    for cell in load_grid("smoke").with_seeds(5).cells:
        commit(local_store, cell)
    h = house({"decided": {"1": 5, "4": 5}})
    h.go_on(budget=0.0001)

    assert h.lines[1].endswith("about 0 s")
    assert h.lines[2].startswith("look 1 of 5, at 5 seeds; 0 s of 0 s spent")
    assert h.trained == []


def test_a_round_that_is_not_complete_is_not_looked_at(house):
    lost = load_grid("smoke").with_seeds(5).cells[7]
    h = house({"never": [lost.id]}, code=1)

    assert h.go_on() == 1
    assert "lacks 1 of its cells, so it is not looked at" in h.lines[-1]
    assert h.looked == []


def test_cells_that_diverge_do_not_keep_a_round_from_being_looked_at(house, local_store):
    lost = load_grid("smoke").with_seeds(5).cells[7]
    fact = {"kind": "diverged", "exit_code": 43, "message": "m", "time": "2026-01-01T00:00:00+00:00"}
    local_store.put(keys.failure(lost.id, "a"), to_bytes(Failure(cell=lost.id, attempt="a", **fact)))
    h = house({"never": [lost.id], "decided": {"1": 5, "4": 5}}, code=1)

    assert h.go_on() == 0
    assert h.looked == [5]


def test_a_plan_of_another_name_pays_for_the_looks_of_the_first(house):
    h = house({"decided": {"1": 5, "4": 5, "2": 5}})
    h.go_on()
    h.go_on("2", name="second")

    assert "p <= 0.0013" in h.lines[0]
    assert h.lines[1] == "these results were looked at once before, which lowers the level of the plan"
    assert h.lines[-1] == f"{h.store.url}/reports/second-1/index.html"


def test_the_launcher_adds_seeds_until_claims_are_decided(launcher):
    """The whole command with the local executor, killed in its first round."""
    store = LocalStore(launcher.store, create=True)
    cells = load_grid(str(launcher.grid)).only(["method=ce"]).cells
    for cell in cells:
        commit(store, cell)  # they show what a round takes
    command = (*UNTIL, "--only", "method=ce", "--workers", "1")
    launcher.behave(decided={"1": 5, "4": 10}, seconds=0.3)
    program = launcher.start(*command)
    launcher.until("commit")
    program.kill()
    program.communicate()
    launcher.behave(decided={"1": 5, "4": 10}, seconds=0)
    code, lines, _ = launcher(*command)

    assert code == 0
    assert "claims 1, 4; looks at 5, 10, 15, 20, 30 seeds, each verdict at p <= 0.005" in lines[0]
    assert lines[1].startswith("grid six: 15 cells, "), "the round that was begun goes on"
    assert "  claim 1: supported, p = 0.001 (level 0.005), at look 1" in lines
    assert lines[-2] == "stopped: every claim is decided"
    assert lines[-1].startswith(f"{launcher.store}/reports/six-")
    assert sum(e["mine"] for e in launcher.events("commit")) == 3 * 9


def test_all_looks_stand_in_the_store_before_anything_is_trained(house, local_store):
    h = house({}, breaks=0)
    with pytest.raises(KeyboardInterrupt):
        h.go_on()
    found = looks.read_looks(local_store, looks.name_results(h.grid.cells[0]))

    assert sorted(len(look.seeds) for look in found) == [5, 10, 15, 20, 30]
    assert {look.level for look in found} == {looks.ALPHA / 5}


def test_on_a_cluster_each_round_is_waited_for_and_the_budget_is_the_consent(local_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("k8s.until.open_store", lambda *_, **__: local_store)
    flags = ["--grid", "smoke", "--store", "s3://b/p", "--until-decided", "1", "--budget", "20", "--gpu-type", "t4"]
    seen = []

    def train(arguments, grid, run):
        seen.append((arguments.yes, arguments.wait, run))
        local_store.put_once(keys.grid(run), Run(name=run, grid=grid).to_bytes(), "x")
        for cell in grid.cells:
            commit(local_store, cell)
        return 0

    monkeypatch.setenv("FAKE", json.dumps({"decided": {"1": 10}}))
    arguments = parse_launch_arguments(flags)
    grid = load_grid("smoke")

    assert launch_rounds(arguments, grid, grid.run, FAKES, train) == 0
    assert [s[:2] for s in seen] == [(True, True)] * 2
    assert len(committed_ids(local_store, grid.with_seeds(10).cells)) == 40


def test_a_preview_changes_nothing(launcher):
    code, lines, _ = launcher(*UNTIL, "--plan")

    assert code == 0
    assert "looks at 5, 10, 15, 20, 30 seeds" in lines[0]
    assert lines[-1] == "grid six: 30 cells, 0 done, 30 to train"
    assert not launcher.store.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--budget-hours", "2"], ["--budget-hours is 2.0", "a budget of --until-decided"]),
        (["--until-decided", "all"], ["--budget-hours is None", "give --budget-hours"]),
        (["--until-decided", "1", "--budget", "2"], ["--budget is 2.0", "hours of this machine (--budget-hours)"]),
        ([*UNTIL, "--seeds", "7"], ["--seeds is 7", "the plan chooses the seeds"]),
        ([*UNTIL, "--dry-run", "client"], ["--dry-run is 'client'", "--plan shows it"]),
        (["--executor", "kubernetes", *UNTIL], ["--budget-hours is 100.0", "dollars (--budget)"]),
        (
            ["--executor", "kubernetes", "--until-decided", "1", "--budget", "2"],
            ["the store is 'store'", "s3://BUCKET/PREFIX"],
        ),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, words, tmp_path):
    (tmp_path / "six.toml").write_text(SIX)

    refused(launch("--grid", "six.toml", *flags, cwd=tmp_path), *words)
    assert [p.name for p in tmp_path.iterdir()] == ["six.toml"]
