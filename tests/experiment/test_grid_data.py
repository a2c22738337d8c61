"""``[data.NAME]`` in grid files: read, written back, and refused where it cannot be."""

import tomllib

import pytest

from experiment.errors import InvalidInput
from experiment.grid import load_grid, parse_grid
from experiment.grid_text import format_grid

GRID = """
[base]
dataset = "flowers"
epochs = 1
batch_size = 8

[data.flowers]
file = "images/flowers.npz"
sha256 = "{sha}"
shape = [12, 12, 3]
classes = 3
train = 90
test = 30

[[product]]
method = "single"
seed = [0, 1]
""".format(sha="ab" * 32)


def test_every_cell_of_the_data_set_holds_it_and_the_grid_knows_its_place(tmp_path):
    (tmp_path / "mine.toml").write_text(GRID)
    grid = load_grid(str(tmp_path / "mine.toml"))

    assert {c.data.sha256 for c in grid.cells} == {"ab" * 32}
    assert grid.own_data["flowers"].place == str(tmp_path / "images" / "flowers.npz")
    assert grid.with_seeds(3).own_data == grid.only(["seed=0"]).own_data == grid.own_data


def test_the_place_takes_no_part_in_an_id():
    here, there = (parse_grid("g", tomllib.loads(GRID.replace("images/", folder))) for folder in ("", "elsewhere/"))

    assert here.run == there.run


def test_a_grid_is_written_with_its_data_and_read_as_the_same_cells():
    cells = parse_grid("g", tomllib.loads(GRID)).cells
    again = parse_grid("g", tomllib.loads(format_grid(cells)))

    assert again.cells == cells
    assert again.own_data["flowers"].place == ""


def test_known_data_sets_stand_beside_one_of_ones_own():
    both = GRID.replace('dataset = "flowers"', 'dataset = ["flowers", "digits"]')
    found = {c.dataset: c.data for c in parse_grid("g", tomllib.loads(both)).cells}

    assert found["digits"] is None
    assert found["flowers"].classes == 3


def test_settings_for_one_data_set_may_be_for_ones_own():
    grid = parse_grid("g", tomllib.loads(GRID + "\n[dataset.flowers]\nbatch_size = 4\n"))

    assert {c.batch_size for c in grid.cells} == {4}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('file = "images/flowers.npz"', 'url = "ftp://there/flowers.npz"', "an http:// or https:// URL"),
        ('file = "images/flowers.npz"', "file = 3", "file of .* is 3; allowed: a path"),
        ("train = 90", 'train = 90\nurl = "https://there/f.npz"', "allowed: one of them; remove the other"),
        ("[data.flowers]", "[data.mnist]", "none of digits, mnist"),
        ("[data.flowers]", "[data.roses]", "dataset is 'flowers'; allowed: .*"),
        ("epochs = 1", "epochs = 1\ndata = 3", r"data of \[base\] is 3; allowed: a table \[data.NAME\]"),
        ("[data.flowers]", "[[data]]", "data is .*; allowed: a table"),
    ],
)
def test_what_cannot_be_is_refused(old, new, words):
    with pytest.raises(InvalidInput, match=words):
        parse_grid("g", tomllib.loads(GRID.replace(old, new)))


def test_two_files_of_one_name_do_not_go_into_one_grid_file():
    cells = [parse_grid("g", tomllib.loads(GRID.replace("ab", sha))).cells[0] for sha in ("ab", "cd")]
    with pytest.raises(InvalidInput, match="one file for each name"):
        format_grid(cells)
