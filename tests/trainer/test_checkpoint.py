"""Checkpoints: whole or skipped, the newest valid one wins, none is removed before a newer one is durable."""

import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import load, save

from experiment import keys
from experiment.errors import InvalidInput, Transient
from trainer import checkpoint
from trainer.model.types import STATE, Snapshot

CELL = "digits-l2-0p01-s0-0123456789"


def snapshot(step):
    rng = np.random.default_rng(step)
    arrays = {n: rng.normal(size=7).astype(np.float32) for n in STATE}
    figures = [[{"test_error": 0.1 + 0.2, "train_cost": 1 / 3}]]
    origins = [{"from_step": 0, "device": "CPU", "packages": {"numpy": "2"}}]
    return Snapshot(
        step=step, arithmetic="bfloat16", arrays=arrays, figures=figures, seconds=(1.5, 0.25), origins=origins
    )


def test_a_checkpoint_is_read_as_written():
    got = checkpoint.from_bytes(checkpoint.to_bytes(CELL, snapshot(3)), CELL, "x")
    assert (got.step, got.arithmetic, got.figures, got.seconds) == (3, "bfloat16", snapshot(3).figures, (1.5, 0.25))
    assert got.origins == snapshot(3).origins
    for name, value in snapshot(3).arrays.items():
        np.testing.assert_array_equal(got.arrays[name], value)


def test_arrays_beyond_those_of_every_program_are_kept_and_under_the_digest():
    usual = snapshot(3)
    more = dataclasses.replace(usual, arrays={**usual.arrays, "peers_theta": np.arange(3.0)})
    data = checkpoint.to_bytes(CELL, more)
    np.testing.assert_array_equal(checkpoint.from_bytes(data, CELL, "x").arrays["peers_theta"], np.arange(3.0))
    arrays = load(data)
    with pytest.raises(InvalidInput, match="x is not a whole checkpoint"):
        checkpoint.from_bytes(save({**arrays, "peers_theta": np.ones(3)}), CELL, "x")


def test_a_checkpoint_of_a_version_that_kept_other_fields_is_named():
    arrays = load(checkpoint.to_bytes(CELL, snapshot(3)))
    header = json.loads(arrays.pop(checkpoint._HEADER).tobytes())
    del header["sha256"], header["arithmetic"]
    text = json.dumps({**header, "sha256": checkpoint._digest(header, arrays)})
    data = save({**arrays, checkpoint._HEADER: np.frombuffer(text.encode(), np.uint8)})
    with pytest.raises(InvalidInput, match=r"x is not a whole checkpoint.*arithmetic.*remove it"):
        checkpoint.from_bytes(data, CELL, "x")


def test_damage_anywhere_is_noticed():
    data = checkpoint.to_bytes(CELL, snapshot(3))
    missed = []
    for place in range(len(data)):
        torn = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        try:
            got = checkpoint.from_bytes(torn, CELL, "x")
        except InvalidInput:
            continue
        same = got.figures == snapshot(3).figures and got.step == 3 and got.seconds == (1.5, 0.25)
        if not same or any((got.arrays[n] != v).any() for n, v in snapshot(3).arrays.items()):
            missed.append(place)
    assert not missed


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_torn_checkpoint_is_refused(length):
    with pytest.raises(InvalidInput, match="not a whole checkpoint"):
        checkpoint.from_bytes(checkpoint.to_bytes(CELL, snapshot(3))[:length], CELL, "x")


def test_another_cells_checkpoint_is_refused():
    with pytest.raises(InvalidInput, match="not a whole checkpoint of other"):
        checkpoint.from_bytes(checkpoint.to_bytes(CELL, snapshot(3)), "other", "x")


def test_the_newest_valid_checkpoint_wins_and_a_damaged_one_is_named(local_store):
    for step in (10, 20):
        local_store.put(keys.checkpoint(CELL, step), checkpoint.to_bytes(CELL, snapshot(step)))
    local_store.put(keys.checkpoint(CELL, 30), checkpoint.to_bytes(CELL, snapshot(30))[:-5])
    said = []
    assert checkpoint.newest_checkpoint(local_store, CELL, said.append).step == 20
    assert len(said) == 1
    assert keys.checkpoint(CELL, 30) in said[0]


def test_older_ones_go_only_after_a_newer_one_is_there(local_store, monkeypatch):
    checkpoint.write_checkpoint(local_store, CELL, snapshot(10))
    monkeypatch.setattr(local_store, "put", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        checkpoint.write_checkpoint(local_store, CELL, snapshot(20))
    monkeypatch.undo()
    assert checkpoint.newest_checkpoint(local_store, CELL, print).step == 10
    checkpoint.write_checkpoint(local_store, CELL, snapshot(30))
    assert list(local_store.list(keys.folder(keys.CHECKPOINTS, CELL))) == [keys.checkpoint(CELL, 30)]
    checkpoint.remove_checkpoints(local_store, CELL)
    assert checkpoint.newest_checkpoint(local_store, CELL, print) is None


def test_a_header_of_an_unusable_depth_is_refused():
    header = np.frombuffer(b"[" * 100_000, np.uint8)
    with pytest.raises(InvalidInput, match="x is not a whole checkpoint"):
        checkpoint.from_bytes(save({**snapshot(3).arrays, checkpoint._HEADER: header}), CELL, "x")


def test_a_checkpoint_that_another_attempt_replaces_while_it_is_read_costs_nothing(local_store, monkeypatch):
    """The first attempt's pod was replaced, and goes on beside the second: it puts a later checkpoint, removes this one."""
    checkpoint.write_checkpoint(local_store, CELL, snapshot(3))
    read = local_store.read

    def overtaken(key):
        if key == keys.checkpoint(CELL, 3):
            checkpoint.write_checkpoint(local_store, CELL, snapshot(6))
        return read(key)

    monkeypatch.setattr(local_store, "read", overtaken)

    assert checkpoint.newest_checkpoint(local_store, CELL, pytest.fail).step == 6


def test_a_checkpoint_that_goes_with_the_commit_of_another_attempt_is_no_failure(local_store, monkeypatch):
    checkpoint.write_checkpoint(local_store, CELL, snapshot(3))
    read = local_store.read

    def committed_meanwhile(key):
        checkpoint.remove_checkpoints(local_store, CELL)
        return read(key)

    monkeypatch.setattr(local_store, "read", committed_meanwhile)

    assert checkpoint.newest_checkpoint(local_store, CELL, pytest.fail) is None


def test_a_store_that_lists_what_it_does_not_hold_is_waited_for(local_store, monkeypatch):
    checkpoint.write_checkpoint(local_store, CELL, snapshot(3))
    monkeypatch.setattr(local_store, "read", lambda key: type(local_store).read(local_store, key + "x"))

    with pytest.raises(Transient, match=f"checkpoints of {CELL} are removed while they are read"):
        checkpoint.newest_checkpoint(local_store, CELL, pytest.fail)
