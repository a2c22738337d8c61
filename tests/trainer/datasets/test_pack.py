"""A folder of pictures becomes the file of a data set; what cannot be read is named, what cannot be is refused."""

import numpy as np
import pytest
from PIL import Image

from experiment.errors import InvalidInput
from trainer.datasets.describe import describe_file
from trainer.datasets.pack import pack_folder, write_packed

COLOURS = {"rose": (200, 20, 60), "daisy": (250, 250, 240), "violet": (90, 40, 160)}


def paint(folder, counts, size=(20, 14)):
    """Pictures of one colour each, in a folder for each class."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", size, COLOURS.get(name, (0, 0, 0))).save(folder / name / f"{i:03}.png")
    return folder


def test_classes_are_folders_in_the_order_of_their_names_and_a_sixth_of_each_is_the_test(tmp_path):
    packed = pack_folder(paint(tmp_path / "f", {"rose": 12, "daisy": 7, "violet": 1 + 5}), 8)

    assert packed.classes == ("daisy", "rose", "violet")
    assert np.bincount(packed.arrays["y_test"]).tolist() == [2, 2, 1]
    assert np.bincount(packed.arrays["y_train"]).tolist() == [5, 10, 5]
    assert packed.arrays["x_train"].shape == (20, 8, 8, 3)
    first_rose = packed.arrays["x_train"][5]
    assert (first_rose == COLOURS["rose"]).all()


def test_folders_train_and_test_are_kept_apart(tmp_path):
    paint(tmp_path / "train", {"rose": 4, "daisy": 3})
    paint(tmp_path / "test", {"rose": 1, "daisy": 2})
    packed = pack_folder(tmp_path, 8, grey=True)

    assert packed.arrays["x_train"].shape == (7, 8, 8, 1)
    assert packed.arrays["y_test"].tolist() == [0, 0, 1]


def test_the_same_pictures_make_the_same_bytes_and_describe_themselves(tmp_path):
    folder = paint(tmp_path / "f", {"rose": 6, "daisy": 6})
    for name in ("a", "b"):
        write_packed(pack_folder(folder, 8), tmp_path / f"{name}.npz")

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = describe_file(tmp_path / "a.npz")
    assert (found.shape, found.classes, found.train, found.test) == ((8, 8, 3), 2, 10, 2)


def test_pictures_that_are_none_are_named_and_left_out(tmp_path):
    folder = paint(tmp_path / "f", {"rose": 6, "daisy": 6})
    (folder / "rose" / "broken.jpg").write_bytes(b"no picture")
    (folder / "rose" / "notes.txt").write_text("none of ours")
    packed = pack_folder(folder, 8)

    assert len(packed.unread) == 1
    assert "broken.jpg" in packed.unread[0]
    assert len(packed.arrays["y_train"]) + len(packed.arrays["y_test"]) == 12


def test_a_picture_with_a_palette_transparency_or_on_its_side_is_read(tmp_path):
    folder = paint(tmp_path / "f", {"rose": 2, "daisy": 2})
    Image.new("RGBA", (9, 9), (1, 2, 3, 4)).save(folder / "rose" / "x.png")
    Image.new("P", (9, 9)).save(folder / "rose" / "y.gif")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (30, 10), (9, 9, 9)).save(folder / "rose" / "z.jpg", exif=exif)

    assert pack_folder(folder, 8).unread == ()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"rose": 3}, "has 1 folders of classes; allowed: 2 to 1,000"),
        ({"rose": 3, "daisy": 0}, "class daisy has no picture"),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused(tmp_path, counts, words):
    with pytest.raises(InvalidInput, match=words):
        pack_folder(paint(tmp_path / "f", counts), 8)


@pytest.mark.parametrize("size", [0, 7, 258, -2])
def test_an_impossible_size_is_refused(tmp_path, size):
    with pytest.raises(InvalidInput, match="an even number of pixels from 2 to 256"):
        pack_folder(tmp_path, size)


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="a folder of pictures"):
        pack_folder(tmp_path / "absent", 8)


def test_what_is_there_is_not_overwritten(tmp_path):
    packed = pack_folder(paint(tmp_path / "f", {"rose": 2, "daisy": 2}), 8)
    (tmp_path / "mine.npz").write_text("mine")
    for path in (tmp_path / "mine.npz", tmp_path / "other.zip"):
        with pytest.raises(InvalidInput, match=r"a path that ends in \.npz where nothing is"):
            write_packed(packed, path)
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_packed(packed, tmp_path / "absent" / "x.npz")
