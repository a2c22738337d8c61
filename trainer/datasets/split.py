"""From the original examples to the experiment's fixed split: pure, and the same for every cell, store and machine.

The order comes from the raw words of Philox, whose stream NumPy keeps for ever; its ``permutation`` may change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiment.datasets import CLASSES, DATASETS, DatasetInfo
from experiment.errors import InvalidInput
from experiment.prepared import SourceFile

SPLIT = 20170531  # the split's own constant, never the seed of a cell
_ALL, _TEST, _LETTER = 0, 1, 2  # streams of Philox; letters follow each other


@dataclass(frozen=True, kw_only=True, eq=False)
class Original:
    """A data set as its source holds it: images (N, H, W, C) and labels (N,), uint8.

    Attributes:
        files: what was read.
        skipped: corrupt files left out.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    files: tuple[SourceFile, ...]
    skipped: int = 0


def split(name: str, original: Original, *, any_count: bool = False) -> dict[str, np.ndarray]:
    """The four arrays of the experiment's split, with the numbers of ``DATASETS`` or, with ``any_count``, whatever there is.

    Raises:
        InvalidInput: an impossible shape, label or number of examples.
    """
    info = DATASETS[name]
    _check(name, info, original)
    return (_pooled if info.pooled else _apart)(name, info, original, any_count)


def order(count: int, stream: int) -> np.ndarray:
    """A fixed shuffle of ``range(count)``."""
    return np.argsort(np.random.Philox(key=[SPLIT, stream]).random_raw(count), kind="stable")


def _check(name: str, info: DatasetInfo, original: Original) -> None:
    for part, x, y in (("train", original.x_train, original.y_train), ("test", original.x_test, original.y_test)):
        if x.shape != (len(y), *info.shape) or y.ndim != 1:
            raise InvalidInput(f"{part} images of {name} have shape {x.shape} and labels {y.shape}; "
                               f"allowed: (N, {', '.join(map(str, info.shape))}) and (N,); correct the source")  # fmt: skip
        if len(y) and y.max() >= CLASSES:
            raise InvalidInput(
                f"a {part} label of {name} is {y.max()}; allowed: 0 to {CLASSES - 1}; correct the source"
            )


def _pooled(name: str, info: DatasetInfo, original: Original, any_count: bool) -> dict[str, np.ndarray]:
    x = np.concatenate([original.x_train, original.x_test])
    y = np.concatenate([original.y_train, original.y_test])
    train = len(original.y_train) if any_count else info.train
    if not any_count:
        _expect(name, "examples in all", len(y), info.train + info.test)
    shuffled = order(len(y), _ALL)
    a, b = shuffled[:train], shuffled[train:]
    return _filled(name, x_train=x[a], y_train=y[a], x_test=x[b], y_test=y[b])


def _apart(name: str, info: DatasetInfo, original: Original, any_count: bool) -> dict[str, np.ndarray]:
    """As many training examples of each class, chosen by the fixed shuffle; all test examples."""
    each = info.train // CLASSES
    found = np.bincount(original.y_train, minlength=CLASSES)
    if any_count:
        each = min(each, int(found.min()))
    elif found.min() < each:
        _expect(name, f"training examples of class {found.argmin()}", int(found.min()), each)
    else:
        _expect(name, "test examples", len(original.y_test), info.test)
    chosen = np.concatenate(
        [np.flatnonzero(original.y_train == c)[order(found[c], _LETTER + c)[:each]] for c in range(CLASSES)]
    )
    a, b = chosen[order(len(chosen), _ALL)], order(len(original.y_test), _TEST)
    return _filled(
        name,
        x_train=original.x_train[a],
        y_train=original.y_train[a],
        x_test=original.x_test[b],
        y_test=original.y_test[b],
    )


def _filled(name: str, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    if not len(arrays["y_train"]) or not len(arrays["y_test"]):
        raise InvalidInput(
            f"{name} would have an empty training or test set; allowed: at least one example of each; correct the source"
        )
    return arrays


def _expect(name: str, what: str, found: int, expected: int) -> None:
    if found != expected:
        raise InvalidInput(f"{name} has {found:,} {what}; allowed: {expected:,}; correct the source, "
                           f"or take it as it is with DATASET_{name.upper()}_COUNTS=any")  # fmt: skip
