"""A plan of looks for grid smoke, and standings of it."""

from __future__ import annotations

from experiment.grid import load_grid
from k8s.planning.look_plan import Answer, LookPlan, Round, Standing

CELLS = {c.id: c for c in load_grid("smoke").cells}
PLAN = LookPlan(
    name="smoke-1",
    claims=("1", "2", "4"),
    budget=10.0,
    unit="hours",
    cells=tuple(CELLS),
    seeds=tuple(range(30)),
    counts=(5, 10, 15, 20, 30),
    earlier={"digits-1": 0},
    levels={"digits-1": 0.005},
    done=(),
    time="2026-01-01T00:00:00+00:00",
)


def answer(name, verdict="undecided", **changes):
    facts = {"p": 0.2, "level": 0.005, "seeds": 5, "cells": tuple(CELLS)}
    return Answer(name=name, verdict=verdict, **{**facts, **changes})


def standing(looks, claims=None, growing=None):
    """The plan after these looks, each of a round for these claims with these growing cells (by default all)."""
    rounds = tuple(
        Round(
            number=n + 1,
            run=f"smoke-{n + 1}",
            claims=claims[n] if claims else PLAN.claims,
            growing=tuple(growing[n] if growing else CELLS),
        )
        for n in range(len(looks))
    )
    return Standing(plan=PLAN, cells=CELLS, rounds=rounds, looks=tuple(map(tuple, looks)))
