"""What an .npz file of images says of itself, as a table for grid files."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from experiment.errors import InvalidInput
from experiment.grid_data import OwnSource
from trainer.datasets.describe import describe_file, format_block


def save(path, shape=(9, 8, 6, 3), classes=3, **change):
    """An .npz file of random images."""
    rng = np.random.default_rng(0)
    arrays = {f"x_{part}": rng.integers(0, 256, shape, np.uint8) for part in ("train", "test")}
    arrays |= {f"y_{part}": np.arange(shape[0]) % classes for part in ("train", "test")}
    np.savez(path, **{**arrays, **change})
    return path


@pytest.mark.parametrize(
    ("shape", "found"),
    [((9, 8, 6, 3), (8, 6, 3)), ((9, 3, 8, 6), (8, 6, 3)), ((9, 8, 6), (8, 6, 1)), ((9, 8, 6, 1), (8, 6, 1))],
)
def test_height_width_and_channels_are_found_in_any_order(tmp_path, shape, found):
    data = describe_file(save(tmp_path / "f.npz", shape))

    assert (data.shape, data.classes, data.train, data.test) == (found, 3, 9, 9)


def test_the_table_is_read_back_by_a_grid(tmp_path):
    path = save(tmp_path / "My Flowers!.npz")
    data = describe_file(path)
    table = tomllib.loads(format_block(path, data, ("a", 'b"c', "d\n[base]")))

    assert OwnSource.parse("myflowers", table["data"]["myflowers"], None) == OwnSource(data, str(path))
    assert list(table) == ["data"]


@pytest.mark.parametrize("stem", ["mnist", "1st", "ÄÖ"])
def test_a_name_that_is_none_is_made_one(stem, tmp_path):
    (name,) = tomllib.loads(format_block(Path(f"{stem}.npz"), describe_file(save(tmp_path / "f.npz"))))["data"]

    assert name.startswith("my")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_train": np.zeros((9, 5))}, "x_train is of float64"),
        ({"x_train": np.zeros((9, 8, 6, 2), np.uint8)}, r"x_train has shape \(9, 8, 6, 2\)"),
        ({"x_train": np.zeros((9, 8, 7, 1), np.uint8)}, "width of a .* is 7; allowed: an even number"),
        ({"y_train": np.array(["a"] * 9)}, "y_train is of"),
        ({"y_train": np.full(9, -1)}, "values from -1"),
        ({"y_train": np.zeros(9, int), "y_test": np.zeros(9, int)}, "classes of a .* is 1"),
    ],
)
def test_what_no_cell_can_be_trained_on_is_refused(tmp_path, change, words):
    with pytest.raises(InvalidInput, match=words):
        describe_file(save(tmp_path / "f.npz", **change))


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_what_is_no_npz_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "f.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"an \.npz file|not a usable \.npz"):
        describe_file(tmp_path / "f.npz")
