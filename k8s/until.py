"""``k8s.launch --until-decided``: rounds of seeds by a plan of looks, until the claims are decided or the budget is reached.

Each round is one launch of the grid with more seeds, which trains only what is new, and one look at its results. All that the
rounds rest on is in the store, so a launch that was killed goes on where it was, and a look is made once.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiment import urls
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.ledger import committed_ids, read_failures
from experiment.places import visible_gpus
from experiment.store import Store, check_conditional_writes, open_store
from k8s.local.crew import find_crew
from k8s.local.judging import check_judging, judge_run
from k8s.local.programs import Programs
from k8s.manifests import sources
from k8s.planning import cluster_plan, look_words
from k8s.planning.look_plan import Answer, LookPlan, Round, Standing, grow_cells
from k8s.planning.next_round import DOLLARS, HOURS, Go, Purse, Stop, choose_round
from k8s.planning.plan import Plan
from k8s.planning.plan_store import (
    Wish,
    draft_plan,
    find_first_cells,
    open_plan,
    read_standing,
    record_answers,
    record_round,
)
from k8s.planning.purse import fill_with_dollars, fill_with_hours
from k8s.planning.survey import done_cells, read_speeds, store_is_absent

Launch = Callable[[Grid, str], int]
Judge = Callable[[str, Sequence[int]], list[Answer]]
Fill = Callable[[Plan, LookPlan], Purse]


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Goes through the rounds of a plan.

    Attributes:
        grid: whose cells grow.
        launch: trains what a grid lacks, as the run of this name, reports, and returns the exit code.
        judge: returns what a look at the run at a URL says of each claim, with the chance of a verdict at so many seeds.
        fill: returns what is left to spend, from the survey of all cells of the plan.
        named: whether the plan has a name of the user's, which its runs have, too.
    """

    store: Store
    grid: Grid
    launch: Launch
    judge: Judge
    fill: Fill
    named: bool = False
    say: Callable[[str], None] = lambda line: print(line, flush=True)

    def go_on(self, standing: Standing) -> int:
        """Launches and looks until there is a reason to stop; returns 0, or the exit code of a round that is not complete."""
        self._say(look_words.describe_plan(standing.plan))
        purse = self._fill(standing)
        if standing.looks:
            self._say(look_words.describe_look(standing, purse))
        while True:
            if len(standing.rounds) == len(standing.looks):
                decision = choose_round(standing, purse)
                if isinstance(decision, Go) and math.isnan(decision.cost):
                    if code := self._measure(standing):
                        return code
                    decision = choose_round(standing, self._fill(standing))
                if isinstance(decision, Stop):
                    self._say(look_words.describe_end(standing, decision, self.store.url))
                    return 0
                standing = self._begin(standing, decision)
                self._say(look_words.describe_round(standing, decision, purse.unit))
            current = standing.rounds[-1]
            if code := self._train(standing.cells_of_rounds(), current.run):
                return code
            ahead = standing.plan.counts[current.number :]
            answers = self.judge(urls.run_url(self.store.url, current.run), ahead)
            found = record_answers(self.store, standing.plan, current.number, answers)
            standing, purse = dataclasses.replace(standing, looks=(*standing.looks, found)), self._fill(standing)
            self._say(look_words.describe_look(standing, purse))

    def _say(self, lines: Sequence[str]) -> None:
        self.say("\n".join(lines))

    def _fill(self, standing: Standing) -> Purse:
        cells = grow_cells(list(standing.cells.values()), standing.plan.seeds)
        done, (speeds, _) = done_cells(self.store, cells), read_speeds(self.store)
        known = Plan(grid=dataclasses.replace(self.grid, cells=tuple(cells)), done=done, speeds=tuple(speeds))
        return self.fill(known, standing.plan)

    def _measure(self, standing: Standing) -> int:
        """Trains one seed of each cell, which shows what more would take; that is no look. Returns the exit code."""
        self.say("nothing is measured yet: one seed of each cell shows what the rounds will take")
        cells = grow_cells(list(standing.cells.values()), standing.plan.seeds[:1])
        return self._train(cells, self._name_run(standing, cells, 0))

    def _begin(self, standing: Standing, go: Go) -> Standing:
        """Records the round in the store, so that every later launch begins the same one."""
        begun = Round(number=go.number, run="", claims=go.claims, growing=go.growing)
        cells = dataclasses.replace(standing, rounds=(*standing.rounds, begun)).cells_of_rounds()
        named = dataclasses.replace(begun, run=self._name_run(standing, cells, go.number))
        return dataclasses.replace(standing, rounds=(*standing.rounds, record_round(self.store, standing.plan, named)))

    def _name_run(self, standing: Standing, cells: Sequence[Cell], number: int) -> str:
        return (
            f"{standing.plan.name}-{number}" if self.named else dataclasses.replace(self.grid, cells=tuple(cells)).run
        )

    def _train(self, cells: Sequence[Cell], run: str) -> int:
        """Trains what is missing; returns 0 if all cells are done, or the others have diverged and never will be."""
        code = self.launch(dataclasses.replace(self.grid, cells=tuple(cells)), run)
        lacking = self._find_lacking(cells) if code else []
        if lacking:
            self.say(f"run {run} lacks {len(lacking)} of its cells, so it is not looked at; the same command goes on")
            return code
        return 0

    def _find_lacking(self, cells: Sequence[Cell]) -> list[str]:
        lacking = {c.id for c in cells} - committed_ids(self.store, cells)
        failures, _ = read_failures(self.store, lacking)
        return [i for i in lacking if i not in failures or failures[i][-1].kind != "diverged"]


LaunchCells = Callable[[argparse.Namespace, Grid, str], int]


def launch_rounds(arguments: argparse.Namespace, grid: Grid, name: str, programs: Programs, launch: LaunchCells) -> int:
    """Launches a grid until claims are decided, by the plan of this name; returns the exit code.

    Args:
        launch: launches a grid once, as the run of this name.
    """
    local = arguments.executor == "local"
    wish = Wish(
        claims=arguments.until_decided,
        budget=arguments.budget_hours if local else arguments.budget,
        unit=HOURS if local else DOLLARS,
    )
    if arguments.plan:
        return preview_rounds(arguments, grid, name, wish, launch)
    if not local:
        cluster_plan.require_shared_store(arguments.store)
    fill = _choose_purse(arguments, wish.budget, local=local)
    check_judging(programs)
    store = open_store(arguments.store, create=True)
    check_conditional_writes(store)
    # The budget is the answer to the question about the cost, and a look needs the end of its round.
    each = argparse.Namespace(**{**vars(arguments), "yes": True, "wait": True})
    rounds = Rounds(
        store=store,
        grid=grid,
        launch=functools.partial(launch, each),
        judge=functools.partial(judge_run, programs=programs),
        fill=fill,
        named=arguments.run is not None,
    )
    return rounds.go_on(open_plan(store, grid, name, wish))


def _choose_purse(arguments: argparse.Namespace, budget: float, *, local: bool) -> Fill:
    if not local:
        settings = sources.load_settings(arguments, os.environ)
        return lambda survey, plan: fill_with_dollars(survey, plan.done, budget, settings)

    def fill(survey: Plan, plan: LookPlan) -> Purse:
        crew = find_crew(arguments, visible_gpus(os.environ), len(plan.cells))
        return fill_with_hours(survey, plan.done, budget, crew.workers)

    return fill


def preview_rounds(arguments: argparse.Namespace, grid: Grid, name: str, wish: Wish, launch: LaunchCells) -> int:
    """Prints the plan of looks and the cells of its present round; changes nothing."""
    store = None if store_is_absent(arguments.store) else open_store(arguments.store)
    standing = read_standing(store, grid, name, wish) if store else None
    if standing is None:
        first = {c.id: c for c in find_first_cells(grid)}
        standing = Standing(plan=draft_plan(store, grid, name, wish), cells=first)
    print(*look_words.describe_plan(standing.plan), sep="\n")
    cells = standing.cells_of_rounds() or grow_cells(list(standing.cells.values()), standing.plan.seeds_at(1))
    current = dataclasses.replace(grid, cells=tuple(cells))
    return launch(arguments, current, standing.rounds[-1].run if standing.rounds else current.run)
