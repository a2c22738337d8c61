"""Grids are read from TOML, multiplied, narrowed, given seeds; what is no grid is refused."""

from __future__ import annotations

import re
import tomllib

import pytest

from experiment import keys
from experiment.errors import InvalidInput
from experiment.grid import Grid, built_in, load_grid, parse_grid
from experiment.members import Member
from experiment.run import RUN_NAME

QUESTIONS = (
    *("longer", "augmented", "alpha-over-time", "asymmetric", "larger", "identical", "deep", "unlabelled"),
    *("baselines", "program"),
)


def grid(text: str) -> Grid:
    return parse_grid("g", tomllib.loads(text))


def test_the_built_in_grids_have_the_cells_of_the_paper():
    of_questions = {twin for name in QUESTIONS for twin in (name, f"{name}-digits")}
    assert set(built_in()) == {"demo", "full", "mnist-methods", "mnist-small", "replication", "smoke", *of_questions}
    assert len(load_grid("demo").cells) == 13
    full = load_grid("full").cells
    assert len(full) == 39
    epochs = {"mnist": 30, "cifar10": 30, "notmnist": 15}
    assert {(c.dataset, c.epochs, c.batch_size) for c in full} == {(d, e, 64) for d, e in epochs.items()}
    combinations = {(c.dataset, c.method, c.alpha) for c in full}
    assert combinations == {
        (d, m, a)
        for d in ("mnist", "cifar10", "notmnist")
        for m, a in [("single", 0), *((m, a) for m in ("ce", "l2", "l1") for a in (1, 0.1, 0.01, 0.0001))]
    }
    assert all(
        (c.head, c.weight_decay, c.learning_rate, c.precision) == ("wide", 1e-4, 2**-10, "float32") for c in full
    )
    assert set(load_grid("replication").cells) <= set(full)  # what one has trained, the other finds done
    small = load_grid("mnist-small").cells
    assert {(c.method, c.alpha) for c in small} == {(m, a) for d, m, a in combinations if d == "mnist"}
    assert {(c.train_examples, c.seed) for c in small} == {(10_000, seed) for seed in range(5)}
    methods = load_grid("mnist-methods").cells
    of_each = {(c.method, c.alpha) for c in methods}
    assert of_each == {("single", 0.0), ("l2", 0.01), ("mutual", 1.0), ("ce", 1.0)}
    assert {(c.train_examples, c.validation_examples, c.seed) for c in methods} == {
        (10_000, 2_000, s) for s in range(8)
    }


def test_list_values_are_multiplied_and_a_block_outranks_the_data_set_which_outranks_the_base():
    found = grid("""
        [base]
        epochs = 7
        batch_size = 32
        [dataset.mnist]
        epochs = 3
        [[product]]
        dataset = ["digits", "mnist"]
        method = ["ce", "l2"]
        alpha = [1.0, 0.1]
        [[product]]
        dataset = "mnist"
        method = "single"
        epochs = 9
    """).cells

    assert len(found) == 9
    assert [(c.dataset, c.method, c.alpha) for c in found[:3]] == [
        ("digits", "ce", 1),
        ("digits", "ce", 0.1),
        ("digits", "l2", 1),
    ]
    epochs = {("digits", "ce"): 7, ("digits", "l2"): 7, ("mnist", "ce"): 3, ("mnist", "l2"): 3, ("mnist", "single"): 9}
    assert {(c.dataset, c.method): c.epochs for c in found} == epochs
    assert {c.batch_size for c in found} == {32}


def test_members_are_one_ensemble_unless_they_are_lists_of_members():
    text = "[member.Wide]\nbricks=1\nblocks=1\nfilters=64\n[[product]]\ndataset='digits'\nmethod='single'\nmembers="
    one = grid(text + "['ST', 'Wide']").cells
    two = grid(text + "[['ST', 'Wide'], ['M']]").cells

    assert [[m.name for m in c.members] for c in one] == [["ST", "Wide"]]
    assert [[m.name for m in c.members] for c in two] == [["ST", "Wide"], ["M"]]
    assert one[0].members[1] == Member(name="Wide", bricks=1, blocks=1, filters=64)


def test_excluded_combinations_are_left_out():
    text = """
        [[product]]
        dataset = "digits"
        method = ["ce", "l2"]
        alpha = [1.0, 0.1, 0.01]
        [[exclude]]
        method = "ce"
        alpha = [1.0, 0.1]
    """
    assert [(c.method, c.alpha) for c in grid(text).cells] == [("ce", 0.01), ("l2", 1), ("l2", 0.1), ("l2", 0.01)]


def test_seeds_replace_a_cell_s_own_and_the_first_seed_comes_first():
    found = load_grid("demo").with_seeds(3).cells

    assert [c.seed for c in found] == [0] * 13 + [1] * 13 + [2] * 13
    assert found[:13] == load_grid("demo").cells
    assert load_grid("demo").with_seeds(3).with_seeds(2).cells == load_grid("demo").with_seeds(2).cells
    with pytest.raises(InvalidInput, match="the number of seeds is 0; allowed: at least 1"):
        load_grid("demo").with_seeds(0)


def test_a_grid_that_no_memory_could_hold_is_refused_before_it_is_made():
    axes = "\n".join(f"{name} = {list(range(1, 1001))}" for name in ("epochs", "seed", "batch_size", "train_examples"))

    with pytest.raises(InvalidInput, match=r"is 1000000000000; allowed: up to 100,000; give fewer values or seeds"):
        grid(f'[[product]]\ndataset = "mnist"\nmethod = "ce"\n{axes}\n')


@pytest.mark.parametrize("choice", ["dataset", "=mnist", "members=ST", "size=3", "dataset=none", "alpha=big"])
def test_a_selection_that_means_nothing_is_refused(choice):
    with pytest.raises(InvalidInput, match=r"selection is .*; allowed: "):
        load_grid("full").only([choice])


@pytest.mark.parametrize("where", ["[base]", "[[product]]", "[dataset.digits]"])
@pytest.mark.parametrize("setting", ["alpha", "seed", "members"])
def test_an_empty_list_is_refused_by_name(where, setting):
    block = "[[product]]\ndataset = 'digits'\nmethod = 'l2'\n"
    text = f"{block}{block}{setting} = []" if where == "[[product]]" else f"{where}\n{setting} = []\n{block}"
    message = (
        rf"{setting} of (a )?{re.escape(where)} is \[\]; allowed: a value, or a list of at least one; give a value"
    )
    with pytest.raises(InvalidInput, match=message):
        grid(text)


def test_a_setting_of_a_data_set_that_every_block_overrides_is_refused():
    text = "[dataset.mnist]\nepochs = 3\n[[product]]\ndataset = ['mnist', 'digits']\nmethod = 'single'\nepochs = 9\n"
    with pytest.raises(
        InvalidInput, match=r"epochs of \[dataset.mnist\] is 3; allowed: none, as every \[\[product\]\]"
    ):
        grid(text)

    other = "[[product]]\ndataset = 'mnist'\nmethod = 'l2'\nalpha = 1.0\n"
    assert [c.epochs for c in grid(text + other).cells] == [9, 9, 3]


def test_tables_that_define_what_the_grid_does_not_use_are_allowed():
    unused = "[member.Deep]\nbricks = 3\nblocks = 9\nfilters = 16\n[dataset.notmnist]\nepochs = 15\n"

    assert len(grid(unused + "[[product]]\ndataset = 'mnist'\nmethod = 'single'").cells) == 1


@pytest.mark.parametrize("members", ["['ST', 'st']", "['M', 'ens']", "['A', 'a', 'M']"])
def test_members_whose_files_some_systems_would_take_for_one_are_refused(members):
    defined = "".join(f"[member.{n}]\nbricks = 1\nblocks = 1\nfilters = 2\n" for n in ("st", "ens", "A", "a"))
    with pytest.raises(
        InvalidInput, match=r"members is .*; allowed: names that differ .* in more than upper and lower case"
    ):
        grid(f"{defined}[[product]]\ndataset = 'digits'\nmethod = 'l2'\nmembers = {members}")


def test_ensembles_may_have_members_that_differ_in_case_as_each_cell_has_its_own_folder():
    text = "[member.m]\nbricks = 1\nblocks = 1\nfilters = 2\n[[product]]\ndataset = 'digits'\nmethod = 'single'\n"
    found = grid(text + "members = [['m'], ['M']]").cells

    assert len({keys.model(c.id, c.member_names).lower() for c in found}) == 2


def test_a_run_is_named_after_its_cells():
    demo = load_grid("demo")

    assert demo.run == load_grid("demo").run
    assert demo.run.startswith("demo-")
    assert len({demo.run, demo.with_seeds(2).run, demo.only(["method=l2"]).run}) == 3
    assert len(Grid(name="a" * 22 + "-" + "b" * 40, cells=demo.cells).run) <= 30


def test_the_user_s_file_gives_its_name_in_lower_case(tmp_path):
    path = tmp_path / "My Grid_2.toml"
    path.write_text("[[product]]\ndataset='digits'\nmethod='single'")

    assert load_grid(str(path)).name == "my-grid-2"


def test_a_grid_is_not_looked_for_outside_the_built_in_ones(tmp_path):
    for name in ("../grids/demo", "demo.toml.bak", ""):
        with pytest.raises(InvalidInput, match=r"allowed: .*demo, full, .*smoke.* or the path of a .toml file"):
            load_grid(name)


@pytest.mark.parametrize("name", ["my.toml", "MY.TOML", "a b.toml", "-.toml", "сетка.toml", "x" * 200 + ".toml"])
def test_a_run_of_any_file_is_named_as_kubernetes_wants_it(name, tmp_path):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf[[product]]\ndataset='digits'\nmethod='single'")

    assert RUN_NAME.fullmatch(load_grid(str(tmp_path / name)).run)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not UTF-8", "a directory"])
def test_a_file_that_cannot_be_read_is_refused(content, tmp_path):
    path = tmp_path / "x.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"allowed: a readable UTF-8 TOML file; check the path"):
        load_grid(str(path))


@pytest.mark.parametrize(
    "text",
    [
        "base = 3",
        "base = [1]",
        "[product]\ndataset='digits'",
        "product = ['x']",
        "product = 3",
        "dataset = 3\n[[product]]\ndataset='digits'\nmethod='single'",
        "[dataset]\ndigits = 3\n[[product]]\ndataset='digits'\nmethod='single'",
        "[dataset.minst]\nepochs=3\n[[product]]\ndataset='digits'\nmethod='single'",
        "member = 3",
        "[member]\nX = 3",
        "[member.X]\nname='Y'\nbricks=1\nblocks=1\nfilters=1",
        "exclude = 3",
        "expect = true\n[[product]]\ndataset='digits'\nmethod='single'",
        "expect = 'all'\n[[product]]\ndataset='digits'\nmethod='single'",
        "[[product]]\ndataset=[['digits']]\nmethod='single'",
        "[[product]]\ndataset={a=1}\nmethod='single'",
        "[[product]]\ndataset='digits'\nmethod='single'\nmembers='ST'",
        "[[product]]\ndataset='digits'\nmethod='single'\nmembers=[3]",
        "[[product]]\ndataset='digits'\nmethod='single'\nmembers=[['ST'], 'M']",
        "[[product]]\ndataset='digits'\nmethod='single'\nseed=1979-05-27",
        "[[product]]\ndataset=[]\nmethod='single'",
        "[[exclude]]\ncolour='red'\n[[product]]\ndataset='digits'\nmethod='single'",
        "[[exclude]]\n[[product]]\ndataset='digits'\nmethod='single'",
    ],
)
def test_a_table_of_another_form_is_refused_in_one_line(text):
    with pytest.raises(InvalidInput) as caught:
        grid(text)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_a_grid_with_single_beside_it_and_a_twin_on_digits(name):
    grid, twin = load_grid(name), load_grid(f"{name}-digits")

    assert any(c.method == "single" for c in grid.cells)
    assert {c.dataset for c in twin.cells} == {"digits"}
    per_seed = [[c.with_seed(0) for c in twin.cells if c.seed == s] for s in range(20)]
    assert sum(map(len, per_seed)) == len(twin.cells)
    assert all(set(cells) == set(per_seed[0]) for cells in per_seed)


def test_the_grids_of_questions_share_the_cells_that_the_papers_grids_train():
    full, demo = set(load_grid("full").cells), set(load_grid("demo").cells)

    for name in ("longer", "augmented", "alpha-over-time", "asymmetric", "identical", "deep", "baselines"):
        assert full & set(load_grid(name).cells), name
        assert demo & set(load_grid(f"{name}-digits").cells), name
