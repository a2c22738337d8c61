"""Cells share a compiled program where they may, and only there."""

import dataclasses

import pytest

from experiment.own_data import OwnData
from trainer.model import device
from trainer.model.costs import Collaboration
from trainer.model.signature import program_signature

SHARED = [
    {"seed": 9},
    {"alpha": 0.5},
    {"learning_rate": 0.1},
    {"weight_decay": 0.0},
    {"epochs": 4, "alpha_plan": "rise"},
]
FLOWERS = OwnData(sha256="0" * 64, shape=(8, 8, 1), classes=3, train=160, test=90)
OWN = [
    {"method": "ce"},
    {"method": "mutual"},
    {"pull": (1.0, 0.0)},
    {"label_smoothing": 0.1},
    {"stale_epochs": 1},
    {"augment": "shift"},
    {"unlabelled": "noise", "unlabelled_share": 1.0},
    {"head": "plain"},
    {"head": "plain", "recipe": "program"},
]


@pytest.mark.parametrize("fields", SHARED, ids=str)
def test_cells_that_differ_in_numbers_of_a_step_share_a_program(make_cell, fields):
    assert program_signature(make_cell(**fields), "float32") == program_signature(make_cell(), "float32")


def test_cells_of_another_graph_have_another_program(make_cell):
    signatures = [program_signature(make_cell(**fields), "float32") for fields in ({}, *OWN)]
    signatures += [program_signature(make_cell(), "bfloat16")]
    assert len(set(signatures)) == len(OWN) + 2


def test_a_share_without_labels_is_a_number_of_images(make_cell):
    cell = make_cell(unlabelled="noise", unlabelled_share=0.5)
    assert program_signature(cell, "float32").unlabelled_count == 16


def test_the_program_s_ce_is_mutual_learning_and_its_distances_are_means(make_cell):
    def form(**fields):
        return program_signature(make_cell(head="plain", recipe="program", **fields), "float32").collaboration

    assert form(method="ce") == Collaboration("mutual")
    assert form(method="l2") == Collaboration("l2", mean=True)
    assert form(method="l1") == Collaboration("l1", mean=True)


def test_every_field_of_a_signature_comes_from_some_cell_or_from_the_device(make_cell, monkeypatch):
    cells = [make_cell(**fields) for fields in ({}, *OWN)] + [
        make_cell(dataset="cifar10"),
        make_cell(dataset="flowers", data=FLOWERS),
        make_cell(members=make_cell().members[:1], method="single", alpha=0.0),
    ]
    signatures = [program_signature(c, "float32") for c in cells] + [program_signature(cells[0], "bfloat16")]
    monkeypatch.setitem(device._chosen, "deterministic", False)
    signatures.append(program_signature(cells[0], "float32"))
    for field in dataclasses.fields(signatures[0]):
        assert len({getattr(s, field.name) for s in signatures}) > 1, field.name
