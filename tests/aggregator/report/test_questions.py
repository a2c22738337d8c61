"""The page has a section about questions that the run speaks about, and none where it speaks about none."""

from __future__ import annotations

import dataclasses
import re

import pytest

from aggregator.claims.verdict import SUPPORTED, UNDECIDED
from aggregator.report.opening import compose_opening
from aggregator.report.questions import questions_section
from aggregator.report.sections import compose_sections
from aggregator.summary import summary_lines
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.claims.test_questions import gains, jitter
from tests.aggregator.report_of import text_files


def made_material(folder, gather, error):
    cells = [
        dataclasses.replace(c, seed=seed, epochs=epochs)
        for c in load_grid("demo").cells
        if (c.method, c.alpha) in (("single", 0.0), ("l2", 0.01))
        for seed in range(6)
        for epochs in (1, 2)
    ]
    return gather(factories.committed_store(folder / "s", cells=cells, error=error, predictions=False))


@pytest.fixture(scope="module")
def material(tmp_path_factory, gather):
    error = gains(0.15)
    return made_material(tmp_path_factory.mktemp("supported"), gather, lambda c, m: error(c, m) + 20 * jitter(c, m))


@pytest.fixture(scope="module")
def open_material(tmp_path_factory, gather):
    error = gains(0.07)
    return made_material(tmp_path_factory.mktemp("open"), gather, lambda c, m: error(c, m) + 100 * jitter(c, m))


def test_a_question_has_a_card_and_a_figure(material):
    card, picture = questions_section(material.questions, material.question_steps).blocks

    assert (card.name, card.verdict) == ("question-longer-epochs-2", SUPPORTED)
    assert card.title == "Does what collaboration gains survive a longer training? (epochs 2)"
    found = re.findall(r"[−+]\d+\.\d\d", dict(card.facts)["mean difference (pp)"])
    mean, low, high = (float(text.replace("−", "-")) for text in found)
    assert low < mean < high < 0
    assert mean == pytest.approx(-10, abs=1), "percentage points"
    assert "what would decide it" not in dict(card.facts)
    assert len(card.comparisons.rows) == 3
    assert picture.name == "question-longer-epochs-2-differences"
    assert picture.svg.count("<title>") == 3, "a mark for each model"


def test_an_open_question_says_what_would_decide_it(open_material):
    card = questions_section(open_material.questions, open_material.question_steps).blocks[0]

    assert card.verdict == UNDECIDED
    assert "seeds" in dict(card.facts)["what would decide it"]


def test_the_section_stands_behind_the_claims_and_its_files_are_written(material):
    anchors = [s.anchor for s in compose_sections(material)]
    files = text_files(material)

    assert anchors[:2] == ["claims", "questions"]
    assert files["tables/question-longer-epochs-2.md"].startswith(
        "### Comparisons behind question longer-epochs-2: supported"
    )
    assert "figures/question-longer-epochs-2-differences.svg" in files
    assert 'id="question-longer-epochs-2"' in files["index.html"]


def test_the_page_begins_with_what_the_run_asks(material):
    page = text_files(material)["index.html"]
    asked, claimed = page.index("What this run asks"), page.index("What the paper claims")

    assert asked < page.index('<a href="#question-longer-epochs-2">Does what collaboration gains') < claimed
    assert [a.verdict for a in compose_opening(material).asked] == [SUPPORTED]


def test_a_run_that_speaks_about_no_question_has_no_section(made_report):
    material = made_report[0]

    assert material.questions == []
    assert "questions" not in [s.anchor for s in compose_sections(material)]


def test_the_summary_has_a_table_of_them(material):
    lines = [*summary_lines(material.claims, (), (), questions=material.questions)]

    assert lines[-2].startswith("question: gains more?")
    assert lines[-1].split()[:2] == ["longer-epochs-2", "supported"]
