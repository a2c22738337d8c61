"""What the environment may say to the trainer, and how it is refused."""

import pytest

from experiment.errors import InvalidInput
from trainer import arguments


def test_without_an_environment_the_defaults_hold():
    assert arguments.checkpoint_seconds({}) == 60
    assert arguments.is_deterministic({}) is True
    assert len({arguments.attempt_name({}) for _ in range(3)}) == 3


def test_what_is_given_is_taken():
    assert arguments.checkpoint_seconds({"CHECKPOINT_SECONDS": "0.5"}) == 0.5
    assert arguments.is_deterministic({"DETERMINISTIC": "0"}) is False
    assert arguments.attempt_name({"ATTEMPT": "9a-b_c"}) == "9a-b_c"


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "-1"),
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "soon"),
        (arguments.checkpoint_seconds, "CHECKPOINT_SECONDS", "inf"),
        (arguments.is_deterministic, "DETERMINISTIC", "maybe"),
        (arguments.attempt_name, "ATTEMPT", "../up"),
        (arguments.attempt_name, "ATTEMPT", "x" * 65),
    ],
)
def test_what_cannot_be_is_refused_by_name(function, name, value):
    with pytest.raises(InvalidInput, match=f"{name} is .*; allowed: "):
        function({name: value})
