"""The compiled step: against an independent version, without collaboration, and under XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiment.cell import METHODS
from experiment.members import Member
from trainer.model import costs, device, export, schedule
from trainer.model.inputs import Examples
from trainer.model.program import Program, compiled_program
from trainer.model.signature import cell_networks, program_signature
from trainer.model.types import STATE, Rates


def steps(cell, data, count=4, *, jit=False, **rates):
    """The program after some steps of the first epoch."""
    program = Program(program_signature(cell, device.resolve_precision(cell.precision)), jit=jit)
    program.begin(cell.seed)
    advance(program, cell, data, count, **rates)
    return program


def advance(program, cell, data, count, **rates):
    order = tf.constant(schedule.epoch_order(cell.seed, 0, len(data.y_train), cell.batch_size))
    images, labels = tf.constant(data.x_train), tf.constant(data.y_train.astype(np.int32))
    given = Rates(cell.learning_rate, cell.alpha, cell.weight_decay)._replace(**rates)
    examples = Examples(images, labels, images[100:])
    program.train(examples, order, (0, count), seed=cell.seed, steps_before=0, rates=given)


def distance_of_the_pair(logits, _):
    """The cost of l2, without the code under test."""
    return tf.reduce_mean(tf.reduce_sum((logits[0] - logits[1]) ** 2, -1))


def distance_from_the_teacher(logits, taught):
    """The cost of distillation at a temperature of 2, without the code under test."""
    target = tf.nn.softmax(tf.add_n(taught) / len(taught) / 2)
    return 4 * tf.add_n(
        [tf.reduce_mean(tf.keras.losses.categorical_crossentropy(target, tf.nn.softmax(x / 2))) for x in logits]
    )


@pytest.fixture
def teacher(make_cell, tiny):
    """A cell of three members, and their arrays after some steps."""
    third = Member(name="C", bricks=1, blocks=2, filters=5)
    cell = make_cell(method="single", alpha=0.0, members=(*make_cell().members, third), head="plain")
    return cell, steps(cell, tiny, 5).arrays()


@pytest.mark.parametrize("method", ["l2", "distillation"])
def test_a_step_equals_keras_layers_with_tensorflow_1s_adam(make_cell, tiny, teacher, method):
    taught = {"method": method, "alpha": 1.0, "teacher": teacher[0], "temperature": 2.0} if method != "l2" else {}
    cell = make_cell(weight_decay=0.01, **taught)
    distance = distance_from_the_teacher if taught else distance_of_the_pair
    program = Program(program_signature(cell, device.resolve_precision(cell.precision)), jit=False)
    program.begin(cell.seed, teacher[1] if taught else None)
    before = program.arrays()
    others = [export.to_keras(n, (8, 8, 1), teacher[1][n.member.name]) for n in cell_networks(teacher[0])]
    models = [export.to_keras(n, (8, 8, 1), before[n.member.name]) for n in program.networks]
    batch = schedule.epoch_order(cell.seed, 0, 160, 32)[0]
    images, labels = tiny.x_train[batch].astype(np.float32), tiny.y_train[batch]
    with tf.GradientTape() as tape:
        logits = [m(images, training=True) for m in models]
        cost = cell.alpha * distance(logits, [m(images, training=False) for m in others])
        for model, each in zip(models, logits, strict=True):
            cost += tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels, each, from_logits=True))
            cost += 0.01 * tf.add_n([tf.nn.l2_loss(v) for v in model.trainable_variables if len(v.shape) > 1])
    variables = [v for m in models for v in m.trainable_variables]
    gradients = tape.gradient(cost, [v.value for v in variables])
    advance(program, cell, tiny, 1)
    after = program.arrays()
    for model, network in zip(models, program.networks, strict=True):
        for p in network.parameters:
            layer, _, part = p.name.rpartition("/")
            own = model.get_layer(layer.replace("/", "_")).trainable_variables
            variable = next(v for v in own if v.name in (part, {"bias": "beta"}.get(part)))
            g = gradients[[v is variable for v in variables].index(True)].numpy()
            m, v = 0.1 * g, 0.001 * g**2
            moved = 2.0**-10 * np.sqrt(1 - 0.999) / (1 - 0.9) * m / (np.sqrt(v) + 1e-8)
            clear = np.abs(g) > 1e-4  # where a gradient is nearly zero Adam's first step is the sign of rounding
            got = (before[network.member.name][p.name] - after[network.member.name][p.name])[clear]
            np.testing.assert_allclose(got, moved[clear], rtol=2e-3, atol=1e-6)


def test_without_weight_on_collaboration_every_method_is_single_bit_for_bit(make_cell, tiny):
    single = steps(make_cell(method="single", alpha=0.0), tiny, 5).state
    for method in METHODS[1:]:
        taught = make_cell(method="single", alpha=0.0) if method == "distillation" else None
        state = steps(make_cell(method=method, alpha=0.0, teacher=taught), tiny, 5).state
        for name in STATE:
            np.testing.assert_array_equal(state[name], single[name], err_msg=f"{method} {name}")


def test_collaboration_draws_the_members_together(make_cell, tiny):
    def distance(alpha):
        program = steps(make_cell(), tiny, 5, alpha=alpha)
        logits = program.logits(tf.constant(np.resize(tiny.x_test, (500, 8, 8, 1))))
        return np.square(logits[0] - logits[1]).mean()

    assert distance(10.0) < distance(0.0)


def test_a_member_that_does_not_pay_is_trained_as_alone(make_cell, tiny):
    """With a pull of (1, 0), the first learns from the second, and the second's numbers are those without collaboration."""
    single = steps(make_cell(method="single", alpha=0.0), tiny, 5).arrays()
    pulled = steps(make_cell(alpha=1.0, pull=(1.0, 0.0)), tiny, 5).arrays()
    for name, value in single["B"].items():
        np.testing.assert_array_equal(pulled["B"][name], value, err_msg=name)
    assert (pulled["A"]["logits/kernel"] != single["A"]["logits/kernel"]).any()


def test_stale_peers_stand_still_until_they_are_renewed(make_cell, tiny):
    program = steps(make_cell(alpha=1.0, stale_epochs=1), tiny, 3)
    state = program.state
    begun = Program(program_signature(make_cell(), "float32"), jit=False)
    begun.begin(0)
    np.testing.assert_array_equal(state["peers_theta"], begun.state["theta"])
    np.testing.assert_array_equal(state["peers_moments"], begun.state["moments"])
    program.renew_peers()
    np.testing.assert_array_equal(program.state["peers_theta"], state["theta"])
    np.testing.assert_array_equal(program.state["peers_moments"], state["moments"])
    assert set(begun.state) == set(STATE)


def test_unlabelled_images_move_no_moments(make_cell, tiny):
    """Only the cost that depends on them moves the weights; the first step's moments come from the labelled batch alone."""
    fields = {"unlabelled": "noise", "unlabelled_share": 1.0}
    plain, joined = (steps(make_cell(alpha=1.0, **own), tiny, 1).state for own in ({}, fields))
    np.testing.assert_array_equal(joined["moments"], plain["moments"])
    assert (joined["theta"] != plain["theta"]).any()
    without, none = (steps(make_cell(alpha=0.0, **own), tiny, 5).state for own in ({}, fields))
    for name in STATE:
        np.testing.assert_array_equal(none[name], without[name], err_msg=name)


def test_the_collaboration_cost_is_the_mean_over_labelled_and_unlabelled_images(make_cell, tiny, monkeypatch):
    sizes = []
    usual = costs.collaboration_cost

    def measured(form, logits, standing):
        sizes.append(logits[0].shape)
        return usual(form, logits, standing)

    monkeypatch.setattr(costs, "collaboration_cost", measured)
    steps(make_cell(unlabelled="rest", unlabelled_share=0.5), tiny, 1)
    assert set(sizes) == {(48, 10)}


@pytest.mark.parametrize(
    "fields", [{}, {"method": "single", "alpha": 0.0}, {"method": "ce"}, {"method": "l1"}], ids=str
)
def test_the_paper_s_step_has_no_operation_of_a_setting_beyond_it(make_cell, fields):
    program = Program(program_signature(make_cell(**fields), "float32"), jit=False)
    kinds = {op.type for op in program.graph((8, 8, 1), 32).get_operations()}
    assert not [k for k in kinds if "Random" in k or k == "StopGradient"]
    beyond = Program(program_signature(make_cell(augment="shift", pull=(1.0, 0.0)), "float32"), jit=False)
    assert {"StopGradient", "StatelessRandomUniformIntV2"} < {
        op.type for op in beyond.graph((8, 8, 1), 32).get_operations()
    }


BEYOND = {
    "smoothing": {"label_smoothing": 0.1},
    "augment": {"augment": "shift+flip"},
    "noise": {"unlabelled": "noise", "unlabelled_share": 0.5},
    "rest": {"unlabelled": "rest", "unlabelled_share": 0.5},
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_setting_changes_the_training(make_cell, tiny, name):
    plain, changed = (steps(make_cell(alpha=1.0, **own), tiny, 2).state for own in ({}, BEYOND[name]))
    assert (plain["theta"] != changed["theta"]).any()


def test_rates_are_arguments_so_that_cells_share_a_compilation(make_cell, tiny):
    program = steps(make_cell(), tiny)
    program.begin(7)
    advance(program, make_cell(seed=7), tiny, 3, alpha=1.0, learning_rate=0.1, weight_decay=0.0)
    assert program._train.experimental_get_tracing_count() == 1


def test_xla_compiles_the_same_graph_to_the_same_numbers(make_cell, tiny):
    plain, compiled = (steps(make_cell(), tiny, 2, jit=jit) for jit in (False, True))
    np.testing.assert_allclose(compiled.take_sums(), plain.take_sums(), rtol=1e-4)
    np.testing.assert_allclose(compiled.state["moments"], plain.state["moments"], rtol=1e-4, atol=1e-5)


def test_state_set_is_the_state_read(make_cell, tiny):
    program = steps(make_cell(), tiny)
    state = program.state
    advance(program, make_cell(), tiny, 2)
    program.state = state
    for name, value in program.state.items():
        np.testing.assert_array_equal(value, state[name])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_parameters_moments_and_optimizer_are_float32_in_every_precision(make_cell, tiny, precision):
    state = steps(make_cell(precision=precision), tiny, 2).state
    assert {state[n].dtype for n in ("theta", "adam_m", "adam_v", "moments")} == {np.dtype(np.float32)}
    assert np.isfinite(state["theta"]).all()


def test_a_program_of_before_deterministic_operations_is_not_used_after(make_cell, monkeypatch):
    after = program_signature(make_cell(), "float32")
    monkeypatch.setitem(device._chosen, "deterministic", False)
    before = program_signature(make_cell(), "float32")

    assert before != after
    assert compiled_program(before, jit=False) is not compiled_program(after, jit=False)
