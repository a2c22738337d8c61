"""Keys are found by prefix at a cost that the rest of the listing does not raise."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st

from experiment.leaps import FEWEST, drop_nested, leap_pages, pick_keys

KEYS, PREFIXES = st.text("abc/", min_size=1, max_size=5), st.text("abc/", max_size=5)


class Listing:
    """A sorted listing that counts its pages."""

    def __init__(self, keys, most=1000):
        self.keys, self.most, self.pages, self.given = sorted(set(keys)), most, 0, 0

    def page(self, common, after, size):
        self.pages += 1
        inside = [k for k in self.keys if k.startswith(common)]
        start = bisect_right(inside, after) if after else 0
        found = inside[start : start + min(size, self.most)]
        self.given += len(found)
        return found, start + len(found) < len(inside)


@given(st.sets(KEYS, max_size=40), st.sets(PREFIXES, max_size=8), st.integers(1, 5))
def test_exactly_the_keys_under_the_prefixes_are_found_whatever_the_pages_hold(keys, prefixes, most):
    wanted = [k for k in sorted(keys) if any(k.startswith(p) for p in prefixes)]

    assert list(leap_pages(prefixes, Listing(keys, most).page)) == wanted
    assert list(pick_keys(sorted(keys), drop_nested(prefixes))) == wanted


def test_a_few_keys_of_many_cost_a_short_page_each():
    listing = Listing(f"cell{i:05d}/{name}" for i in range(10_000) for name in ("a", "b"))

    found = list(leap_pages([f"cell{i:05d}/a" for i in (0, 2_000, 5_000, 9_999)], listing.page))

    assert len(found) == 4
    assert listing.pages <= 4
    assert listing.given <= 4 * FEWEST


def test_many_keys_side_by_side_are_read_in_long_pages():
    listing = Listing(f"cell{i:05d}/{name}" for i in range(10_000) for name in ("a", "b"))

    assert len(list(leap_pages([f"cell{i:05d}/a" for i in range(4_000, 5_000)], listing.page))) == 1_000
    assert listing.pages <= 8


def test_keys_that_are_not_there_cost_one_page_together():
    listing = Listing(["other/1", "other/2"])

    assert list(leap_pages([f"cell{i}/" for i in range(1_000)], listing.page)) == []
    assert listing.pages == 1


def test_nothing_is_asked_for_no_prefix():
    listing = Listing(["a"])

    assert list(leap_pages([], listing.page)) == []
    assert listing.pages == 0
