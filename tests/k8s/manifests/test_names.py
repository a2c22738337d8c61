"""Names are built and parsed in one place, and alike."""

from __future__ import annotations

import pytest

from k8s.manifests import names
from k8s.manifests.setting_rules import VALUE


def test_names_are_built_and_parsed_alike():
    job = names.trainer_job("run", "mnist", [1, 2])
    grouped = {names.trainer_job("run", "mnist", g) for g in ([[1, 2]], [[1], [2]])}

    assert len({job, *grouped}) == 3  # the same cells in other groups are another Job's

    assert job == names.trainer_job("run", "mnist", [1, 2]) != names.trainer_job("run", "mnist", [1, 3])
    assert names.trainer_job("run", "mnist", [1, 2], taken={job}) not in (
        job,
        names.trainer_job("run", "mnist", [1, 3]),
    )
    assert names.prepare_job("run", "mnist") == "run-prepare-mnist"
    assert names.prepare_job("run", "mnist", {"run-prepare-mnist"}) == "run-prepare-mnist-1"
    assert names.prepared_dataset("run-prepare-mnist-1") == names.prepared_dataset("run-prepare-mnist") == "mnist"
    assert names.prepared_dataset(job) is None


def test_the_indexes_in_a_jobs_status_are_read():
    assert names.parse_indexes("1,3-5,7") == {1, 3, 4, 5, 7}
    assert names.parse_indexes(None) == names.parse_indexes("") == set()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("demo", "demo"),
        ("my grid (2)", "my-grid--2"),
        ("études", "tudes"),
        ("a" * 80, "a" * 63),
        ("a" * 62 + "- b", "a" * 62),
        ("??", ""),
    ],
)
def test_any_text_becomes_a_labels_value(text, value):
    assert names.label_value(text) == value
    assert VALUE.fullmatch(value)
