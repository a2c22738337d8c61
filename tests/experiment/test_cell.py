"""A cell is checked on construction, and its id is the same for ever."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import cell as module
from experiment.cell import HEADS, METHODS, PRECISIONS, Cell
from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from experiment.extensions import CHOICES, NEUTRAL, NUMBERS, ON_PREDICTIONS
from experiment.grid import built_in, load_grid
from experiment.members import ALONE, MEMBER_NAME, MEMBERS, Member
from experiment.own_data import OwnData
from experiment.teachers import SHARED

GOLDEN = {
    "digits-single-0-s0-7e5d5869ab": {"dataset": "digits", "method": "single", "epochs": 20},
    "digits-l2-0p01-s0-906ca0df47": {"dataset": "digits", "method": "l2", "alpha": 0.01, "epochs": 20},
    "digits-ce-0p0001-s0-4b583e5a29": {"dataset": "digits", "method": "ce", "alpha": 1e-4, "epochs": 20},
    "digits-l1-1-s0-02c6aeb08e": {"dataset": "digits", "method": "l1", "alpha": 1, "epochs": 20},
}


MEMBER_NAMES = st.from_regex(MEMBER_NAME, fullmatch=True).filter(lambda n: n != "Ens")


@st.composite
def cells(draw):
    """Any valid cell."""
    dataset = draw(st.sampled_from(sorted(DATASETS)))
    info = DATASETS[dataset]
    deepest = 1
    while info.shape[0] % 2**deepest == 0 and deepest < 8:
        deepest += 1
    names = draw(st.lists(MEMBER_NAMES, min_size=1, max_size=4, unique=True))
    members = tuple(
        Member(
            name=n,
            bricks=draw(st.integers(1, deepest)),
            blocks=draw(st.integers(1, 64)),
            filters=draw(st.integers(1, 1024)),
        )
        for n in names
    )
    method = draw(st.sampled_from(METHODS if len(members) > 1 else ALONE))
    pairwise = method not in ("single", "consensus", "distillation") and len(members) > 2
    weights = st.tuples(*[st.floats(0.1, 10)] * len(members))
    train = draw(st.integers(1, info.train))
    validation, seed = draw(st.integers(0, info.train - train)), draw(st.integers(0, 2**31 - 1))
    taught = {"epochs": draw(st.integers(1, 100)), "batch_size": 1, "validation_examples": validation}
    return Cell(
        dataset=dataset,
        method=method,
        teacher=Cell(dataset=dataset, method="single", seed=seed, **taught) if method == "distillation" else None,
        alpha=0.0 if method == "single" else draw(st.floats(0, 1e9)),
        seed=seed,
        members=members,
        epochs=draw(st.integers(1, 100_000)),
        batch_size=draw(st.integers(1, train)),
        learning_rate=draw(st.floats(1e-12, 10)),
        weight_decay=draw(st.floats(0, 1)),
        head=draw(st.sampled_from(HEADS)),
        precision=draw(st.sampled_from(PRECISIONS)),
        train_examples=train,
        test_examples=draw(st.integers(0, info.test)),
        pairs=draw(st.sampled_from(CHOICES["pairs"])) if pairwise else "chain",
        pull=() if method == "single" else draw(st.just(()) | weights),
        temperature=draw(st.floats(0.1, 10)) if method in ON_PREDICTIONS else 1.0,
        label_smoothing=draw(st.floats(0, 0.9)),
        augment=draw(st.sampled_from(CHOICES["augment"])),
        validation_examples=validation,
        unlabelled="none" if method == "single" else (unlabelled := draw(st.sampled_from(("none", "noise")))),
        unlabelled_share=1.0 if method != "single" and unlabelled != "none" else 0.0,
    )


@pytest.mark.parametrize("cell_id", GOLDEN)
def test_ids_do_not_change_from_one_version_to_the_next(cell_id):
    assert Cell(**GOLDEN[cell_id]).id == cell_id


def test_a_neutral_setting_takes_no_part_in_what_a_cell_is_named_by():
    """So a setting that is added renames no finished cell, and no look at results."""
    cell = Cell(dataset="digits", method="l2", alpha=0.01)

    assert {n: getattr(cell, n) for n in NEUTRAL} == NEUTRAL
    assert not set(cell.as_dict()) & set(NEUTRAL)
    assert cell.extensions_text == ""
    assert set(cell.all_fields()) == {f.name for f in dataclasses.fields(Cell)}


@given(cells())
def test_a_cell_survives_the_way_through_json_fields(cell):
    again = Cell.from_dict(cell.as_dict())

    assert again == cell
    assert again.id == cell.id


@given(cells())
def test_an_id_is_a_dns_label_short_enough_for_a_prefix(cell):
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", cell.id)
    assert len(cell.id) <= 53


ALPHAS = [0.0, 5e-324, 1e-5, 1.23456789e-300, 1.23456789e300, 1.7976931348623157e308, 123456.789, 0.1, 0.1000001, 1 / 3]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_longest_id_of_every_data_set_and_method_is_a_short_dns_label(dataset, method):
    alphas = [0.0] if method == "single" else ALPHAS
    cell = Cell(dataset=dataset, method="single", seed=2**31 - 1)
    teacher = cell if method == "distillation" else None
    found = {dataclasses.replace(cell, method=method, alpha=a, teacher=teacher).id for a in alphas}

    assert len(found) == len(alphas)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", i) and len(i) <= 53 for i in found)


@given(cells(), cells())
def test_different_cells_have_different_ids(one, two):
    assert (one.id == two.id) == (one == two)


def test_every_field_takes_part_in_the_id():
    third = Member(name="C", bricks=1, blocks=1, filters=2)
    settings = {"head": "plain", "unlabelled": "noise", "unlabelled_share": 1.0, "train_examples": 200}
    cell = dataclasses.replace(load_grid("demo").cells[1], members=(*MEMBERS.values(), third), **settings)
    others = {"dataset": "mnist", "method": "l1", "alpha": 0.5, "seed": 1, "members": cell.members[::-1]}
    others |= {"epochs": 21, "batch_size": 63, "learning_rate": 0.1, "weight_decay": 0.0, "head": "wide"}
    others |= {"precision": "bfloat16", "train_examples": 100, "test_examples": 100}
    others |= {"pull": (1.0, 0.0, 0.0), "temperature": 2.0, "pairs": "all"}
    others |= {"alpha_plan": "late", "label_smoothing": 0.1, "augment": "shift", "unlabelled": "rest"}
    own = OwnData(sha256="0" * 64, shape=(8, 8, 1), classes=3, train=900, test=90)
    others |= {"data": own, "stale_epochs": 2, "unlabelled_share": 0.5, "recipe": "program", "validation_examples": 100}

    assert set(others) == {f.name for f in dataclasses.fields(Cell)} - {"teacher"}  # which has a test of its own
    pairs = {k: {k: v} | ({"dataset": "flowers"} if k == "data" else {}) for k, v in others.items()}
    assert len({dataclasses.replace(cell, **changed).id for changed in pairs.values()} | {cell.id}) == len(others) + 1


def test_every_setting_of_a_teacher_takes_part_in_its_student_s_id():
    teacher = Cell(dataset="digits", method="single", seed=3)
    student = dataclasses.replace(teacher, method="distillation", alpha=1.0, teacher=teacher)
    others = [
        dataclasses.replace(teacher, **{n: v}) for n, v in {"epochs": 31, "head": "plain", "augment": "shift"}.items()
    ]
    taught = [dataclasses.replace(student, teacher=t) for t in (*others, dataclasses.replace(teacher, method="ce"))]

    assert len({student.id, student.with_seed(4).id, *(c.id for c in taught)}) == 6
    assert not set(student.as_dict()["teacher"]) & set(SHARED)  # which the student's own settings say


def test_the_trainer_s_arithmetic_takes_part_in_the_id(monkeypatch):
    cell = load_grid("demo").cells[1]
    before = cell.id
    monkeypatch.setattr(module, "NUMERICS", module.NUMERICS + 1)

    assert dataclasses.replace(cell).id != before  # an id is worked out once for each cell object


@pytest.mark.parametrize(("one", "two"), [(1, 1.0), (0, 0.0), (0, -0.0), (0.0, -0.0)])
def test_the_same_number_written_otherwise_is_the_same_cell(one, two):
    make = lambda alpha: Cell(dataset="digits", method="l2", alpha=alpha)  # noqa: E731

    assert make(one).id == make(two).id


def test_models_are_the_members_then_the_ensemble():
    assert Cell(dataset="digits", method="single").models == ("ST", "M", "Ens")


BAD = {
    "dataset": (
        "fashion",
        r"dataset is 'fashion'; allowed: digits, mnist, .*, or one .* defines as \[data.NAME\]; correct",
    ),
    "data": (OwnData(sha256="0" * 64, shape=(8, 8, 1), classes=3, train=90, test=9), "name .* is 'digits'; .* none of"),
    "method": ("kl", "method is 'kl'; allowed: single, ce, l2, l1, mutual, consensus, distillation; correct"),
    "head": ("big", "head is 'big'; allowed: wide, plain"),
    "precision": ("float16", "precision is 'float16'; allowed: float32, bfloat16, auto"),
    "alpha": (-0.1, "alpha is -0.1; allowed: a finite number of at least 0"),
    "learning_rate": (0.0, "learning_rate is 0.0; allowed: a finite number above 0"),
    "weight_decay": (-1.0, "weight_decay is -1.0; allowed: a finite number of at least 0"),
    "seed": (-1, "seed is -1; allowed: a whole number from 0 to 2147483647"),
    "epochs": (0, "epochs is 0; allowed: a whole number from 1 to 100000"),
    "batch_size": (1438, "batch_size is 1438; allowed: a whole number from 1 to 1437"),
    "train_examples": (1438, "train_examples is 1438; allowed: a whole number from 0 to 1437"),
    "test_examples": (361, "test_examples is 361; allowed: a whole number from 0 to 360"),
    "pairs": ("ring", "pairs is 'ring'; allowed: chain, all"),
    "pull": ((1.0,), r"pull is \[1.0\]; allowed: one number for each of the 2 members"),
    "temperature": (0.0, "temperature is 0.0; allowed: a finite number above 0"),
    "alpha_plan": ("sudden", "alpha_plan is 'sudden'; allowed: constant, rise, fall, late"),
    "stale_epochs": (30, "stale_epochs is 30; allowed: a whole number from 0 to 29"),
    "label_smoothing": (1.0, "label_smoothing is 1.0; allowed: a finite number of at least 0 and below 1"),
    "augment": ("crop", r"augment is 'crop'; allowed: none, shift, shift\+flip"),
    "unlabelled": ("web", "unlabelled is 'web'; allowed: none, noise, rest"),
    "unlabelled_share": (9.0, "unlabelled_share is 9.0; allowed: a finite number of at least 0 and of at most 8"),
    "validation_examples": (1374, "validation_examples of digits .* is 1374; allowed: a whole number from 0 to 1373"),
    "teacher": (Cell(dataset="digits", method="single"), "teacher of method l2 is '.*'; allowed: none; leave it out"),
    "recipe": ("cake", "recipe is 'cake'; allowed: paper, program"),
    "members": ((), r"members is \[\]; allowed: 1 to 16 members with different names"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_impossible_value_is_refused_with_what_is_allowed(name):
    value, message = BAD[name]
    with pytest.raises(InvalidInput, match=message):
        Cell(**{"dataset": "digits", "method": "l2", name: value})


def test_every_setting_of_a_cell_has_its_refusal():
    assert set(BAD) == {f.name for f in dataclasses.fields(Cell)}


@pytest.mark.parametrize("name", ["alpha", "learning_rate", "weight_decay", *NUMBERS])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, "0.1", None, True, [0.1]], ids=lambda v: repr(v)[:9]
)
def test_what_is_no_finite_number_is_refused(name, value):
    with pytest.raises(InvalidInput, match=f"{name} is .*; allowed: a finite number"):
        Cell(**{"dataset": "digits", "method": "l2", name: value})


@pytest.mark.parametrize(
    "name", ["seed", "epochs", "batch_size", "train_examples", "test_examples", "validation_examples", "stale_epochs"]
)
@pytest.mark.parametrize("value", [1.0, "1", None, True], ids=repr)
def test_what_is_no_whole_number_is_refused(name, value):
    with pytest.raises(InvalidInput, match=f"{name} .*is .*; allowed: a whole number from"):
        Cell(**{"dataset": "digits", "method": "l2", name: value})


@pytest.mark.parametrize("value", [["digits"], {}, 3, None], ids=repr)
def test_a_name_of_another_type_is_refused(value):
    with pytest.raises(InvalidInput, match="dataset is"):
        Cell(dataset=value, method="l2")


def test_single_has_no_alpha():
    with pytest.raises(InvalidInput, match=r"alpha of method single is 1.0; allowed: 0; leave alpha out"):
        Cell(dataset="digits", method="single", alpha=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "a setting of a cell is 'colour'; allowed: dataset, method,"),
        ({"members": [{"name": "A"}]}, "a member lacks bricks, blocks, filters; given: name; add what is missing"),
        (
            {"members": [{"name": "A", "width": 1}]},
            "a setting of a member is 'width'; allowed: name, bricks, blocks, filters",
        ),
    ],
)
def test_unknown_and_missing_fields_are_named(change, message):
    with pytest.raises(InvalidInput, match=message):
        Cell.from_dict({**load_grid("demo").cells[0].as_dict(), **change})
    with pytest.raises(InvalidInput, match="a cell lacks dataset, method; given: members; add what is missing"):
        Cell.from_dict({})


def test_errors_about_input_are_one_line():
    with pytest.raises(InvalidInput) as caught:
        Cell(dataset="a\nb", method="l2")

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", built_in())
def test_no_two_cells_of_the_built_in_grids_share_an_id(name):
    cells = load_grid(name).cells

    assert len({c.id for c in cells}) == len(cells)
