"""Training a cell: it learns, repeats itself, goes on from any step, and names where it diverges."""

import numpy as np
import pytest

from experiment.errors import Diverged
from trainer import checkpoint
from trainer.model import device, training
from trainer.model.program import compiled_program


def run(cell, data, watch=lambda pace, snapshot: None, snapshot=None):
    return training.train_cell(cell, data, watch=watch, snapshot=snapshot)


def numbers(result):
    """The figures without the timings, and the logits: what must repeat to the last bit."""
    figures = [
        [{k: v for k, v in m.items() if k not in ("seconds", "images_per_second")} for m in e] for e in result.figures
    ]
    return figures, result.logits.tobytes(), {k: v.tobytes() for a in result.arrays.values() for k, v in a.items()}


class Stop(Exception):
    pass


@pytest.fixture(autouse=True)
def one_step_per_call(monkeypatch):
    """Python looks up after every step, so that a test may stop at any."""
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)


def test_a_cell_learns_and_the_ensemble_is_reported_beside_its_members(make_cell, tiny):
    result = run(make_cell(epochs=12, learning_rate=0.01), tiny)
    assert len(result.figures) == 12
    assert len(result.figures[0]) == 3
    assert result.figures[-1][2]["train_error"] < 0.1 < result.figures[0][2]["train_error"]
    assert result.logits.shape == (2, 90, 10)


def test_a_cell_is_a_function_of_its_seed(make_cell, tiny):
    first = numbers(run(make_cell(), tiny))
    compiled_program.cache_clear()
    assert numbers(run(make_cell(), tiny)) == first
    assert numbers(run(make_cell(seed=1), tiny)) != first


def test_a_warm_program_gives_the_numbers_of_a_fresh_one(make_cell, tiny):
    run(make_cell(alpha=1.0, seed=5), tiny)
    warm = numbers(run(make_cell(), tiny))
    compiled_program.cache_clear()
    assert numbers(run(make_cell(), tiny)) == warm


def test_interrupted_at_every_look_and_resumed_it_ends_bit_identical(make_cell, tiny):
    """Each run is cut at its next look; what it leaves goes through a checkpoint's bytes and another process's program."""
    cell = make_cell(epochs=2)
    undisturbed = numbers(run(cell, tiny))
    snapshot, cuts, result = None, 0, None
    while result is None:
        compiled_program.cache_clear()
        looks = []

        def watch(pace, take, looks=looks):
            looks.append(pace)
            if len(looks) == 2 or pace.step == pace.steps:
                raise Stop(take())

        try:
            result = run(cell, tiny, watch if cuts < 8 else lambda *_: None, snapshot)
        except Stop as stop:
            cuts += 1
            snapshot = checkpoint.from_bytes(checkpoint.to_bytes(cell.id, stop.args[0]), cell.id, "memory")
    assert cuts == 8
    assert numbers(result) == undisturbed


def test_every_epoch_of_training_leaves_out_the_last_short_batch(make_cell, tiny):
    seen = []
    run(make_cell(batch_size=50, epochs=1), tiny, lambda pace, _: seen.append(pace.step))
    assert max(seen) == 3  # 160 // 50


def test_test_figures_cover_the_whole_test_set_once(make_cell, tiny, monkeypatch):
    """Another size of evaluation batch changes padding and cuts, so it must change no figure."""
    whole = run(make_cell(epochs=1), tiny)
    monkeypatch.setattr(training, "EVALUATION_BATCH", 32)
    parts = run(make_cell(epochs=1), tiny)
    assert parts.logits.shape == whole.logits.shape
    np.testing.assert_allclose(parts.logits, whole.logits, rtol=1e-4, atol=1e-4)
    errors = np.mean(whole.logits.argmax(-1) != tiny.y_test, axis=-1)
    assert [m["test_error"] for m in whole.figures[-1][:2]] == errors.tolist()


def test_a_non_finite_cost_ends_it_with_cell_epoch_and_step(make_cell, tiny):
    cell = make_cell(learning_rate=1e30)
    with pytest.raises(Diverged, match=rf"{cell.id} diverged: non-finite cost in epoch 1, step \d+"):
        run(cell, tiny)


def test_three_members_train_together(make_cell, tiny):
    cell = make_cell(
        members=(*make_cell().members, make_cell().members[0].__class__(name="C", bricks=1, blocks=1, filters=2))
    )
    result = run(cell, tiny)
    assert len(result.figures[0]) == 4
    assert list(result.arrays) == ["A", "B", "C"]


def test_paces_count_up_to_the_total(make_cell, tiny):
    paces = []
    run(make_cell(), tiny, lambda pace, _: paces.append(pace))
    assert [p.step for p in paces] == sorted(p.step for p in paces)
    assert {p.steps for p in paces} == {15}
    assert paces[-1].step == 15
    assert all(p.images_per_second > 0 and p.seconds_left >= 0 for p in paces[2:])


def test_a_cell_of_precision_auto_ends_in_the_arithmetic_it_was_begun_in(make_cell, tiny, monkeypatch):
    """Evicted from one kind of GPU and resumed on another, it is still one cell: no half of it in each arithmetic."""
    plain = make_cell(precision="bfloat16")
    expected = numbers(run(plain, tiny))

    def stop(pace, snapshot):
        raise Stop(snapshot())

    monkeypatch.setattr(device, "resolve_precision", lambda _: "bfloat16")
    with pytest.raises(Stop) as stopped:
        run(make_cell(precision="auto"), tiny, stop)
    monkeypatch.setattr(device, "resolve_precision", lambda _: "float32")
    result = run(make_cell(precision="auto"), tiny, snapshot=stopped.value.args[0])

    assert result.arithmetic == "bfloat16"
    assert numbers(result) == expected
    assert numbers(run(make_cell(precision="auto"), tiny)) == numbers(run(make_cell(), tiny)) != expected
