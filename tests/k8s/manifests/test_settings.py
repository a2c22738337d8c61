"""Settings are whole when made, and one data set may have values of its own."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from k8s.manifests.settings import PER_DATASET, Settings
from tests.k8s.factories import RICH, settings


def test_one_data_set_may_have_its_own_values():
    found = settings(cpu="2", dataset={"notmnist": {"cpu": "7", "deadline_hours": 300, "tolerations": ["a"]}})

    assert (found.of("mnist").cpu, found.of("notmnist").cpu) == ("2", "7")
    assert (found.of("notmnist").deadline_hours, found.of("notmnist").tolerations) == (300, ("a",))


def test_a_data_sets_own_values_are_checked_with_the_others():
    with pytest.raises(InvalidInput, match="a quantity"):
        settings(dataset={"mnist": {"cpu": "two"}})


def test_what_a_data_set_may_set_are_settings():
    assert set(PER_DATASET) <= {*vars(Settings())}


@pytest.mark.parametrize("name", ["image", "aggregator_image"])
def test_an_image_by_tag_is_refused_unless_it_is_accepted(name):
    assert getattr(settings(**{**RICH, name: "r/i:1", "allow_tag": True}), name) == "r/i:1"
    with pytest.raises(InvalidInput, match="--allow-tag"):
        settings(**{name: "r/i:1"})
