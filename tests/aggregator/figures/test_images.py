"""The pictures of a data set show what they say."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.figures import images


def test_components_are_orthogonal_and_of_falling_variance():
    x = np.random.default_rng(1).normal(size=(200, 9)) * np.arange(9, 0, -1)
    scores, axes = images.principal_components(x)

    assert axes @ axes.T == pytest.approx(np.eye(2), abs=1e-9)
    assert scores[:, 0].var() > scores[:, 1].var() > (x[:, 3:].var(axis=0)).max() / 2


def test_the_starred_images_are_the_nearest_of_different_labels():
    scores = np.array([[0.0, 0], [0.1, 0], [5, 5], [5, 5.3], [9, 9]])

    assert set(images.nearest_strangers(scores, np.array([1, 1, 2, 3, 1], np.uint8))) == {2, 3}


def test_the_starred_image_is_seen_over_the_weights():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    axes = figure.add_axes((0, 0, 1, 1))
    image = np.zeros((8, 8))
    image[2, 5] = 1
    images._draw_overlay(axes, image, np.full((8, 8), 0.5))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())

    assert pixels[31, 68, :3].max() < 80, "dark where the image is"
    assert pixels[68, 31, 2] > 150, "blue where it is not"
