"""What a cell was trained on, attempt after attempt."""

import types

import pytest

from trainer.model.types import Snapshot
from trainer.origins import extend_origins


def options(device="CPU", git_commit="abc", **packages):
    engine = types.SimpleNamespace(device_name=lambda: device, package_versions=lambda: {"tensorflow": "2", **packages})
    return types.SimpleNamespace(engine=engine, git_commit=git_commit, image="i")


FIRST = {"from_step": 0, "device": "CPU", "packages": {"tensorflow": "2"}, "git_commit": "abc", "image": "i"}


def snapshot(origins, step=7):
    return Snapshot(step=step, arithmetic="float32", arrays={}, origins=origins)


def test_a_training_begins_with_its_first_attempt():
    assert extend_origins(None, options()) == [FIRST]


def test_an_attempt_on_the_same_adds_nothing():
    assert extend_origins(snapshot([FIRST]), options()) == [FIRST]


@pytest.mark.parametrize("other", [{"device": "GPU"}, {"git_commit": "def"}, {"numpy": "1"}], ids=str)
def test_what_changed_is_recorded_from_its_step_on(other):
    first, second = extend_origins(snapshot([FIRST]), options(**other))

    assert first == FIRST
    assert second["from_step"] == 7
    assert extend_origins(snapshot([first, second], 9), options()) == [first, second, {**FIRST, "from_step": 9}]


def test_a_checkpoint_of_a_version_that_kept_no_origins_begins_where_it_is_taken_up():
    assert extend_origins(snapshot([]), options()) == [{**FIRST, "from_step": 7}]
