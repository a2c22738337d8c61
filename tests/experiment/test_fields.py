"""Fields of what comes from a store are of their annotated types, or refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from experiment.errors import InvalidInput
from experiment.fields import check_fields


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A field of each type."""

    text: str = ""
    flag: bool = False
    count: int = 0
    epoch: int | None = None
    speed: float = 0.0
    shape: tuple[int, int, int] = (0, 0, 0)
    facts: Mapping[str, str] = None
    figures: Mapping[str, Mapping[str, float]] = None
    other: list[int] = None


@pytest.mark.parametrize(
    "good",
    [
        {"text": "x", "flag": True, "count": -3, "epoch": None, "speed": 1, "shape": (1, 2, 3), "facts": {"a": "b"}},
        {"epoch": 4, "speed": 1e300},
        {"figures": {}},
        {"figures": {"M": {"speed": 1.5, "count": 2}, "ST": {}}},
        {"other": "anything", "unknown": 1},
        {},
    ],
)
def test_values_of_their_types_are_accepted_in_any_number(good):
    check_fields(Thing, good, "here")


@pytest.mark.parametrize(
    "bad",
    [
        {"text": 1},
        {"flag": 1},
        {"count": True},
        {"count": 1.0},
        {"count": 2**64},
        {"epoch": "1"},
        {"speed": float("nan")},
        {"speed": 10**400},
        {"shape": (1, 2)},
        {"shape": [1, 2, 3]},
        {"facts": {"a": 1}},
        {"facts": [["a", "b"]]},
        {"figures": {"M": 1.5}},
        {"figures": {"M": {"speed": "1.5"}}},
        {"figures": {"M": {"speed": float("inf")}}},
        {"figures": [["M", {}]]},
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(bad):
    with pytest.raises(InvalidInput, match=f"{next(iter(bad))} of here is of another type .*; allowed: .*remove it"):
        check_fields(Thing, bad, "here")
