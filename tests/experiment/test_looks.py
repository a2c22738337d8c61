"""Looks are counted, paid for, and planned before they are made."""

from __future__ import annotations

import dataclasses

import pytest

from experiment import keys, looks
from experiment.grid import load_grid
from experiment.looks import Look

CELL = load_grid("demo").cells[0]
NAME = looks.name_results(CELL)
FIVE = (0, 1, 2, 3, 4)


def test_results_of_one_setting_have_one_name_whatever_method_alpha_and_seed():
    others = [dataclasses.replace(c, seed=9) for c in load_grid("demo").cells]

    assert {looks.name_results(c) for c in others} == {NAME}
    assert looks.name_results(dataclasses.replace(CELL, epochs=3)) != NAME


def test_further_looks_lower_the_level_so_that_all_together_stay_near_it():
    levels = [looks.level_at(n) for n in range(1, 50)]

    assert levels[0] == looks.ALPHA
    assert sum(levels) < 1.65 * looks.ALPHA


@pytest.mark.parametrize("earlier", [0, 1, 3])
def test_the_looks_of_a_plan_spend_together_what_one_look_would(earlier):
    assert 4 * looks.level_in_plan(4, earlier) == pytest.approx(looks.level_at(earlier + 1))


def test_a_planned_look_has_the_level_of_its_plan_and_a_look_that_was_made_keeps_its_number(local_store):
    record(local_store, Look(FIVE, 1))
    record(local_store, Look((*FIVE, 5), 2, 0.004, "p"))
    record(local_store, Look((*FIVE, 5, 6, 7), 2, 0.004, "p"))
    found = looks.read_looks(local_store, NAME)

    assert looks.find_look(found, FIVE) == Look(FIVE, 1)
    assert looks.find_look(found, (*FIVE, 5)).paid_level == 0.004
    assert looks.find_look(found, (*FIVE, 6)) == Look((*FIVE, 6), 3), "a plan is one look"
    assert looks.find_look(found, range(10, 15)).paid_level == looks.ALPHA


def test_a_plan_outranks_an_earlier_look_at_the_same_seeds(local_store):
    record(local_store, Look(FIVE, 1))
    record(local_store, Look(FIVE, 2, 0.001, "p"))

    assert looks.find_look(looks.read_looks(local_store, NAME), FIVE).paid_level == 0.001


def test_a_record_that_cannot_be_read_is_a_look_at_any_seeds(local_store):
    local_store.put(keys.look(NAME, "0123456789"), b"{}")

    assert looks.find_look(looks.read_looks(local_store, NAME), FIVE).number == 2


def record(store, look):
    looks.record_look(store, NAME, look, run="r", time="2026-01-01T00:00:00+00:00")
