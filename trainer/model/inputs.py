"""The images of a training step: distorted, and joined by some without labels. Pure functions of seed and step.

Every draw comes from TensorFlow's stateless Philox with a key of its own, so a step that is done again, on any machine, sees the
same images: nothing of it is in a checkpoint.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from trainer.model.signature import Signature

ROWS, COLUMNS, FLIPS, UNLABELLED = 3, 4, 5, 6  # streams beside those of ``schedule``
LARGEST_SHIFT = 0.125  # of height or width


class Examples(NamedTuple):
    """What a program trains on, on the device.

    Attributes:
        images: (n, height, width, channels) uint8.
        labels: (n,) int32.
        pool: images without labels, (m, height, width, channels) uint8; m may be 0.
    """

    images: tf.Tensor
    labels: tf.Tensor
    pool: tf.Tensor


def step_images(key: Signature, batch: Examples, seed: tf.Tensor, step: tf.Tensor) -> list[tf.Tensor]:
    """Returns the images that the members see in a step: those with labels and, if the signature has some, those without.

    Args:
        key: says whether images without labels are ``noise``, uniform bytes, or the ``rest``, drawn from the pool with
            replacement; how many; and how all images are distorted.
        seed: of the cell, int64 scalar.
        step: int64 scalar, counted from 1 over the whole training.
    """
    images, sizes = batch.images, [batch.images.shape[0]]
    if key.unlabelled != "none":
        draw = random_key(UNLABELLED, seed, step)
        images = tf.concat([images, _draw_unlabelled(key.unlabelled, batch.pool, key.unlabelled_count, draw)], axis=0)
        sizes.append(key.unlabelled_count)
    return list(tf.split(augment_images(images, key.augment, seed, step), sizes))


def augment_images(images: tf.Tensor, kind: str, seed: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """Returns the images (n, height, width, channels), each distorted by its own draw.

    ``shift`` moves an image by up to 12.5 % of its height and width; what moves in repeats the edge. ``shift+flip`` also mirrors
    half of the images, left to right. ``none`` returns them as they are.
    """
    if kind == "none":
        return images
    count, height, width, _ = images.shape
    rows = _shifted_indexes(count, height, random_key(ROWS, seed, step))
    columns = _shifted_indexes(count, width, random_key(COLUMNS, seed, step))
    if kind == "shift+flip":
        flipped = _draw((count, 1), random_key(FLIPS, seed, step), 0, 2) == 1
        columns = tf.where(flipped, width - 1 - columns, columns)
    return tf.gather(tf.gather(images, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)


def random_key(stream: int, seed: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """Returns the key, (2,) int64, of one purpose in one step of the cells with this seed (below 2^31)."""
    return tf.stack([seed + stream * 2**32, step])


def _draw(shape: tuple[int, ...], key: tf.Tensor, low: int, high: int | tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, key, low, high, tf.int32, alg="philox")


def _shifted_indexes(count: int, size: int, key: tf.Tensor) -> tf.Tensor:
    """Returns for each image the index along an axis from which each of its pixels comes, (count, size) int32."""
    most = int(size * LARGEST_SHIFT)
    return tf.clip_by_value(tf.range(size) + _draw((count, 1), key, -most, most + 1), 0, size - 1)


def _draw_unlabelled(kind: str, pool: tf.Tensor, count: int, key: tf.Tensor) -> tf.Tensor:
    if kind == "noise":
        return tf.cast(_draw((count, *pool.shape[1:]), key, 0, 256), tf.uint8)
    return tf.gather(pool, _draw((count,), key, 0, tf.shape(pool)[0]))
