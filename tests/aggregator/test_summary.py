"""The table for a terminal: verdicts, then the largest effects."""

from __future__ import annotations

from aggregator.summary import summary_lines


def test_verdicts_come_first_and_the_largest_effects_after_them(made_report):
    material = made_report[0]
    lines = [*summary_lines(material.claims, material.steps, material.studies)]
    effects = lines.index("")

    assert lines[0].split()[:3] == ["claim", "verdict", "p"]
    assert [line.split()[0] for line in lines[1:effects]] == [c.name for c in material.claims]
    assert "of 36" in lines[effects + 1], "twelve treatments of three models"
    assert "overstated" in lines[effects + 1]
    assert len(lines) == effects + 3 + 8


def test_second_halves_stand_below_the_verdicts(made_report):
    material = made_report[0]
    lines = [*summary_lines(material.claims, material.steps, material.studies, material.second_halves)]

    assert lines[12].startswith("claim 2, second half: supported - This takes a fifth of the parameters")
    assert lines[13].startswith("claim 3, second half: supported")
    assert lines[14] == ""


def test_a_run_without_results_has_verdicts_only(gather, store):
    for key in [*store.list("results/")]:
        store.delete(key)
    material = gather(store)

    assert len([*summary_lines(material.claims, material.steps, material.studies)]) == 12
