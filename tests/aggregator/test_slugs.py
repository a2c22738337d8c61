"""Names of files made from a user's names: bounded, harmless, distinct where case is ignored, too."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.slugs import MOST, make_slugs


def test_a_short_name_that_is_alone_keeps_its_form():
    assert make_slugs(["digits", "ST", "M"]) == {"digits": "digits", "ST": "ST", "M": "M"}
    assert make_slugs(["digits-epochs 20, head wide"]) == {"digits-epochs 20, head wide": "digits-epochs-20--head-wide"}


@pytest.mark.parametrize(
    "texts",
    [
        ["st", "ST", "St"],
        ["weight_decay 0.1", "weight_decay 0-1", "weight-decay 0 1"],
        ["x" * 300 + "a", "x" * 300 + "b"],
        ["\u0430", "\u0431"],
    ],
    ids=["case", "other characters", "length", "other alphabets"],
)
def test_names_that_would_be_alike_end_in_digests(texts):
    slugs = make_slugs(texts)

    assert len({s.casefold() for s in slugs.values()}) == len(texts)
    assert all(len(s) <= MOST for s in slugs.values())
    assert slugs == {t: make_slugs(texts[::-1])[t] for t in texts}, "the order plays no part"


@given(st.lists(st.text(max_size=200), unique=True, max_size=6))
def test_any_names_become_names_of_files(texts):
    slugs = make_slugs(texts)

    assert len({s.casefold() for s in slugs.values()}) == len(texts)
    assert set("".join(slugs.values())) <= set(string.ascii_letters + string.digits + "-")
    assert all(len(s) <= MOST for s in slugs.values())
