"""How much work a cell is, and which cells a worker trains without compiling again."""

from __future__ import annotations

import dataclasses

import pytest

from experiment.grid import load_grid
from experiment.workload import compiled_shape, multiply_adds

CELLS = load_grid("demo").cells


def test_work_grows_with_epochs_examples_and_members():
    cell = CELLS[0]

    assert multiply_adds(dataclasses.replace(cell, epochs=2 * cell.epochs)) == 2 * multiply_adds(cell)
    assert multiply_adds(dataclasses.replace(cell, train_examples=100)) < multiply_adds(cell)
    assert multiply_adds(dataclasses.replace(cell, members=cell.members[:1])) < multiply_adds(cell)
    assert multiply_adds(dataclasses.replace(cell, dataset="cifar10")) > multiply_adds(
        dataclasses.replace(cell, dataset="mnist")
    )


def test_cells_share_a_shape_if_only_alpha_seed_epochs_or_rates_differ():
    cell = CELLS[1]
    same = {"alpha": 7.0, "seed": 3, "epochs": 2, "learning_rate": 0.1, "weight_decay": 0.0}
    other = {"dataset": "mnist", "method": "l1", "members": cell.members[:1] * 1, "head": "plain", "batch_size": 8}
    other |= {"precision": "bfloat16", "train_examples": 640}
    other["members"] = tuple(dataclasses.replace(m, filters=m.filters + 1) for m in cell.members)

    assert all(compiled_shape(dataclasses.replace(cell, **{k: v})) == compiled_shape(cell) for k, v in same.items())
    assert all(compiled_shape(dataclasses.replace(cell, **{k: v})) != compiled_shape(cell) for k, v in other.items())


def test_examples_that_are_held_out_are_no_work():
    held, fewer = ({"validation_examples": 437}, {"train_examples": 1000})
    assert multiply_adds(dataclasses.replace(CELLS[0], **held)) == multiply_adds(dataclasses.replace(CELLS[0], **fewer))


def test_images_without_labels_and_stale_peers_count_as_work():
    cell = CELLS[1]
    joined = dataclasses.replace(cell, unlabelled="noise", unlabelled_share=0.5)

    assert multiply_adds(joined) == 1.5 * multiply_adds(cell)
    assert multiply_adds(dataclasses.replace(cell, stale_epochs=1)) == pytest.approx(4 / 3 * multiply_adds(cell))
    taught = dataclasses.replace(cell, method="distillation", teacher=CELLS[0])
    assert multiply_adds(taught) == pytest.approx(4 / 3 * multiply_adds(cell))


def test_settings_beyond_the_paper_are_compiled_apart():
    assert compiled_shape(dataclasses.replace(CELLS[1], augment="shift")) != compiled_shape(CELLS[1])
