"""The images of a step: what a distortion does to them, and that every draw is a function of seed and step."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.model import inputs
from trainer.model.inputs import Examples
from trainer.model.signature import program_signature


def key(value):
    return tf.constant(value, tf.int64)


def augmented(images, kind, seed=3, step=5):
    return inputs.augment_images(tf.constant(images), kind, key(seed), key(step)).numpy()


@pytest.fixture
def images():
    """400 images of 16x8 pixels and 2 channels, in which every pixel of an image differs from the others."""
    one = np.arange(16 * 8, dtype=np.uint8).reshape(16, 8, 1)
    return np.broadcast_to(np.concatenate([one, one + 100], axis=-1), (400, 16, 8, 2)).copy()


def moved(image, down, right, mirrored):
    """An independent version: padded with its edge, cut and mirrored."""
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
    cut = padded[2 + down : 18 + down, 2 + right : 10 + right]
    return cut[:, ::-1] if mirrored else cut


@pytest.mark.parametrize(("kind", "mirrors"), [("shift", (False,)), ("shift+flip", (False, True))])
def test_an_image_is_moved_by_up_to_an_eighth_and_mirrored_and_every_draw_occurs(images, kind, mirrors):
    draws = [(d, r, m) for d in range(-2, 3) for r in range(-1, 2) for m in mirrors]
    possible = {moved(images[0], *draw).tobytes(): draw for draw in draws}
    seen = [possible[each.tobytes()] for each in augmented(images, kind)]  # any other image is a KeyError

    assert set(seen) == set(draws)
    assert all(np.mean([s[2] for s in seen]) == pytest.approx(0.5 if True in mirrors else 0, abs=0.1) for _ in "a")


def test_none_returns_the_images_themselves(images):
    given = tf.constant(images)
    assert inputs.augment_images(given, "none", key(0), key(1)) is given


def test_a_distortion_is_a_function_of_seed_and_step(images):
    first = augmented(images, "shift")
    np.testing.assert_array_equal(augmented(images, "shift"), first)
    assert (augmented(images, "shift", step=6) != first).any()
    assert (augmented(images, "shift", seed=4) != first).any()


def test_rows_columns_and_flips_are_drawn_independently(images):
    one = tf.constant(np.zeros((4000, 16, 16, 1), np.uint8) + np.arange(256, dtype=np.uint8).reshape(16, 16, 1))
    seen = inputs.augment_images(one, "shift+flip", key(0), key(1)).numpy()
    down = seen[:, 8, 8, 0] // 16
    left = np.abs(seen[:, 8, 0, 0].astype(int) % 16 - 8)
    assert abs(np.corrcoef(down, left)[0, 1]) < 0.06


def test_the_draws_never_change_between_versions():
    """A change here changes the result of every augmented cell: raise NUMERICS with it."""
    draws = tf.random.stateless_uniform(
        (6,), inputs.random_key(inputs.ROWS, key(1), key(2)), 0, 100, tf.int32, alg="philox"
    )
    assert draws.numpy().tolist() == GOLDEN


GOLDEN = [73, 44, 9, 26, 8, 51]


@pytest.fixture
def batch(tiny):
    return Examples(
        *(tf.constant(a) for a in (tiny.x_train[:32], tiny.y_train[:32].astype(np.int32), tiny.x_train[100:]))
    )


def step_images(cell, batch, step=1):
    return inputs.step_images(program_signature(cell, "float32"), batch, key(cell.seed), key(step))


def test_without_a_setting_a_step_sees_its_batch(make_cell, batch):
    (seen,) = step_images(make_cell(), batch)
    np.testing.assert_array_equal(seen, batch.images)


def test_noise_is_uniform_bytes(make_cell, batch):
    cell = make_cell(unlabelled="noise", unlabelled_share=8)
    labelled, noise = step_images(cell, batch)
    np.testing.assert_array_equal(labelled, batch.images)
    assert noise.shape == (256, 8, 8, 1)
    counts = np.bincount(noise.numpy().ravel(), minlength=256)
    assert counts.shape == (256,)
    assert 30 < counts.min() <= counts.max() < 105  # 64 each on average
    assert (step_images(cell, batch, 2)[1].numpy() != noise.numpy()).any()


def test_the_rest_is_drawn_from_the_pool_with_replacement(make_cell, batch):
    cell = make_cell(unlabelled="rest", unlabelled_share=8)
    _, rest = step_images(cell, batch)
    pool = {each.tobytes() for each in batch.pool.numpy()}
    drawn = [each.tobytes() for each in rest.numpy()]
    assert len(drawn) == 256
    assert set(drawn) <= pool
    assert len(set(drawn)) > 0.9 * len(pool)


def test_images_without_labels_are_distorted_too(make_cell, batch):
    plain = step_images(make_cell(unlabelled="rest", unlabelled_share=1), batch)
    shifted = step_images(make_cell(unlabelled="rest", unlabelled_share=1, augment="shift"), batch)
    for one, other in zip(plain, shifted, strict=True):
        assert one.shape == other.shape
        assert (one.numpy() != other.numpy()).any()
