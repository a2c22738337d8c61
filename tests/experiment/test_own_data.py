"""A data set of the user's own: what it may be, and that it takes part in the id of its cells."""

import dataclasses

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.own_data import OwnData, check_name

GOOD = {"sha256": "ab" * 32, "shape": [12, 16, 3], "classes": 3, "train": 90, "test": 30}


def make_cell(name="flowers", **settings):
    """A cell on images of one's own."""
    data = OwnData.from_dict({**GOOD, **settings})
    return Cell(dataset=name, method="single", data=data, epochs=1, batch_size=8)


def test_a_cell_has_the_shape_and_the_counts_of_its_data():
    info = make_cell().info

    assert (info.shape, info.classes, info.train, info.test) == ((12, 16, 3), 3, 90, 30)
    assert (info.title, info.pooled, info.balanced) == ("flowers", False, False)
    assert Cell(dataset="digits", method="single").info.classes == 10


def test_a_cell_survives_json_and_keeps_its_id():
    cell = make_cell()

    assert Cell.from_dict(cell.as_dict()) == cell
    assert cell.as_dict()["data"]["shape"] == [12, 16, 3]
    assert "data" not in Cell(dataset="digits", method="single").as_dict()


@pytest.mark.parametrize(
    "change",
    [{"sha256": "cd" * 32}, {"shape": [16, 12, 3]}, {"classes": 4}, {"train": 89}, {"test": 29}, {"pooled": True}],
)
def test_whatever_determines_a_result_takes_part_in_the_id(change):
    assert make_cell(**change).id != make_cell().id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "AB" * 32}, "64 hexadecimal digits in lower case; take it from python -m trainer --describe FILE"),
        ({"sha256": None}, "64 hexadecimal digits"),
        ({"shape": [12, 16]}, r"\[height, width, channels\]"),
        ({"shape": 12}, r"\[height, width, channels\]"),
        ({"shape": [13, 16, 3]}, "height of a .* is 13; allowed: an even number"),
        ({"shape": [12, 258, 3]}, "width of a .* is 258; allowed: a whole number from 2 to 256"),
        ({"shape": [12, 16, 2]}, "channels of a .* is 2; allowed: 1 or 3"),
        ({"shape": [12, 16, True]}, "channels of a .* is True"),
        ({"classes": 1}, "classes of a .* is 1; allowed: a whole number from 2 to 1000"),
        ({"classes": 1001}, "from 2 to 1000"),
        ({"train": 0}, "train of a "),
        ({"test": 1.5}, "test of a "),
        ({"pooled": "yes"}, "true or false"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_impossible_is_refused(change, words):
    with pytest.raises(InvalidInput, match=words):
        OwnData.from_dict({**GOOD, **change})


def test_what_is_missing_is_named():
    with pytest.raises(InvalidInput, match="lacks classes"):
        OwnData.from_dict({k: v for k, v in GOOD.items() if k != "classes"})


@pytest.mark.parametrize("name", ["Flowers", "1st", "my-data", "a" * 21, "", "mnist", "digits", None])
def test_a_name_that_ids_and_keys_cannot_hold_or_that_is_known_is_refused(name):
    with pytest.raises(InvalidInput, match=r"a lower-case letter, then up to 19 .* none of digits"):
        check_name(name)


def test_members_must_be_able_to_halve_the_images():
    with pytest.raises(InvalidInput, match="number of bricks of member ST on flowers"):
        make_cell(shape=[6, 6, 1])


def test_data_of_another_type_is_refused():
    with pytest.raises(InvalidInput, match="data of a cell"):
        dataclasses.replace(make_cell(), data=5)
