"""Pictures of the data: only of files that are what their manifest says."""

import hashlib
import io
import json

import numpy as np
import pytest

from aggregator import make, prepared
from aggregator.figures import images
from experiment.errors import InvalidInput, NotFound


def put(store, *, change="", **arrays):
    x = np.random.default_rng(0).integers(0, 17, (60, 8, 8, 1), dtype=np.uint8)
    sink = io.BytesIO()
    np.savez(sink, **{"x_train": x, "y_train": (np.arange(60) % 10).astype(np.uint8), **arrays})
    digest = change or hashlib.sha256(sink.getvalue()).hexdigest()
    store.put("datasets/d.npz", sink.getvalue())
    store.put("datasets/digits.json", json.dumps({"key": "datasets/d.npz", "sha256": digest}).encode())


def test_a_whole_data_set_is_read(store):
    put(store)

    assert prepared.read(store, "digits").x.shape == (60, 8, 8, 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"change": "0" * 64}, "does not have the sha256"),
        ({"x_train": np.zeros((60, 8, 8, 1))}, "holds images of shape"),
        ({"y_train": np.zeros(3, np.uint8)}, "holds images of shape"),
        ({"x_train": np.array([{"a": 1}])}, "is not a prepared data set"),
    ],
)
def test_what_is_not_whole_is_refused(store, given, words):
    put(store, **given)

    with pytest.raises(InvalidInput, match=words):
        prepared.read(store, "digits")


def test_without_a_data_set_the_report_says_why_it_has_no_pictures(store):
    with pytest.raises(NotFound):
        prepared.read(store, "digits")
    pictures, remarks = make.look(store, ["digits"])

    assert pictures == []
    assert "No pictures of Digits" in remarks[0]


def test_components_are_orthogonal_and_of_falling_variance():
    x = np.random.default_rng(1).normal(size=(200, 9)) * np.arange(9, 0, -1)
    scores, axes = images.components(x)

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
    images._overlay(axes, image, np.full((8, 8), 0.5))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())

    assert pixels[31, 68, :3].max() < 80, "dark where the image is"
    assert pixels[68, 31, 2] > 150, "blue where it is not"
