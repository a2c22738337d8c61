"""What an enemy may write where the suite reads: any JSON, and a good object with a few places changed."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable

import hypothesis
from hypothesis import strategies as st

from experiment.errors import ExperimentError

ODD = st.sampled_from([10**400, -1, 2**63, "", "2026-01-01", "x" * 300, "\x1b[2J\n", "\ud800", float("nan"), 1e308])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | ODD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NO_JSON = (
    b"",
    b"{",
    b"\xff",
    b"[" * 100_000,
    b'{"record":' * 50_000,
    b"9" * 10_000,
    b'{"sha256": ' + b"9" * 9_999 + b"}",
)


def quick(examples: int) -> Callable:
    """The settings of a fuzzing test: so many examples, none kept, fixtures of the function shared by all."""
    shared = hypothesis.HealthCheck.function_scoped_fixture
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[*hypothesis.settings().suppress_health_check, shared],
    )


@st.composite
def changed(draw, base, values=ANY_JSON):
    """The object with one to three places set to something else, removed or added."""
    made = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 3))):
        node = made
        while places := list(node) if isinstance(node, dict) else list(range(len(node))):
            place = draw(st.sampled_from(places))
            if isinstance(node[place], (dict, list)) and node[place] and draw(st.booleans()):
                node = node[place]
                continue
            if draw(st.integers(0, 3)):
                node[place] = draw(values)
            elif isinstance(node, dict) and draw(st.booleans()):
                node[draw(st.text(max_size=5))] = draw(values)
            else:
                del node[place]
            break
    return made


@st.composite
def damaged(draw, data: bytes, tail: int = 0):
    """The bytes with up to four of them changed, more often among the last ``tail``, and sometimes cut."""
    made = bytearray(data)
    where = st.integers(0, len(data) - 1)
    for _ in range(draw(st.integers(1, 4))):
        made[draw(where | st.integers(len(data) - tail, len(data) - 1) if tail else where)] = draw(st.integers(0, 255))
    return bytes(made[: draw(where)] if draw(st.integers(0, 9)) == 0 else made)


def read_or_refused(read: Callable[[], object]) -> object:
    """What ``read`` returns; None if it refuses, which a program says in one line. Every other error fails the test."""
    with contextlib.suppress(ExperimentError):
        return read()
    return None
