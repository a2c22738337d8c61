"""What the attempts of a process share is said once and stays as it is."""

from __future__ import annotations

import dataclasses

import pytest

from trainer.options import AttemptOptions


@pytest.fixture
def options(local_store):
    return AttemptOptions(store=local_store, attempt="a", load=lambda _: None, stopping=lambda: False)


def test_no_attempt_changes_what_the_others_share(options):
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.attempt = "b"


def test_what_is_not_said_waits_for_nothing_and_shows_nothing(options):
    assert options.outage_seconds == 0
    assert options.holder.name == "an attempt of no run"
    assert options.show(None) is None
    with options.finish_first():
        assert not options.stopping()


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(AttemptOptions)])
def test_every_option_says_what_it_is(name):
    assert f"        {name}: " in AttemptOptions.__doc__
