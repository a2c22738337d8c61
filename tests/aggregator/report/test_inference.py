"""The table of what inference takes, and that of the shares behind the second halves."""

from __future__ import annotations

from aggregator.report.inference import inference_tables, second_halves_table
from aggregator.report.sections import cost_section
from aggregator.report.verdicts import claims_section
from experiment.grid import load_grid
from tests.aggregator import factories
from tests.aggregator.report_of import text_files
from tests.aggregator.study_of import study_of

CELLS = load_grid("demo").cells


def rows(table):
    return [[e.text for e in row] for row in table.rows]


def test_every_model_has_its_size_and_its_median_speeds():
    made = {"ST": {"parameters": 10, "multiply_adds": 5000}, "M": {"parameters": 90}, "Ens": {}}
    speeds = [100.0, 300.0, 200.0]
    facts = {
        c.id: {"inference": {**made, "ST": {**made["ST"], "images_per_second_64": speed}}, "processor": "fast"}
        for c, speed in zip(CELLS, speeds, strict=False)
    }

    assert rows(inference_tables(study_of(CELLS), facts)[0]) == [
        ["Digits", "ST", "10", "5,000", "–", "200", "3", "fast"],
        ["Digits", "M", "90", "–", "–", "–", "3", "fast"],
        ["Digits", "Ens", "–", "–", "–", "–", "3", "fast"],
    ]


def test_another_processor_has_rows_of_its_own():
    named = zip(CELLS, ["fast", "slow", ""], strict=False)
    facts = {c.id: {"inference": factories.made_inference(c), "processor": name} for c, name in named}
    found = rows(inference_tables(study_of(CELLS), facts)[0])

    assert [row[-2:] for row in found[::3]] == [["1", "–"], ["1", "fast"], ["1", "slow"]]


def test_cells_of_the_time_before_it_was_measured_have_no_table():
    assert inference_tables(study_of(CELLS), {c.id: {"device": "CPU"} for c in CELLS}) == []


def test_the_report_shows_sizes_speeds_and_second_halves(made_report):
    material, files = made_report
    blocks = claims_section(material.claims, (), material.second_halves).blocks
    table = next(b for b in blocks if b.name == "claims")
    found = {row[0].text: (row[1].text, row[-1].text) for row in table.rows}

    assert files["tables/inference.csv"].decode().splitlines()[1].startswith("Digits,ST,47098,4324096,")
    assert {name for name, (_, half) in found.items() if half == "supported"} == {"2", "3"}
    assert found["2"][0].endswith("This takes a fifth of the parameters and is three times as fast.")
    assert {half for name, (_, half) in found.items() if name not in "23"} == {"–"}
    assert len(files["tables/second-halves.csv"].decode().splitlines()) == 1 + 6


def test_an_old_store_says_that_nothing_was_measured(tmp_path, gather):
    store = factories.committed_store(tmp_path / "s", cells=CELLS[:1], predictions=False)
    factories.commit_cell(store, CELLS[0], predictions=False, inference={}, processor="")
    material = gather(store)

    assert any("What inference takes was not measured" in w for w in cost_section(material).words)
    assert "tables/inference.csv" not in text_files(material)
    assert second_halves_table(material.second_halves).rows == ()
