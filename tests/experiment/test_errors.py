"""Every error has the exit code that tells Kubernetes and the local executor what to do next."""

from __future__ import annotations

import pytest

from experiment.errors import (
    KINDS,
    PERMANENT,
    Diverged,
    ExperimentError,
    Interrupted,
    InvalidInput,
    NotFound,
    Transient,
    describe_error,
    kind_of,
)


def test_the_exit_codes_are_those_of_the_contract():
    codes = {c: c.exit_code for c in (ExperimentError, InvalidInput, NotFound, Diverged, Transient, Interrupted)}

    assert list(codes.values()) == [1, 42, 42, 43, 75, 143]
    assert {"invalid", "diverged"} == PERMANENT


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_read_from_its_exit_code(kind):
    assert kind_of(KINDS[kind].exit_code) == kind


@pytest.mark.parametrize("code", [1, 2, -9, 255])
def test_any_other_code_is_an_error(code):
    assert kind_of(code) == "error"


@pytest.mark.parametrize(("error", "line"), [(ValueError("a\n b\t\x0bc"), "a b c"), (KeyError(), "KeyError")])
def test_an_error_is_described_in_one_line(error, line):
    assert describe_error(error) == line
