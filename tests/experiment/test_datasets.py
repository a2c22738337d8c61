"""What is known of a data set fits what the suite does with it."""

from __future__ import annotations

import re

import pytest

from experiment.datasets import DATASETS


@pytest.mark.parametrize("name", DATASETS)
def test_a_name_is_part_of_ids_folders_and_labels(name):
    assert re.fullmatch(r"[a-z][a-z0-9]{0,15}", name)


@pytest.mark.parametrize("info", DATASETS.values(), ids=DATASETS)
def test_an_image_can_be_halved_twice_as_the_members_of_the_paper_need(info):
    height, width, _ = info.shape

    assert (height % 4, width % 4) == (0, 0)


def test_names_and_titles_differ_even_where_case_does_not_count():
    assert len({name.lower() for name in DATASETS}) == len(DATASETS)
    assert len({info.title.lower() for info in DATASETS.values()}) == len(DATASETS)
