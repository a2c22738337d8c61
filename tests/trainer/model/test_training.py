"""Training a cell: it learns, repeats itself, goes on from any step, and names where it diverges."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from experiment.errors import Diverged
from trainer import checkpoint
from trainer.model import device, training
from trainer.model.program import Program, compiled_program


def run(cell, data, watch=lambda pace, snapshot: None, snapshot=None, teacher=None):
    return training.train_cell(cell, data, watch=watch, snapshot=snapshot, teacher=teacher)


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


RESUMED = {
    "the paper's": {},
    "beyond": {
        "method": "consensus",
        "temperature": 2.0,
        "alpha_plan": "rise",
        "stale_epochs": 2,
        "label_smoothing": 0.1,
        "augment": "shift+flip",
        "unlabelled": "rest",
        "unlabelled_share": 0.5,
        "train_examples": 128,
    },
    "the program's": {"method": "ce", "head": "plain", "recipe": "program", "batch_size": 50},
}


@pytest.mark.parametrize("name", RESUMED)
def test_interrupted_at_every_look_and_resumed_it_ends_bit_identical(make_cell, tiny, name):
    """Each run is cut at its next look; what it leaves goes through a checkpoint's bytes and another process's program."""
    cell = make_cell(epochs=4, **RESUMED[name])
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


def test_the_program_s_epochs_train_on_the_last_short_batch_too(make_cell, tiny):
    seen = []
    run(
        make_cell(batch_size=50, epochs=2, head="plain", recipe="program"), tiny, lambda pace, _: seen.append(pace.step)
    )
    assert max(seen) == 8  # 160 / 50, rounded up, twice


def test_the_program_s_figures_are_those_of_its_last_steps(make_cell, tiny):
    """After 4 steps a running average from 0 has 1 - 0.95^4 of the weight: a cost of 2.3 nats shows as less than 0.5."""
    first = run(make_cell(epochs=1, head="plain", recipe="program", batch_size=40), tiny).figures[0][0]
    assert 0.2 < first["train_cross_entropy"] < 1.5
    assert first["train_error"] <= 1 - 0.95**4 + 1e-9


def test_alpha_follows_its_plan_epoch_by_epoch(make_cell, tiny):
    """Of two epochs, late collaborates in the second only: the first is that of members alone."""
    late = run(make_cell(epochs=2, alpha=1.0, alpha_plan="late"), tiny)
    alone = run(make_cell(epochs=2, alpha=0.0, method="single"), tiny)
    assert numbers(late)[0][0] == numbers(alone)[0][0]
    assert numbers(late)[0][1] != numbers(alone)[0][1]


def test_stale_peers_are_the_members_as_they_were_when_they_were_renewed(make_cell, tiny):
    """Peers of the epoch's start and peers of two epochs ago are the same in the second epoch's first step, then differ."""
    one, two = (run(make_cell(epochs=3, alpha=1.0, stale_epochs=stale), tiny) for stale in (1, 2))
    now = run(make_cell(epochs=3, alpha=1.0), tiny)
    assert numbers(one)[0][0] == numbers(two)[0][0] != numbers(now)[0][0]
    assert numbers(one)[0][1] != numbers(two)[0][1]


@pytest.fixture
def student(make_cell, tiny):
    """A student of two members with its teacher, which has one, and the teacher's arrays."""
    teacher = make_cell(method="single", alpha=0.0, members=make_cell().members[1:], epochs=2, learning_rate=0.01)
    arrays = run(teacher, tiny).arrays
    return make_cell(method="distillation", alpha=1.0, teacher=teacher, augment="shift"), arrays


def test_a_student_without_weight_on_its_teacher_is_single_bit_for_bit(student, tiny):
    cell, arrays = student
    taught = run(dataclasses.replace(cell, alpha=0.0), tiny, teacher=arrays)
    alone = run(dataclasses.replace(cell, method="single", alpha=0.0, teacher=None), tiny)
    assert numbers(taught) == numbers(alone)


def test_a_student_interrupted_at_any_step_goes_on_without_its_teachers_file(student, tiny):
    cell, arrays = student
    whole = run(cell, tiny, teacher=arrays)
    kept = []
    run(cell, tiny, lambda _, take: kept.append(take()), teacher=arrays)
    for snapshot in kept[:: len(kept) // 4]:
        stored = checkpoint.from_bytes(checkpoint.to_bytes(cell.id, snapshot), cell.id, "it")
        assert numbers(run(cell, tiny, snapshot=stored)) == numbers(whole)


def test_the_unlabelled_rest_is_what_follows_the_training_examples(make_cell, tiny, monkeypatch):
    pools = []
    monkeypatch.setattr(training.device, "place_on_device", lambda array: pools.append(array) or tf.constant(array))
    run(make_cell(epochs=1, unlabelled="rest", unlabelled_share=1, train_examples=100), tiny)
    np.testing.assert_array_equal(pools[1], tiny.x_train[100:])


def test_validation_examples_are_measured_and_never_trained_on(make_cell, tiny):
    """A cell that holds out the last 60 is trained as one of the first 100, and says how it does on the 60."""
    held = run(make_cell(train_examples=0, validation_examples=60), tiny)
    fewer = run(make_cell(train_examples=100), tiny)
    figures = [[{k: v for k, v in m.items() if "validation" not in k} for m in e] for e in numbers(held)[0]]
    assert (figures, *numbers(held)[1:]) == numbers(fewer)
    whole = tiny.hold_out(60)
    other = dataclasses.replace(tiny, x_test=whole[1], y_test=whole[2])
    tested = run(make_cell(train_examples=100, test_examples=60), other)
    for ours, theirs in zip(held.figures[-1], tested.figures[-1], strict=True):
        assert ours["validation_error"] == theirs["test_error"]
        assert ours["validation_cross_entropy"] == theirs["test_cross_entropy"]


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


def test_non_finite_logits_of_the_test_set_are_a_divergence(make_cell, tiny):
    """The only step has a finite cost, and leaves weights with which nothing can be predicted."""
    cell = make_cell(learning_rate=1e30, batch_size=160, epochs=1)
    with pytest.raises(Diverged, match=rf"{cell.id} diverged: non-finite logit in epoch 1; allowed: finite logits"):
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


def test_a_short_batch_counts_as_the_images_that_it_has(make_cell, tiny, monkeypatch):
    """Counted as a whole one, it made the pace look twice as fast at the end of each epoch."""
    clock, train = [0.0], Program.train

    def train_at_a_steady_pace(self, data, order, span, **settings):
        train(self, data, order, span, **settings)
        clock[0] += (span[1] - span[0]) * order.shape[1] / 1000

    monkeypatch.setattr(Program, "train", train_at_a_steady_pace)
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    paces = []
    run(make_cell(batch_size=50, epochs=2, head="plain", recipe="program"), tiny, lambda pace, _: paces.append(pace))
    speeds = {round(p.images_per_second) for p in paces if p.images_per_second}
    assert speeds == {1000}


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
