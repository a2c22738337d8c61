"""The recipe ``program`` beside recorded steps of the author's own program.

    python -m benchmarks.program_steps STEPS.npz MNIST.npz

sets the networks to the recorded initial weights, trains the recorded batches and prints, for each method, how far the costs of every
step, the weights after the last and the logits of a test batch are from the recorded ones. Then each fact of the recipe is
taken back in turn: what moves away from the record shows that the fact matters, and that the record has it.

STEPS.npz holds ``indexes`` of MNIST's training images, 64 a step, and by ``METHOD/STEP/MEMBER/LAYER/PART`` the weights before and
after; ``METHOD/stats`` (steps, 7) and ``METHOD/test_logits`` (2, 64, 10). MNIST.npz is in Keras' layout.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from experiment.cell import Cell
from trainer.model import device
from trainer.model.averages import FADING
from trainer.model.inputs import Examples
from trainer.model.networks import Network
from trainer.model.program import EVALUATION_BATCH, Program
from trainer.model.recipe import PAPER, RECIPES, Recipe
from trainer.model.signature import Signature, program_signature
from trainer.model.types import Rates

METHODS = {"single": 0.0, "ce": 1.0, "l2": 0.01, "l1": 0.1}  # as they were recorded, with alpha
BATCH = 64
FAR = 1e-4  # from which on a weight counts as another
OF_A_STEP = ("raw_downsampling", "inner_decay", "biased_variance", "one_sided_ce")  # facts that two members' steps show


class Distances(NamedTuple):
    """How far a training is from the record.

    Attributes:
        cost: largest difference of a member's cost, or the mean's cross-entropy, in any step.
        error: largest difference of an error in any step.
        weights: number of weights and moments that differ by more than ``FAR``.
        logits: largest difference of the logits, as a share of the largest logit.
    """

    cost: float
    error: float
    weights: int
    logits: float


def recorded_name(name: str) -> tuple[str, str]:
    """Returns the (LAYER, PART) of the record under which a parameter or moment of ours stands."""
    layer, _, part = name.rpartition("/")
    if match := re.fullmatch(r"brick(\d)/(block(\d)|down)/(norm|conv|shortcut)(\d?)", layer):
        brick, _, block, kind, number = match.groups()
        place = f"b{brick}d" if block is None else f"b{brick}r{block}"
        layer = place + ("sc" if kind == "shortcut" else kind[0] + number)
    is_norm = "norm" in name
    return layer, {"bias": "beta" if is_norm else "bias", "mean": "moving_mean", "variance": "moving_variance"}.get(
        part, part
    )


def recorded_arrays(
    record: Mapping[str, np.ndarray], method: str, step: int, network: Network
) -> dict[str, np.ndarray]:
    """Returns a member's recorded parameters and moments under our names."""
    names = network.arrays(np.zeros(network.size, np.float32), network.initial_moments())
    return {n: record["/".join((method, str(step), network.member.name, *recorded_name(n)))] for n in names}


def compare_steps(
    record: Mapping[str, np.ndarray], images: np.ndarray, labels: np.ndarray, key: Signature, method: str
) -> Distances:
    """Trains from the recorded weights on the recorded images, (steps x 64, 28, 28, 1) uint8, and returns the distances."""
    program = Program(key, jit=False)
    program.begin(0)
    first = [recorded_arrays(record, method, 0, network) for network in program.networks]
    state = program.state
    state["theta"] = _join(first, program.networks, lambda n: [p.name for p in n.parameters])
    state["moments"] = _join(
        first, program.networks, lambda n: [f"{norm.name}/{p}" for norm in n.norms for p in ("mean", "variance")]
    )
    program.state = state
    examples = Examples(tf.constant(images), tf.constant(labels), tf.constant(images[:0]))
    order = tf.constant(np.arange(len(labels), dtype=np.int32).reshape(-1, BATCH))
    rates = Rates(learning_rate=2.0**-10, alpha=METHODS[method], weight_decay=1e-4)
    cost = error = 0.0
    for step, (st, m, st_error, m_error, entropy, ens_error, _) in enumerate(record[f"{method}/stats"]):
        program.train(examples, order, (step, step + 1), seed=0, steps_before=0, rates=rates)
        figures = program.take_sums() / (1 - FADING)  # of one step, from 0
        found = figures[:, 1] + figures[:, 2]
        cost = max(cost, *np.abs(found - (st, m, entropy)))
        error = max(error, *np.abs(figures[:, 0] - (st_error, m_error, ens_error)))
    last = {n.member.name: recorded_arrays(record, method, len(order), n) for n in program.networks}
    pairs = [(own[name], last[member][name]) for member, own in program.arrays().items() for name in own]
    recorded = record[f"{method}/test_logits"]
    logits = program.logits(tf.constant(np.resize(images, (EVALUATION_BATCH, *images.shape[1:]))))[:, :BATCH]
    return Distances(
        cost=cost,
        error=error,
        weights=sum(int((np.abs(ours - his) > FAR).sum()) for ours, his in pairs),
        logits=float(np.abs(logits - recorded).max() / np.abs(recorded).max()),
    )


def _join(arrays, networks, names) -> np.ndarray:
    return np.concatenate([own[name].ravel() for own, n in zip(arrays, networks, strict=True) for name in names(n)])


def signature_of(method: str, recipe: Recipe) -> Signature:
    """Returns the signature of a method under a recipe of any facts."""
    cell = Cell(dataset="mnist", method=method, alpha=METHODS[method], head="plain", recipe="program")
    key = program_signature(cell, "float32")
    return dataclasses.replace(
        key,
        recipe=recipe,
        collaboration=dataclasses.replace(
            key.collaboration, method="mutual" if method == "ce" and recipe.one_sided_ce else method
        ),
    )


def main() -> int:
    """Prints the distances of the recipe and of the recipe without each of its facts; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", help="the recorded steps")
    parser.add_argument("mnist", help="MNIST in the layout of Keras' mnist.npz")
    given = parser.parse_args()
    device.prepare_device()
    with np.load(given.steps) as file, np.load(given.mnist) as mnist:
        record = dict(file)
        images, labels = (mnist[name][record["indexes"]] for name in ("x_train", "y_train"))
    program = RECIPES["program"]
    recipes = {"program": program} | {
        f"  without {fact}": dataclasses.replace(program, **{fact: getattr(PAPER, fact)}) for fact in OF_A_STEP
    }
    print(f"{'method':7} {'recipe':28} {'cost':>9} {'error':>9} {'weights':>8} {'logits':>9}")
    for method in METHODS:
        for name, recipe in recipes.items():
            found = compare_steps(
                record, images[..., None], labels.astype(np.int32), signature_of(method, recipe), method
            )
            print(
                f"{method:7} {name:28} {found.cost:9.1e} {found.error:9.1e} {found.weights:8d} {found.logits:9.1e}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
