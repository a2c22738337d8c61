"""The page begins with the answer."""

from __future__ import annotations

from aggregator.claims import judge_claims
from aggregator.report.opening import SAID, compose_opening, say_steps
from experiment import keys


def test_every_claim_has_its_words_and_a_link_to_its_card(made_report):
    material, files = made_report
    opening = compose_opening(material)
    page = files["index.html"].decode()

    assert (
        [a.said.partition(":")[0] for a in opening.answers]
        == [c.name for c in judge_claims(material.studies)]
        == list(SAID)
    )
    assert opening.asked == ()
    for answer in opening.answers:
        assert f'href="#{answer.anchor}"' in page
        assert f'id="{answer.anchor}"' in page
    assert page.index('class="verdicts"') < page.index("<nav")


def test_the_largest_differences_have_their_intervals(made_report):
    effects = compose_opening(made_report[0]).effects

    assert len(effects.rows) == 6
    values = [row[1].value for row in effects.rows]
    assert values == sorted(values)
    assert all(row[2].bounds for row in effects.rows)
    assert "overstated" in effects.caption


def test_what_would_decide_the_rest_is_said_once_for_all_claims_alike(made_report):
    steps = made_report[0].steps
    said, twice = say_steps(steps), say_steps([*steps, *steps])

    assert any(line.startswith("Claim L2-2: needs cells of L2 0.01") for line in said)
    assert len(twice) == len(said) <= len(steps)
    assert all(line.startswith("Claims ") for line in twice)


def test_without_results_there_are_verdicts_only(store, gather):
    for key in [*store.list(keys.RESULTS)]:
        store.delete(key)
    opening = compose_opening(gather(store))

    assert opening.effects is None
    assert {a.verdict for a in opening.answers} == {"undecided"}
